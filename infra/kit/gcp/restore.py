"""A snapshot's database into its place: what the VM runs when a person asks for it."""

from contract import GID, NAME, UID

# The name under which a person attaches the disk that was made from a snapshot.
DEVICE = "restored"


def script(image: str, directory: str, source: str) -> str:
    """Takes the database from the disk google-restored, checks a copy of it, and puts it where the app's lies.

    The app is away only while the files change places. The old database stays beside, in a folder of its own.
    """
    return f"""set -eu
device=/dev/disk/by-id/google-{DEVICE}
from=/mnt/disks/{DEVICE}
copy={directory}/{DEVICE}
before={directory}/before-$(date -u +%Y%m%d-%H%M%S)
[ -e "$device" ] || {{ echo "No disk is attached with --device-name={DEVICE}."; exit 1; }}
mkdir -p "$from"
mount "$device" "$from"
trap 'umount "$from"' EXIT
[ -f "$from/{source}/task_manager.db" ] || {{ echo "There is no {source}/task_manager.db on that disk."; exit 1; }}
rm -rf "$copy"
mkdir "$copy"
cp "$from/{source}"/task_manager.db "$copy"/
[ ! -f "$from/{source}"/task_manager.db-wal ] || cp "$from/{source}"/task_manager.db-wal "$copy"/
chown -R {UID}:{GID} "$copy"
status=0
docker run --rm --network none --user {UID}:{GID} --read-only --cap-drop ALL --security-opt no-new-privileges \\
  --tmpfs /tmp --mount "type=bind,source=$copy,target=/copy" {image} \\
  task-assist verify --fold /copy/task_manager.db || status=$?
# 3 is what a database without a manifest gets, and a snapshot's has none.
[ "$status" = 0 ] || [ "$status" = 3 ] || {{ echo "That copy is not good; nothing was changed. See $copy."; exit 1; }}
systemctl stop {NAME}.service
mkdir "$before"
for file in {directory}/task_manager.db*; do [ ! -e "$file" ] || mv "$file" "$before"/; done
mv "$copy"/task_manager.db {directory}/
rm -rf "$copy"
chown {UID}:{GID} "$before"
systemctl start {NAME}.service
echo "The database of the snapshot is in its place. What was there before is in $before."
"""
