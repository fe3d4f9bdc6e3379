"""Who is told when something is wrong: mails about health, backups, a full share and the month's bill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi
from pulumi_azure_native import alertsmanagement, consumption, monitor

from contract import NAME, TAGS, stem
from kit.azure.uptime import Uptime, UptimeArgs

GIB = 2**30
FULL = 0.8
# A snapshot a day: after two days without one something is wrong.
NO_BACKUP = (
    "AddonAzureBackupJobs | where JobOperation == 'Backup' and JobStatus == 'Completed' | summarize Made=count()"
)


@dataclass(frozen=True)
class AlertsArgs:
    """Whom to tell, and what to look at. `share_gb` is the share's size, `budget` in the subscription's currency.

    `backups_id` is the backup vault, None where no snapshots are made.
    """

    group: pulumi.Input[str]
    group_id: pulumi.Input[str]
    email: str
    health_url: pulumi.Output[str]
    site_id: pulumi.Output[str]
    account_id: pulumi.Output[str]
    share_gb: int
    backups_id: pulumi.Output[str] | None
    logs_id: pulumi.Output[str]
    budget: int | None


class Alerts(pulumi.ComponentResource):
    """One action group, and a rule for each thing that can go wrong."""

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Alerts", name, opts=opts)
        self.name, self.args = name, args
        # No data in any of these: `up` makes them again.
        self.child = pulumi.ResourceOptions(parent=self)
        self.action = monitor.ActionGroup(
            f"{name}-mail",
            resource_group_name=args.group,
            location="Global",
            enabled=True,
            # At most 12 characters; mails name it.
            group_short_name=NAME,
            email_receivers=[
                monitor.MicrosoftCommonEmailReceiverArgs(
                    name="operator", email_address=args.email, use_common_alert_schema=True
                )
            ],
            tags=TAGS,
            opts=self.child,
        ).id
        self.site_health()
        self.full_share()
        Uptime(
            f"{name}-uptime",
            UptimeArgs(args.group, args.health_url, args.logs_id, self.action),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if args.backups_id:
            self.backups(args.backups_id)
        if args.budget:
            self.monthly_cost(args.budget)
        self.register_outputs({"action": self.action})

    def site_health(self) -> None:
        """learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-web-sites-metrics has them."""
        self.metric(
            "not-healthy",
            "The app does not answer /healthz.",
            self.args.site_id,
            monitor.MetricCriteriaArgs(
                name="health",
                criterion_type="StaticThresholdCriterion",
                metric_namespace="Microsoft.Web/sites",
                metric_name="HealthCheckStatus",
                time_aggregation=monitor.AggregationTypeEnum.AVERAGE,
                operator=monitor.Operator.LESS_THAN,
                threshold=50,
            ),
        )
        self.metric(
            "server-errors",
            "More than 10 requests in a quarter of an hour failed with 5xx.",
            self.args.site_id,
            monitor.MetricCriteriaArgs(
                name="5xx",
                criterion_type="StaticThresholdCriterion",
                metric_namespace="Microsoft.Web/sites",
                metric_name="Http5xx",
                time_aggregation=monitor.AggregationTypeEnum.TOTAL,
                operator=monitor.Operator.GREATER_THAN,
                threshold=10,
            ),
        )

    def full_share(self) -> None:
        """Of the whole account, since a standard share has no metrics of its own; its snapshots count too.

        learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/
        microsoft-storage-storageaccounts-fileservices-metrics: measured once an hour.
        """
        self.metric(
            "share-full",
            f"The share and its snapshots are above {FULL:.0%} of {self.args.share_gb} GiB.",
            pulumi.Output.concat(self.args.account_id, "/fileServices/default"),
            monitor.MetricCriteriaArgs(
                name="capacity",
                criterion_type="StaticThresholdCriterion",
                metric_namespace="Microsoft.Storage/storageAccounts/fileServices",
                metric_name="FileCapacity",
                time_aggregation=monitor.AggregationTypeEnum.AVERAGE,
                operator=monitor.Operator.GREATER_THAN,
                threshold=FULL * self.args.share_gb * GIB,
            ),
            window="PT6H",
            every="PT1H",
        )

    def metric(
        self,
        what: str,
        description: str,
        scope: pulumi.Input[str],
        criteria: monitor.MetricCriteriaArgs,
        window: str = "PT15M",
        every: str = "PT5M",
    ) -> None:
        """A rule about one metric of one resource."""
        monitor.MetricAlert(
            f"{self.name}-{what}",
            rule_name=f"{stem()}-{what}",
            resource_group_name=self.args.group,
            location="Global",
            description=description,
            enabled=True,
            severity=1,
            scopes=[scope],
            window_size=window,
            evaluation_frequency=every,
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", all_of=[criteria]
            ),
            actions=[monitor.MetricAlertActionArgs(action_group_id=self.action)],
            tags=TAGS,
            opts=self.child,
        )

    def backups(self, vault_id: pulumi.Output[str]) -> None:
        """Azure Backup's own alerts of failed jobs go to the mail; and silence is found in its log of jobs."""
        self.failed_backups(vault_id)
        logged = monitor.DiagnosticSetting(
            f"{self.name}-backup-jobs",
            resource_uri=vault_id,
            workspace_id=self.args.logs_id,
            log_analytics_destination_type="Dedicated",
            logs=[monitor.DiagnosticsLogSettingsArgs(category="AddonAzureBackupJobs", enabled=True)],
            opts=self.child,
        )
        monitor.ScheduledQueryRule(
            f"{self.name}-no-backup",
            rule_name=f"{stem()}-no-backup",
            resource_group_name=self.args.group,
            description="No snapshot was completed in the last two days.",
            enabled=True,
            severity=1,
            scopes=[self.args.logs_id],
            # The longest window there is. The table comes with its first line, so Azure can't check the query yet.
            window_size="P2D",
            evaluation_frequency="PT6H",
            skip_query_validation=True,
            criteria=monitor.ScheduledQueryRuleCriteriaArgs(all_of=[none_made()]),
            actions=monitor.ActionsArgs(action_groups=[self.action]),
            tags=TAGS,
            opts=pulumi.ResourceOptions.merge(self.child, pulumi.ResourceOptions(depends_on=[logged])),
        )

    def failed_backups(self, vault_id: pulumi.Output[str]) -> None:
        add = alertsmanagement.AddActionGroupsArgs(action_type="AddActionGroups", action_group_ids=[self.action])
        alertsmanagement.AlertProcessingRuleByName(
            f"{self.name}-backup-failed",
            alert_processing_rule_name=f"{stem()}-backup-failed",
            resource_group_name=self.args.group,
            location="Global",
            properties=alertsmanagement.AlertProcessingRulePropertiesArgs(
                scopes=[vault_id], actions=[add], enabled=True, description="A backup or a restore failed."
            ),
            tags=TAGS,
            opts=self.child,
        )

    def monthly_cost(self, budget: int) -> None:
        """Mails when the group's cost of this month is above the budget, and when it is going to be."""
        consumption.Budget(
            f"{self.name}-budget",
            budget_name=f"{stem()}-monthly",
            scope=self.args.group_id,
            amount=budget,
            category=consumption.CategoryType.COST,
            time_grain=consumption.TimeGrainType.MONTHLY,
            # It must begin in the month in which it is made, and can't be moved afterwards.
            time_period=consumption.BudgetTimePeriodArgs(start_date=f"{datetime.now(UTC):%Y-%m}-01T00:00:00Z"),
            notifications={
                "above": told(self.args.email, consumption.ThresholdType.ACTUAL),
                "soon": told(self.args.email, consumption.ThresholdType.FORECASTED),
            },
            opts=pulumi.ResourceOptions.merge(self.child, pulumi.ResourceOptions(ignore_changes=["timePeriod"])),
        )


def none_made() -> monitor.ConditionArgs:
    return monitor.ConditionArgs(
        query=NO_BACKUP,
        metric_measure_column="Made",
        time_aggregation=monitor.TimeAggregation.TOTAL,
        # Not ConditionOperator, which has another service's words ("lt"); these are the REST reference's.
        operator="LessThan",
        threshold=1,
        failing_periods=monitor.ConditionFailingPeriodsArgs(
            min_failing_periods_to_alert=1, number_of_evaluation_periods=1
        ),
    )


def told(email: str, kind: consumption.ThresholdType) -> consumption.NotificationArgs:
    emails: Sequence[str] = [email]
    return consumption.NotificationArgs(
        enabled=True,
        operator=consumption.OperatorType.GREATER_THAN,
        threshold=100,
        threshold_type=kind,
        contact_emails=emails,
    )
