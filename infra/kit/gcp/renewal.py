"""The VM's system is made anew each week: Container-Optimized OS gets its fixes as whole images.

Since milestone 117 it doesn't update itself unless told to, and then only onto a second partition that waits for a
restart: cloud.google.com/container-optimized-os/docs/concepts/auto-update. So a job swaps the boot disk for one of the
newest image: cloud.google.com/compute/docs/disks/detach-reattach-boot-disk. Nothing of the stack is on that disk.
"""

from contract import TAGS
from kit.gcp.region import zone

# Sundays, 04:30 UTC.
CRON = "30 4 * * 0"
SECONDS = 1800


def script(vm: str, family: str) -> str:
    """Swaps the boot disk, if there is a newer image; if that fails, the VM runs again with the old one.

    The VM stops as at a redeploy: systemd ends the app, which closes the database. The data disk stays attached, and is
    never the one that is taken for the old system and deleted: Compute Engine says of each disk whether it boots from
    it, and a VM that has lost its boot disk to a run that was cut off is for a person to look at.
    """
    here = f"--zone={zone()}"
    labels = ",".join(f"{key}={value}" for key, value in TAGS.items())
    return f"""set -euo pipefail
newest=$(gcloud compute images describe-from-family {family} --project=cos-cloud --format='value(name)')
old=$(gcloud compute instances describe {vm} {here} --flatten='disks[]' \\
  --format='csv[no-heading](disks.boot,disks.source.basename())' | sed -n 's/^[Tt]rue,//p')
if [ -z "$old" ]; then
  echo "{vm} has no boot disk: an earlier run was cut off. Give it the newest of: gcloud compute disks list"
  echo "gcloud compute instances attach-disk {vm} {here} --boot --device-name=persistent-disk-0 --disk=DISK"
  echo "gcloud compute instances start {vm} {here}"
  exit 1
fi
runs=$(gcloud compute disks describe "$old" {here} --format='value(sourceImage.basename())')
type=$(gcloud compute disks describe "$old" {here} --format='value(type.basename())')
if [ "$runs" = "$newest" ]; then echo "The system is the newest there is: $runs"; exit 0; fi
new={vm}-$(date -u +%Y%m%d-%H%M%S)
gcloud compute disks create "$new" {here} --image="$newest" --image-project=cos-cloud --size=10GB --type="$type" \\
  --labels={labels}
boot() {{
  gcloud compute instances attach-disk {vm} {here} --disk="$1" --boot --device-name=persistent-disk-0 \\
    && gcloud compute instances set-disk-auto-delete {vm} {here} --disk="$1" --auto-delete \\
    && gcloud compute instances start {vm} {here}
}}
detach() {{ gcloud compute instances detach-disk {vm} {here} --disk="$1"; }}
if gcloud compute instances stop {vm} {here} && detach "$old" && boot "$new"; then
  echo "The system was $runs and is $newest."
  gcloud compute disks delete "$old" {here} --quiet
else
  echo "That failed: the VM goes on with $runs. The disk $new may be deleted."
  detach "$new" || true
  boot "$old" || gcloud compute instances start {vm} {here} || true
  exit 1
fi
"""
