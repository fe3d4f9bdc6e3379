"""Azure Backup: daily snapshots of the share, kept as the config says."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import recoveryservices as recovery

from config import Keep, Schedule
from contract import TAGS, Kept, stem

FABRIC = "Azure"


@dataclass(frozen=True)
class SnapshotsArgs:
    """The share, when to make snapshots (None: no more of them), how many stay, and whether the vault gets a copy."""

    group: pulumi.Output[str]
    account_name: pulumi.Output[str]
    account_id: pulumi.Output[str]
    share_name: pulumi.Output[str]
    schedule: Schedule | None
    keep: Keep
    copy: bool


class Snapshots(pulumi.ComponentResource):
    """A vault, a policy, and the share put under it. All but the policy stay when no more snapshots are made."""

    vault_id: pulumi.Output[str]
    kept: list[Kept]

    def __init__(self, name: str, args: SnapshotsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        earlier = pulumi.Alias(type_="task-assist:azure:Backups", name="backups")
        super().__init__(
            "task-assist:azure:Snapshots",
            name,
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[earlier])),
        )
        vault = recovery.Vault(
            f"{name}-vault",
            vault_name=f"{stem()}-backups",
            resource_group_name=args.group,
            sku=recovery.SkuArgs(name=recovery.SkuName.STANDARD),
            properties=vault_properties(args.copy),
            tags=TAGS,
            opts=self.data("backups", "vaultName"),
        )
        container_name = self.account(f"{name}-account", args, vault.name)
        recovery.ProtectedItem(
            f"{name}-share",
            resource_group_name=args.group,
            vault_name=vault.name,
            fabric_name=FABRIC,
            container_name=container_name,
            # Azure names the item by a hash. The provider looks it up by the share's plain name among what the
            # container could protect, and once more after 30 s (pulumi-azure-native#1420); so the share must be there.
            protected_item_name=args.share_name,
            properties=protection(args.account_id, self.policy(name, args, vault.name)),
            opts=self.data("share", "containerName", "protectedItemName"),
        )
        self.vault_id = vault.id
        self.kept = [
            Kept(pulumi.Output.concat("backup vault ", vault.name), "protected with its snapshots, billed by size")
        ]
        self.register_outputs({"vault_id": self.vault_id})

    def account(self, name: str, args: SnapshotsArgs, vault_name: pulumi.Output[str]) -> pulumi.Output[str]:
        """Makes the storage account known to the vault, and answers the name that it has there."""
        return recovery.ProtectionContainer(
            name,
            resource_group_name=args.group,
            vault_name=vault_name,
            fabric_name=FABRIC,
            container_name=pulumi.Output.concat("storagecontainer;Storage;", args.group, ";", args.account_name),
            properties=recovery.AzureStorageContainerArgs(
                container_type="StorageContainer",
                backup_management_type=recovery.BackupManagementType.AZURE_STORAGE,
                source_resource_id=args.account_id,
            ),
            opts=self.data("account", "containerName"),
        ).name

    def policy(self, name: str, args: SnapshotsArgs, vault_name: pulumi.Output[str]) -> pulumi.Output[str] | None:
        """The ID of the policy that says when and how long, or None."""
        if not args.schedule:
            return None
        return recovery.ProtectionPolicy(
            f"{name}-policy",
            resource_group_name=args.group,
            vault_name=vault_name,
            policy_name="daily",
            properties=daily(args.schedule, args.keep, args.copy),
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="daily")]),
        ).id

    def data(self, earlier: str, *names: str) -> pulumi.ResourceOptions:
        """Options of what holds snapshots, or takes them along when it is deleted. As in storage.py."""
        return pulumi.ResourceOptions(
            parent=self, protect=True, ignore_changes=list(names), aliases=[pulumi.Alias(name=earlier)]
        )


def vault_properties(copy: bool) -> recovery.VaultPropertiesArgs:
    """Azure's own soft delete (14 days) stays on. No immutability: it would refuse a smaller backupKeep for good."""
    geo = recovery.VaultPropertiesRedundancySettingsArgs(
        # Azure's default for a vault; written down, because it can't be changed once the vault holds a copy.
        standard_tier_storage_redundancy=recovery.StandardTierStorageRedundancy.GEO_REDUNDANT
    )
    failures = recovery.AzureMonitorAlertSettingsArgs(alerts_for_all_job_failures=recovery.AlertsState.ENABLED)
    return recovery.VaultPropertiesArgs(
        public_network_access=recovery.PublicNetworkAccess.ENABLED,
        monitoring_settings=recovery.MonitoringSettingsArgs(azure_monitor_alert_settings=failures),
        redundancy_settings=geo if copy else None,
    )


def protection(
    account_id: pulumi.Input[str], policy_id: pulumi.Output[str] | None
) -> recovery.AzureFileshareProtectedItemArgs:
    """Under a policy; or stopped, with every snapshot kept, in the words of `az backup protection disable`."""
    stopped = None if policy_id else recovery.ProtectionState.PROTECTION_STOPPED
    return recovery.AzureFileshareProtectedItemArgs(
        protected_item_type="AzureFileShareProtectedItem",
        policy_id=policy_id or "",
        protection_state=stopped,
        source_resource_id=account_id,
    )


def daily(schedule: Schedule, keep: Keep, copy: bool) -> recovery.AzureFileShareProtectionPolicyArgs:
    """One snapshot a day. Azure takes times on the half hour only."""
    at = [f"2026-01-01T{schedule.hour:02}:{'30' if schedule.minute >= 30 else '00'}:00Z"]
    kept = retention(at, keep)
    return recovery.AzureFileShareProtectionPolicyArgs(
        backup_management_type="AzureStorage",
        work_load_type=recovery.WorkloadType.AZURE_FILE_SHARE,
        time_zone="UTC",
        schedule_policy=recovery.SimpleSchedulePolicyArgs(
            schedule_policy_type="SimpleSchedulePolicy",
            schedule_run_frequency=recovery.ScheduleRunType.DAILY,
            schedule_run_times=at,
        ),
        # Without a copy the snapshots lie in the share's own account. With one, that account keeps the last days only.
        retention_policy=None if copy else kept,
        vault_retention_policy=recovery.VaultRetentionPolicyArgs(
            snapshot_retention_in_days=days(keep), vault_retention=kept
        )
        if copy
        else None,
    )


def days(keep: Keep) -> int:
    """Azure keeps at least one daily snapshot."""
    return max(keep.daily, keep.last, 1)


def retention(at: list[str], keep: Keep) -> recovery.LongTermRetentionPolicyArgs:
    """How long the daily snapshots stay, the Sundays' and those of each month's first Sunday."""

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
    return recovery.LongTermRetentionPolicyArgs(
        retention_policy_type="LongTermRetentionPolicy",
        daily_schedule=recovery.DailyRetentionScheduleArgs(
            retention_times=at, retention_duration=of(days(keep), recovery.RetentionDurationType.DAYS)
        ),
        weekly_schedule=weekly if keep.weekly else None,
        monthly_schedule=monthly if keep.monthly else None,
    )
