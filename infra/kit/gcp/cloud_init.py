"""The VM's first boot: three units that mount the disk, run the app on it, and (with a domain) run Caddy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from contract import GID, MOUNT_PATH, NAME, PASSWORD_VARIABLE, PORT, STOP_SECONDS, UID

# The disk's name inside the VM: /dev/disk/by-id/google-data.
DEVICE = "data"
MOUNT = "/mnt/disks/data"
MOUNT_UNIT = "mnt-disks-data.mount"
DIRECTORY = f"{MOUNT}/task-manager-data"


@dataclass(frozen=True)
class Machine:
    """What the units need to know. `caddyfile` is None where the VM is reached through a proxy elsewhere."""

    image: str
    registry_host: str
    secret_version: str
    caddy_image: str
    environment: Mapping[str, str]
    caddyfile: str | None


def user_data(machine: Machine) -> str:
    """A cloud-config document. JSON is YAML, so nothing needs quoting twice."""
    files = {
        "/etc/systemd/system/format-data.service": FORMAT_UNIT,
        f"/etc/systemd/system/{MOUNT_UNIT}": MOUNT_UNIT_TEXT,
        f"/etc/systemd/system/{NAME}.service": app_unit(machine),
        "/etc/task-assist/format": FORMAT,
        "/etc/task-assist/prepare": prepare(machine),
    }
    units = [f"{NAME}.service"]
    if machine.caddyfile:
        files["/etc/task-assist/Caddyfile"] = machine.caddyfile
        files["/etc/systemd/system/caddy.service"] = caddy_unit(machine)
        units.append("caddy.service")
    document = {
        "write_files": [{"path": path, "permissions": "0644", "content": content} for path, content in files.items()],
        "runcmd": [["systemctl", "daemon-reload"], ["systemctl", "start", "--no-block", *units]],
    }
    return "#cloud-config\n" + json.dumps(document, indent=1)


# `blkid` answers 2 only when the device is readable and there is nothing on it. Any other failure must not format.
FORMAT = f"""set -eu
device=/dev/disk/by-id/google-{DEVICE}
for _ in $(seq 30); do [ -e "$device" ] && break; sleep 1; done
[ -e "$device" ] || {{ echo "No disk is attached as google-{DEVICE}: the app does not start."; exit 1; }}
status=0
blkid -p "$device" || status=$?
if [ "$status" = 2 ]; then
  echo "The disk is blank: formatting it."
  mkfs.ext4 -q -m 0 "$device"
elif [ "$status" != 0 ]; then
  echo "Can't read $device (blkid answers $status); nothing was changed."
  exit 1
fi
mkdir -p {MOUNT}
"""

FORMAT_UNIT = """[Unit]
Description=Format the data disk if it is blank
# Mounts come before what services wait for by default, so waiting for that here would be a circle.
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash /etc/task-assist/format
"""

MOUNT_UNIT_TEXT = f"""[Unit]
Description=The data disk
Requires=format-data.service
After=format-data.service

[Mount]
What=/dev/disk/by-id/google-{DEVICE}
Where={MOUNT}
Type=ext4
Options=noatime,discard
"""


def app_unit(machine: Machine) -> str:
    """The app. It starts only on the mounted disk, and stops with it."""
    return f"""[Unit]
Description=Task Assist
Requires=docker.service
BindsTo={MOUNT_UNIT}
After=docker.service network-online.target {MOUNT_UNIT}
Wants=network-online.target

[Service]
Environment=HOME=/run/task-assist
RuntimeDirectory=task-assist
RuntimeDirectoryMode=0700
ExecStartPre=/bin/bash /etc/task-assist/prepare
ExecStartPre=-/usr/bin/docker rm --force {NAME}
ExecStart=/usr/bin/docker run --rm --name {NAME} --env-file /run/task-assist/environment \\
  --publish {PORT}:{PORT} --user {UID}:{GID} --read-only --tmpfs /tmp:mode=1777 --cap-drop ALL \\
  --security-opt no-new-privileges --mount type=bind,source={DIRECTORY},target={MOUNT_PATH} \\
  {machine.image}
ExecStop=/usr/bin/docker stop --time {STOP_SECONDS} {NAME}
TimeoutStartSec=600
TimeoutStopSec={STOP_SECONDS + 30}
Restart=always
RestartSec=5
"""


def prepare(machine: Machine) -> str:
    """Before each start: the disk is there, the directory is the app's, the registry and the secret can be read."""
    plain = "\n".join(f"{key}={value}" for key, value in sorted(machine.environment.items()))
    return f"""set -eu
mountpoint -q {MOUNT} || {{ echo "No disk is mounted at {MOUNT}: the app does not start."; exit 1; }}
mkdir -p {DIRECTORY}
chown {UID}:{GID} {DIRECTORY}
chmod 750 {DIRECTORY}
docker-credential-gcr configure-docker --registries={machine.registry_host}
ask() {{ curl -fsS --retry 5 --retry-connrefused "$@"; }}
token=$(ask -H 'Metadata-Flavor: Google' \\
  http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token \\
  | sed -n 's/.*"access_token": *"\\([^"]*\\)".*/\\1/p')
password=$(printf 'header = "Authorization: Bearer %s"' "$token" \\
  | ask --config - https://secretmanager.googleapis.com/v1/{machine.secret_version}:access \\
  | sed -n 's/.*"data": *"\\([^"]*\\)".*/\\1/p' | base64 -d)
[ -n "$password" ] || {{ echo "Can't read the admin's password from Secret Manager."; exit 1; }}
umask 077
cat > /run/task-assist/environment <<'END'
{plain}
END
printf '%s=%s\n' {PASSWORD_VARIABLE} "$password" >> /run/task-assist/environment
"""


def caddy_unit(machine: Machine) -> str:
    """Caddy on the VM's own ports, with its certificates on the data disk."""
    return f"""[Unit]
Description=HTTPS for Task Assist
Requires=docker.service
BindsTo={MOUNT_UNIT}
After=docker.service {MOUNT_UNIT} {NAME}.service

[Service]
Environment=HOME=/run/caddy
RuntimeDirectory=caddy
RuntimeDirectoryMode=0700
ExecStartPre=/usr/bin/docker-credential-gcr configure-docker --registries={machine.registry_host}
ExecStartPre=-/usr/bin/docker rm --force caddy
ExecStart=/usr/bin/docker run --rm --name caddy --network host --cap-drop ALL --cap-add NET_BIND_SERVICE \\
  --security-opt no-new-privileges --add-host {NAME}:127.0.0.1 \\
  --volume /etc/task-assist/Caddyfile:/etc/caddy/Caddyfile:ro --volume {MOUNT}/caddy:/data \\
  {machine.caddy_image}
ExecStop=/usr/bin/docker stop --time 10 caddy
TimeoutStartSec=600
Restart=always
RestartSec=5
"""
