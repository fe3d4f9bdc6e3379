"""Snapshots of the disk by a schedule of Compute Engine's; backups of the share by a small job."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from config import Keep, Schedule
from contract import NAME, TAGS
from kit.gcp.region import region, zone
from kit.gcp.storage import SHARE


@dataclass(frozen=True)
class DiskSnapshotsArgs:
    """The disk, when, and how many days to keep."""

    project: pulumi.Output[str]
    disk_name: pulumi.Output[str]
    schedule: Schedule
    keep: Keep


class DiskSnapshots(pulumi.ComponentResource):
    """A daily snapshot. It stays when the disk is deleted."""

    def __init__(self, name: str, args: DiskSnapshotsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:DiskSnapshots", name, opts=opts)
        compute = gcp.compute
        policy = compute.ResourcePolicy(
            "snapshots",
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
                snapshot_properties=compute.ResourcePolicySnapshotSchedulePolicySnapshotPropertiesArgs(labels=TAGS),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        compute.DiskResourcePolicyAttachment(
            "snapshots",
            project=args.project,
            zone=zone(),
            disk=args.disk_name,
            name=policy.name,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def days(keep: Keep) -> int:
    """How many daily snapshots stay: one schedule has one age, so the daily count is the one that counts."""
    return max(keep.daily, keep.last, 1)


@dataclass(frozen=True)
class FilestoreBackupsArgs:
    """The share's instance, when, and how many to keep."""

    project: pulumi.Output[str]
    instance: pulumi.Output[str]
    docker_hub: pulumi.Output[str]
    schedule: Schedule
    keep: Keep


class FilestoreBackups(pulumi.ComponentResource):
    """Filestore has no schedule of its own: a job makes each backup and deletes those past their count."""

    def __init__(self, name: str, args: FilestoreBackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:FilestoreBackups", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account("backups", project=args.project, account_id=f"{NAME}-backups", opts=child)
        gcp.projects.IAMMember(
            "backups", project=args.project, role="roles/file.editor", member=account.member, opts=child
        )
        job = self.job(args, account.email)
        gcp.cloudrunv2.JobIamMember(
            "start",
            project=args.project,
            location=region(),
            name=job.name,
            role="roles/run.invoker",
            member=account.member,
            opts=child,
        )
        gcp.cloudscheduler.Job(
            "backups",
            project=args.project,
            region=region(),
            schedule=args.schedule.cron,
            time_zone="Etc/UTC",
            http_target=gcp.cloudscheduler.JobHttpTargetArgs(
                http_method="POST",
                uri=pulumi.Output.concat("https://run.googleapis.com/v2/", job.id, ":run"),
                oauth_token=gcp.cloudscheduler.JobHttpTargetOauthTokenArgs(service_account_email=account.email),
            ),
            opts=child,
        )
        self.register_outputs({})

    def job(self, args: FilestoreBackupsArgs, account: pulumi.Input[str]) -> gcp.cloudrunv2.Job:
        """Google's own command line in a container."""
        run = gcp.cloudrunv2
        hub = args.docker_hub.apply(lambda prefix: prefix.removesuffix("library/"))
        return run.Job(
            "backups",
            project=args.project,
            location=region(),
            deletion_protection=False,
            template=run.JobTemplateArgs(
                template=run.JobTemplateTemplateArgs(
                    service_account=account,
                    max_retries=1,
                    timeout="3600s",
                    containers=[
                        run.JobTemplateTemplateContainerArgs(
                            image=pulumi.Output.concat(hub, "google/cloud-sdk:alpine"),
                            commands=[
                                "bash",
                                "-c",
                                args.instance.apply(lambda instance: script(instance, days(args.keep))),
                            ],
                        )
                    ],
                )
            ),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )


def script(instance: str, count: int) -> str:
    """Makes one backup, then deletes all but the newest `count` of this instance's."""
    labels = ",".join(f"{key}={value}" for key, value in TAGS.items())
    return f"""set -euo pipefail
gcloud filestore backups create "{NAME}-$(date -u +%Y%m%d-%H%M%S)" --region={region()} \\
  --instance={instance} --instance-zone={zone()} --file-share={SHARE} --labels={labels}
gcloud filestore backups list --regions={region()} --filter="labels.app={NAME} AND state=READY" \\
  --sort-by=~createTime --format="value(name.basename())" | tail -n +{count + 1} \\
  | while read -r old; do gcloud filestore backups delete "$old" --region={region()} --quiet; done
"""
