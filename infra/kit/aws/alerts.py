"""Who is told when something is wrong: mails about health, backups, a growing file system and the month's bill."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS, stem
from kit.aws.alarm import Limit, Metric, alarm, mail
from kit.aws.uptime import Uptime, UptimeArgs

GIB = 2**30
DAY = 24 * 3600
# EFS has no size to fill. This is where the other places' smallest store would be 80 % full, and here costs $3 a month.
FULL_GIB = 8


def alarms(*, daily: bool, copied: bool) -> int:
    """How many alarms there are, for the bill."""
    return 5 + daily + copied


@dataclass(frozen=True)
class AlertsArgs:
    """Whom to tell, and what to look at. `daily`: a backup is made each day; `copied`: and goes to another region.

    `budget` is in US dollars a month, for the whole account.
    """

    email: str
    url: pulumi.Output[str]
    cluster_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    api_id: pulumi.Input[str]
    file_system_id: pulumi.Input[str]
    vault_name: pulumi.Input[str]
    daily: bool
    copied: bool
    budget: int | None


class Alerts(pulumi.ComponentResource):
    """One topic, and an alarm for each thing that can go wrong."""

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Alerts", name, opts=opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        self.topic = mail(f"{name}-mail", f"{stem()}-alerts", args.email, None, self.child)
        self.health()
        self.backups()
        self.size()
        Uptime(f"{name}-uptime", UptimeArgs(args.url, args.email), self.child)
        if args.budget:
            self.monthly_cost(args.budget)
        self.register_outputs({"topic": self.topic})

    def alarm(self, what: str, says: str, metric: Metric, limit: Limit) -> None:
        alarm(f"{self.name}-{what}", f"{stem()}-{what}", says, metric, limit, self.topic, self.child)

    def health(self) -> None:
        """ECS measures what runs, so a service without a task has no values (*Amazon ECS CloudWatch metrics*)."""
        service = {"ClusterName": self.args.cluster_name, "ServiceName": self.args.service_name}
        self.alarm(
            "no-task",
            "No task of the service runs.",
            Metric("AWS/ECS", "CPUUtilization", service, "SampleCount"),
            Limit("<", 1, seconds=300, periods=2, silence_is_bad=True),
        )
        self.alarm(
            "server-errors",
            "More than 10 requests in a quarter of an hour failed with 5xx.",
            Metric("AWS/ApiGateway", "5xx", {"ApiId": self.args.api_id}, "Sum"),
            Limit(">", 10, seconds=900),
        )

    def backups(self) -> None:
        """Numbers of AWS Backup's jobs (*AWS Backup metrics with Amazon CloudWatch*), none where none was run."""
        vault = {"BackupVaultName": self.args.vault_name}
        if self.args.daily:
            self.alarm(
                "no-backup",
                "No backup was completed in the last two days.",
                Metric("AWS/Backup", "NumberOfBackupJobsCompleted", vault, "Sum"),
                Limit("<", 1, seconds=DAY, periods=2, silence_is_bad=True),
            )
        failures = ["NumberOfBackupJobsFailed", *(["NumberOfCopyJobsFailed"] if self.args.copied else [])]
        for what, metric in zip(("backup-failed", "copy-failed"), failures, strict=False):
            self.alarm(
                what,
                "AWS Backup says why: aws backup list-backup-jobs, list-copy-jobs.",
                Metric("AWS/Backup", metric, vault, "Sum"),
                Limit(">", 0, seconds=3600),
            )

    def size(self) -> None:
        total = {"FileSystemId": self.args.file_system_id, "StorageClass": "Total"}
        self.alarm(
            "file-system-large",
            f"The file system is above {FULL_GIB} GiB.",
            Metric("AWS/EFS", "StorageBytes", total, "Maximum"),
            Limit(">", FULL_GIB * GIB, seconds=3600),
        )

    def monthly_cost(self, budget: int) -> None:
        """Mails when the account's cost of this month is above the budget, and when it is going to be.

        Of the whole account: AWS tells the stacks of an account apart only by tags that somebody has activated in the
        billing console.
        """
        aws.budgets.Budget(
            f"{self.name}-budget",
            name=stem(),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(budget),
            limit_unit="USD",
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=100,
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=[self.args.email],
                )
                for kind in ("ACTUAL", "FORECASTED")
            ],
            tags=TAGS,
            opts=self.child,
        )
