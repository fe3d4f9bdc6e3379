"""Who is told when the site is away, without a backup, full or dear. What each alarm means: docs/deploy/gcp.md."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from contract import HEALTH_PATH, TAGS, stem
from kit.gcp.signals import Backup, failed_job, missed_checks

CHECK_SECONDS = 300
# Longer than a redeploy, or the weekly change of the VM's system, takes.
AWAY_SECONDS = 900
FULL_PERCENT = 80
# A metric-absence condition waits for 23.5 hours at most, and would ring before each daily backup. So it is a PromQL
# condition: none in six hours, and that for a day. (Log-based metrics admit a window of 25 hours, no longer.)
NONE_IN, THEN_SECONDS = "6h", 86_400


@dataclass(frozen=True)
class AlertsArgs:
    """Whom to tell, the site's host name, a PromQL expression of how full the storage is in percent, and what says that
    a backup was made, or None where there are none. `budget` is in the billing account's currency, None for none.
    """

    project: pulumi.Output[str]
    email: str
    host: pulumi.Input[str]
    percent: pulumi.Output[str]
    backup: Backup | None
    budget: int | None
    billing_account: str


class Alerts(pulumi.ComponentResource):
    """An e-mail channel, and an alarm for each thing that a person on call wants to know."""

    note: str

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Alerts", name, opts=opts)
        self.prefix, self.args, self.child = name, args, pulumi.ResourceOptions(parent=self)
        self.channel = self.email()
        self.away()
        self.full()
        self.failed()
        if args.backup:
            self.without_backup(args.backup)
        if args.budget:
            self.dear(args.budget)
        self.note = (
            f"Alarms go to {args.email}. Google sends no mail to confirm: send a test from the console"
            " (Monitoring, Alerting, Edit notification channels) and see that it arrives."
        )
        self.register_outputs({})

    def email(self) -> "gcp.monitoring.NotificationChannel":
        return gcp.monitoring.NotificationChannel(
            f"{self.prefix}-email",
            project=self.args.project,
            display_name=f"{stem()}: {self.args.email}",
            type="email",
            labels={"email_address": self.args.email},
            user_labels=TAGS,
            opts=self.child,
        )

    def alarm(self, what: str, says: str, **when: Any) -> None:
        """One alarm with one condition. `says` goes into the mail."""
        gcp.monitoring.AlertPolicy(
            f"{self.prefix}-{what}",
            project=self.args.project,
            display_name=f"{stem()}: {says}",
            combiner="OR",
            conditions=[gcp.monitoring.AlertPolicyConditionArgs(display_name=says, **when)],
            documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
                content=f"{says}. What to do: docs/deploy/gcp.md, *What the alarms mean*.", mime_type="text/markdown"
            ),
            notification_channels=[self.channel.id],
            user_labels=TAGS,
            opts=self.child,
        )

    def away(self) -> None:
        """Two or more of the places that look see no answer."""
        self.above(
            "away",
            "The site doesn't answer",
            missed_checks(self.uptime_check().uptime_check_id),
            1,
            AWAY_SECONDS,
            alignment_period="1200s",
            per_series_aligner="ALIGN_NEXT_OLDER",
            cross_series_reducer="REDUCE_COUNT_FALSE",
            group_by_fields=["resource.label.project_id", "resource.label.host"],
        )

    def failed(self) -> None:
        self.above(
            "failed", "A job failed", failed_job(), 0, 0, alignment_period="300s", per_series_aligner="ALIGN_SUM"
        )

    def uptime_check(self) -> "gcp.monitoring.UptimeCheckConfig":
        """From outside: Google asks from every region that it has for this."""
        monitoring = gcp.monitoring
        return monitoring.UptimeCheckConfig(
            f"{self.prefix}-uptime",
            project=self.args.project,
            display_name=f"{stem()} from outside",
            period=f"{CHECK_SECONDS}s",
            timeout="30s",
            http_check=monitoring.UptimeCheckConfigHttpCheckArgs(
                path=HEALTH_PATH, port=443, use_ssl=True, validate_ssl=True
            ),
            monitored_resource=monitoring.UptimeCheckConfigMonitoredResourceArgs(
                type="uptime_url", labels={"host": self.args.host, "project_id": self.args.project}
            ),
            opts=self.child,
        )

    def full(self) -> None:
        query = pulumi.Output.concat(self.args.percent, f" > {FULL_PERCENT}")
        self.promql("full", f"The disk or share is {FULL_PERCENT} % full", query, seconds=600)

    def without_backup(self, backup: Backup) -> None:
        metric = gcp.logging.Metric(
            f"{self.prefix}-backups",
            name=f"{stem()}-backups".replace("-", "_"),
            project=self.args.project,
            description="Backups that were made.",
            filter=backup.filter,
            metric_descriptor=gcp.logging.MetricMetricDescriptorArgs(metric_kind="DELTA", value_type="INT64"),
            opts=self.child,
        )
        query = pulumi.Output.concat(
            "absent_over_time(logging_googleapis_com:user_",
            metric.name,
            f"{{monitored_resource='{backup.resource}'}}[{NONE_IN}])",
        )
        self.promql("without-backup", "There is no backup of the last 30 hours", query, seconds=THEN_SECONDS)

    def above(
        self, what: str, says: str, filter_: pulumi.Input[str], limit: float, seconds: int, **aggregation: Any
    ) -> None:
        """An alarm for a metric, put together by `aggregation`, that is above `limit` for some seconds."""
        monitoring = gcp.monitoring
        when = monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=filter_,
            aggregations=[monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(**aggregation)],
            comparison="COMPARISON_GT",
            threshold_value=limit,
            duration=f"{seconds}s",
        )
        self.alarm(what, says, condition_threshold=when)

    def promql(self, what: str, says: str, query: pulumi.Input[str], seconds: int) -> None:
        """An alarm for an expression that answers something for some seconds."""
        when = gcp.monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
            query=query,
            duration=f"{seconds}s",
            evaluation_interval="300s",
            # Google knows a metric only once something has reported it.
            disable_metric_validation=True,
        )
        self.alarm(what, says, condition_prometheus_query_language=when)

    def dear(self, budget: int) -> None:
        """The whole project's budget: not all of what it costs can be told apart by stack."""
        billing = gcp.billing
        number = gcp.organizations.get_project_output(project_id=self.args.project).number
        billing.Budget(
            f"{self.prefix}-budget",
            billing_account=self.args.billing_account,
            display_name=f"{stem()} a month",
            budget_filter=billing.BudgetBudgetFilterArgs(projects=[pulumi.Output.concat("projects/", number)]),
            amount=billing.BudgetAmountArgs(
                # Without a currency it is the billing account's; another one is refused.
                specified_amount=billing.BudgetAmountSpecifiedAmountArgs(units=str(budget))
            ),
            threshold_rules=[billing.BudgetThresholdRuleArgs(threshold_percent=1.0)],
            all_updates_rule=billing.BudgetAllUpdatesRuleArgs(
                monitoring_notification_channels=[self.channel.id], disable_default_iam_recipients=True
            ),
            opts=pulumi.ResourceOptions(parent=self, provider=self.provider()),
        )

    def provider(self) -> gcp.Provider:
        """Budgets are asked for in the name of a project; with a person's own sign-in Google refuses it otherwise."""
        return gcp.Provider(
            f"{self.prefix}-billing",
            project=self.args.project,
            billing_project=self.args.project,
            user_project_override=True,
            opts=self.child,
        )
