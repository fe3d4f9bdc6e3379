"""A backup of the Filestore share: what the job does each time."""

from contract import TAGS
from kit.gcp.region import zone

SECONDS = 7200
# What the alarm for a missing backup looks for in the log.
DONE = "Backup made:"
# Filestore makes one backup of an instance in ten minutes.
BETWEEN_SECONDS = 660


def script(instance: str, share: str, count: int, regions: list[str]) -> str:
    """Makes a backup in each region, and then deletes all but the newest `count` of this instance's there.

    A run that makes none deletes none, and what other instances have is never among them.
    """
    labels = ",".join(f"{key}={value}" for key, value in TAGS.items())
    between = f"\nsleep {BETWEEN_SECONDS}\n"
    return "set -euo pipefail\n" + between.join(in_one_region(instance, share, count, one, labels) for one in regions)


def in_one_region(instance: str, share: str, count: int, where: str, labels: str) -> str:
    # A backup names its source with the project's number, so the filter looks at the end.
    mine = f'sourceInstance~"/locations/{zone()}/instances/{instance}$" AND state=READY'
    return f"""gcloud filestore backups create "{instance}-$(date -u +%Y%m%d-%H%M%S)" --region={where} \\
  --instance={instance} --instance-zone={zone()} --file-share={share} --labels={labels}
echo "{DONE} {where}"
made=$(gcloud filestore backups list --region={where} --filter='{mine}' \\
  --sort-by=~createTime --format='value(name.basename())')
for old in $(tail -n +{count + 1} <<<"$made"); do
  gcloud filestore backups delete "$old" --region={where} --quiet
done
"""
