"""How Google sees what the alarms wait for: PromQL expressions, and filters of its logs."""

from dataclasses import dataclass

import pulumi

from contract import stem
from kit.gcp.backup import DONE

# cloud.google.com/monitoring/promql/promql-mapping: the first "/" of a metric is ":", all else "_".
DISK = "compute_googleapis_com:guest_disk_bytes_used"
SHARE_USED = "file_googleapis_com:nfs_server_used_bytes"
SHARE_FREE = "file_googleapis_com:nfs_server_free_bytes"


@dataclass(frozen=True)
class Backup:
    """The log lines that say that a backup was made, and the kind of resource that they come from."""

    filter: pulumi.Input[str]
    resource: str


def disk_percent(instance_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """How full the VM's data disk is. Node Problem Detector reports each disk's used and free bytes by `state`.

    The data disk is the one that is mounted with noatime (cloud_init.py): its device's name differs by machine type.
    """
    return instance_id.apply(
        lambda id_: percent(
            f"sum({DISK}{{{of_disk(id_)},state='used'}})",
            f"sum({DISK}{{{of_disk(id_)},state='free'}})",
        )
    )


def of_disk(instance_id: str) -> str:
    return f"monitored_resource='gce_instance',instance_id='{instance_id}',mount_option=~'.*noatime.*'"


def share_percent(instance: pulumi.Output[str]) -> pulumi.Output[str]:
    """How full the Filestore share is."""
    return instance.apply(
        lambda name: percent(
            f"sum({SHARE_USED}{{instance_name='{name}'}})", f"sum({SHARE_FREE}{{instance_name='{name}'}})"
        )
    )


def percent(used: str, free: str) -> str:
    return f"100 * {used} / ({used} + {free})"


def disk_snapshot(disk: pulumi.Output[str]) -> Backup:
    """Compute Engine writes each scheduled snapshot into the audit log of system events."""
    made = disk.apply(
        lambda name: (
            'resource.type="gce_disk" AND log_id("cloudaudit.googleapis.com/system_event")'
            ' AND protoPayload.methodName="ScheduledSnapshots"'
            ' AND protoPayload.response.operationType="createSnapshot" AND protoPayload.response.status="DONE"'
            f' AND protoPayload.response.targetLink=~"/disks/{name}$"'
        )
    )
    return Backup(made, "gce_disk")


def share_backup() -> Backup:
    """The job says so itself."""
    job = f'resource.type="cloud_run_job" AND resource.labels.job_name="{stem()}-backups"'
    return Backup(f'{job} AND textPayload:"{DONE}"', "cloud_run_job")


def failed_job() -> str:
    """The filter of failed runs: of the job that makes backups, or of the one that renews the VM's system."""
    return (
        'metric.type="run.googleapis.com/job/completed_execution_count" AND resource.type="cloud_run_job"'
        ' AND metric.label.result="failed"'
        f' AND resource.label.job_name=monitoring.regex.full_match("{stem()}-(backups|renewal)")'
    )


def missed_checks(check: pulumi.Output[str]) -> pulumi.Output[str]:
    """The filter of an uptime check's results."""
    return pulumi.Output.concat(
        'metric.type="monitoring.googleapis.com/uptime_check/check_passed" AND resource.type="uptime_url"'
        ' AND metric.label.check_id="',
        check,
        '"',
    )
