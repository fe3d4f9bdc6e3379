"""The VM's first boot: units that mount the disk, run the app on it, and (with a domain) run Caddy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from contract import GID, MOUNT_PATH, NAME, PORT, STOP_SECONDS, UID
from kit.gcp import container, restore
from kit.gcp.container import Container, docker_run

# The disk's name inside the VM: /dev/disk/by-id/google-data.
DEVICE = "data"
MOUNT = "/mnt/disks/data"
MOUNT_UNIT = "mnt-disks-data.mount"
DIRECTORY = f"{MOUNT}/task-manager-data"
ENVIRONMENT = "/run/task-assist/environment"
# Caddy and the app meet here. The host's own network is closed: COS's firewall admits nothing but SSH to it, and what
# Docker publishes goes past it (cloud.google.com/container-optimized-os/docs/how-to/firewall).
NETWORK = NAME


@dataclass(frozen=True)
class Machine:
    """What the units need to know. `caddyfile` is None where the VM is reached through a proxy elsewhere.

    `secrets` are the versions' full names in Secret Manager, by the setting's name.
    """

    image: str
    registry_host: str
    secrets: Mapping[str, str]
    caddy_image: str
    environment: Mapping[str, str]
    caddyfile: str | None


def app(machine: Machine) -> Container:
    """The app. Its port is published only where no Caddy on this VM stands in front."""
    return Container(
        name=NAME,
        image=machine.image,
        environment=machine.environment,
        env_file=ENVIRONMENT,
        mounts={MOUNT_PATH: DIRECTORY},
        user=f"{UID}:{GID}",
        tmpfs=["/tmp:mode=1777"],  # noqa: S108  # inside the container
        ports=[] if machine.caddyfile else [f"{PORT}:{PORT}"],
        network=NETWORK if machine.caddyfile else None,
    )


def proxy(machine: Machine) -> Container:
    """Caddy, with its certificates on the data disk."""
    return Container(
        name="caddy",
        image=machine.caddy_image,
        mounts={"/etc/caddy/Caddyfile": "/etc/task-assist/Caddyfile", "/data": f"{MOUNT}/caddy"},
        read_only=["/etc/caddy/Caddyfile"],
        tmpfs=["/config"],
        ports=["80:80", "443:443", "443:443/udp"],
        network=NETWORK,
        # The binary asks for it, and isn't started without.
        capabilities=["NET_BIND_SERVICE"],
    )


def containers(machine: Machine) -> list[Container]:
    return [app(machine), *([proxy(machine)] if machine.caddyfile else [])]


def metadata(machine: Machine) -> dict[str, str]:
    """The VM's metadata: what its first boot does, and the same containers once more as a policy reads them."""
    described = [container.described(one, {MOUNT: DEVICE}) for one in containers(machine)]
    return {
        "user-data": user_data(machine),
        container.KEY: json.dumps(described),
        "google-logging-enabled": "true",
        # Node Problem Detector, which reports how full the disks are:
        # cloud.google.com/container-optimized-os/docs/how-to/monitoring
        "google-monitoring-enabled": "true",
        "enable-oslogin": "TRUE",
    }


def user_data(machine: Machine) -> str:
    """A cloud-config document. JSON is YAML, so nothing needs quoting twice."""
    files = {
        "/etc/systemd/system/format-data.service": FORMAT_UNIT,
        f"/etc/systemd/system/{MOUNT_UNIT}": MOUNT_UNIT_TEXT,
        f"/etc/systemd/system/{NAME}.service": app_unit(machine),
        "/etc/task-assist/format": FORMAT,
        "/etc/task-assist/prepare": prepare(machine),
        "/etc/task-assist/restore": restore.script(machine.image, DIRECTORY, DIRECTORY.rpartition("/")[2]),
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
{network(machine)}ExecStartPre=-/usr/bin/docker rm --force {NAME}
ExecStart={docker_run(app(machine))}
ExecStop=/usr/bin/docker stop -t {STOP_SECONDS} {NAME}
TimeoutStartSec=600
TimeoutStopSec={STOP_SECONDS + 30}
Restart=always
RestartSec=5
"""


def network(machine: Machine) -> str:
    """The line that makes the network; where it is there already, that is well too."""
    return f"ExecStartPre=-/usr/bin/docker network create {NETWORK}\n" if machine.caddyfile else ""


def prepare(machine: Machine) -> str:
    """Before each start: the disk is there, the directory is the app's, the registry and the secrets can be read."""
    plain = "\n".join(f"{key}={value}" for key, value in sorted(machine.environment.items()))
    secrets = "\n".join(f"secret {name} {version}" for name, version in machine.secrets.items())
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
umask 077
cat > {ENVIRONMENT} <<'END'
{plain}
END
secret() {{
  value=$(printf 'header = "Authorization: Bearer %s"' "$token" \\
    | ask --config - "https://secretmanager.googleapis.com/v1/$2:access" \\
    | sed -n 's/.*"data": *"\\([^"]*\\)".*/\\1/p' | base64 -d)
  [ -n "$value" ] || {{ echo "Can't read $1 from Secret Manager."; exit 1; }}
  printf '%s=%s\\n' "$1" "$value" >> {ENVIRONMENT}
}}
{secrets}
"""


def caddy_unit(machine: Machine) -> str:
    """Caddy on ports 80 and 443."""
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
ExecStartPre=/bin/mkdir -p {MOUNT}/caddy
{network(machine)}ExecStartPre=-/usr/bin/docker rm --force caddy
ExecStart={docker_run(proxy(machine))}
ExecStop=/usr/bin/docker stop -t 10 caddy
TimeoutStartSec=600
Restart=always
RestartSec=5
"""
