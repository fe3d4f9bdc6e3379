"""Snapshots of the disk by a schedule of Compute Engine's; backups of the share by a small job."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from config import Keep, Schedule
from contract import TAGS, stem
from kit.gcp import backup
from kit.gcp.identity import Account
from kit.gcp.job import JobArgs, ScheduledJob
from kit.gcp.region import region, zone


@dataclass(frozen=True)
class DiskSnapshotsArgs:
    """The disk, when, how many days to keep, and where: a region, `eu`, `us`, `asia`, or empty for Google's choice."""

    project: pulumi.Output[str]
    disk_name: pulumi.Output[str]
    schedule: Schedule
    keep: Keep
    location: str


class DiskSnapshots(pulumi.ComponentResource):
    """A daily snapshot. It stays when the disk, or the schedule, is deleted."""

    def __init__(self, name: str, args: DiskSnapshotsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(aliases=[pulumi.Alias(name="backups")]), opts)
        super().__init__("task-assist:gcp:DiskSnapshots", name, opts=opts)
        policy = self.policy(name, args)
        gcp.compute.DiskResourcePolicyAttachment(
            f"{name}-attachment",
            project=args.project,
            zone=zone(),
            disk=args.disk_name,
            name=policy.name,
            # A disk has one schedule: the old one goes before the new one comes.
            opts=pulumi.ResourceOptions(
                parent=self, delete_before_replace=True, aliases=[pulumi.Alias(name="snapshots")]
            ),
        )
        self.register_outputs({"policy": policy.name})

    def policy(self, name: str, args: DiskSnapshotsArgs) -> "gcp.compute.ResourcePolicy":
        compute = gcp.compute
        return compute.ResourcePolicy(
            f"{name}-policy",
            name=f"{stem()}-snapshots",
            project=args.project,
            region=region(),
            snapshot_schedule_policy=compute.ResourcePolicySnapshotSchedulePolicyArgs(
                schedule=compute.ResourcePolicySnapshotSchedulePolicyScheduleArgs(
                    daily_schedule=compute.ResourcePolicySnapshotSchedulePolicyScheduleDailyScheduleArgs(
                        # Whole hours are all there is.
                        days_in_cycle=1,
                        start_time=f"{args.schedule.hour:02}:00",
                    )
                ),
                retention_policy=compute.ResourcePolicySnapshotSchedulePolicyRetentionPolicyArgs(
                    max_retention_days=days(args.keep), on_source_disk_delete="KEEP_AUTO_SNAPSHOTS"
                ),
                snapshot_properties=compute.ResourcePolicySnapshotSchedulePolicySnapshotPropertiesArgs(
                    labels=TAGS, storage_locations=args.location or None
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                ignore_changes=["name"],
                aliases=[pulumi.Alias(name="snapshots")],
            ),
        )


def days(keep: Keep) -> int:
    """How many daily snapshots stay: one schedule has one age, so the daily count is the one that counts."""
    return max(keep.daily, keep.last, 1)


@dataclass(frozen=True)
class FilestoreBackupsArgs:
    """The instance and its share, when, how many to keep, and a second region, or empty."""

    project: pulumi.Output[str]
    instance: pulumi.Output[str]
    share: pulumi.Output[str]
    account: Account
    schedule: Schedule
    keep: Keep
    copy: str


class FilestoreBackups(pulumi.ComponentResource):
    """Filestore has no schedule of its own: a job makes each backup and deletes those past their count."""

    def __init__(self, name: str, args: FilestoreBackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(aliases=[pulumi.Alias(name="backups")]), opts)
        super().__init__("task-assist:gcp:FilestoreBackups", name, opts=opts)
        regions = [region(), *([args.copy] if args.copy else [])]
        text = pulumi.Output.all(args.instance, args.share).apply(
            lambda known: backup.script(known[0], known[1], days(args.keep), regions)
        )
        ScheduledJob(
            "backups",
            JobArgs(args.project, text, args.schedule.cron, args.account, seconds=backup.SECONDS),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
