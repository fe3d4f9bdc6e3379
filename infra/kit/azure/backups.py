"""Azure Backup: daily snapshots of the share, kept as the config says."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import recoveryservices as recovery

from config import Keep, Schedule
from contract import TAGS, Kept

FABRIC = "Azure"


@dataclass(frozen=True)
class BackupsArgs:
    """The share to back up, when, and how many to keep."""

    group: pulumi.Output[str]
    account_name: pulumi.Output[str]
    account_id: pulumi.Output[str]
    share_name: pulumi.Output[str]
    schedule: Schedule
    keep: Keep


class Backups(pulumi.ComponentResource):
    """A vault, a policy, and the share put under it."""

    kept: list[Kept]

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Backups", name, opts=opts)
        # These three hold the snapshots: deleting one deletes them.
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        vault = recovery.Vault(
            "backups",
            resource_group_name=args.group,
            sku=recovery.SkuArgs(name=recovery.SkuName.STANDARD),
            properties=recovery.VaultPropertiesArgs(public_network_access=recovery.PublicNetworkAccess.ENABLED),
            tags=TAGS,
            opts=kept,
        )
        policy = recovery.ProtectionPolicy(
            "daily",
            resource_group_name=args.group,
            vault_name=vault.name,
            policy_name="daily",
            properties=daily(args.schedule, args.keep),
            opts=pulumi.ResourceOptions(parent=self),
        )
        container_name = pulumi.Output.concat("storagecontainer;Storage;", args.group, ";", args.account_name)
        container = recovery.ProtectionContainer(
            "account",
            resource_group_name=args.group,
            vault_name=vault.name,
            fabric_name=FABRIC,
            container_name=container_name,
            properties=recovery.AzureStorageContainerArgs(
                container_type="StorageContainer",
                backup_management_type=recovery.BackupManagementType.AZURE_STORAGE,
                source_resource_id=args.account_id,
            ),
            opts=kept,
        )
        recovery.ProtectedItem(
            "share",
            resource_group_name=args.group,
            vault_name=vault.name,
            fabric_name=FABRIC,
            container_name=container_name,
            protected_item_name=pulumi.Output.concat("AzureFileShare;", args.share_name),
            properties=recovery.AzureFileshareProtectedItemArgs(
                protected_item_type="AzureFileShareProtectedItem",
                policy_id=policy.id,
                source_resource_id=args.account_id,
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=[container]),
        )
        self.kept = [
            Kept(pulumi.Output.concat("backup vault ", vault.name), "protected with its snapshots, billed by size")
        ]
        self.register_outputs({})


def daily(schedule: Schedule, keep: Keep) -> recovery.AzureFileShareProtectionPolicyArgs:
    """One snapshot a day. Azure takes times on the half hour only, and keeps at least one daily snapshot."""
    at = [f"2026-01-01T{schedule.hour:02}:{'30' if schedule.minute >= 30 else '00'}:00Z"]

    def of(count: int, unit: recovery.RetentionDurationType) -> recovery.RetentionDurationArgs:
        return recovery.RetentionDurationArgs(count=count, duration_type=unit)

    sunday = [recovery.DayOfWeek.SUNDAY]
    weekly = recovery.WeeklyRetentionScheduleArgs(
        days_of_the_week=sunday,
        retention_times=at,
        retention_duration=of(keep.weekly, recovery.RetentionDurationType.WEEKS),
    )
    monthly = recovery.MonthlyRetentionScheduleArgs(
        retention_schedule_format_type=recovery.RetentionScheduleFormat.WEEKLY,
        retention_schedule_weekly=recovery.WeeklyRetentionFormatArgs(
            days_of_the_week=sunday, weeks_of_the_month=[recovery.WeekOfMonth.FIRST]
        ),
        retention_times=at,
        retention_duration=of(keep.monthly, recovery.RetentionDurationType.MONTHS),
    )
    return recovery.AzureFileShareProtectionPolicyArgs(
        backup_management_type="AzureStorage",
        work_load_type=recovery.WorkloadType.AZURE_FILE_SHARE,
        time_zone="UTC",
        schedule_policy=recovery.SimpleSchedulePolicyArgs(
            schedule_policy_type="SimpleSchedulePolicy",
            schedule_run_frequency=recovery.ScheduleRunType.DAILY,
            schedule_run_times=at,
        ),
        retention_policy=recovery.LongTermRetentionPolicyArgs(
            retention_policy_type="LongTermRetentionPolicy",
            daily_schedule=recovery.DailyRetentionScheduleArgs(
                retention_times=at,
                retention_duration=of(max(keep.daily, keep.last, 1), recovery.RetentionDurationType.DAYS),
            ),
            weekly_schedule=weekly if keep.weekly else None,
            monthly_schedule=monthly if keep.monthly else None,
        ),
    )
