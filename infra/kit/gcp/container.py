"""A container of the VM: one description, from which come the unit's `docker run` and what the policies read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# The metadata key that has the description, as JSON. Google's own agents don't read it.
KEY = "containers"


@dataclass(frozen=True)
class Container:
    """`mounts` are directories and files of the VM by the path in the container; those in `read_only` can't be written.

    `environment` has the plain settings. `env_file` also has the secrets, and is made on the VM before each start.
    `ports` are published to wherever the network's firewall lets in.
    """

    name: str
    image: str
    mounts: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=lambda: {})
    env_file: str | None = None
    read_only: Sequence[str] = ()
    ports: Sequence[str] = ()
    network: str | None = None
    user: str | None = None
    capabilities: Sequence[str] = ()
    tmpfs: Sequence[str] = ()


def docker_run(container: Container) -> str:
    """The command, as a unit of systemd takes it: several lines, each but the last with a backslash."""
    lines = [
        f"/usr/bin/docker run --rm --name {container.name} --read-only --security-opt no-new-privileges --cap-drop ALL",
        *(f"--cap-add {name}" for name in container.capabilities),
        *([f"--user {container.user}"] if container.user else []),
        *([f"--env-file {container.env_file}"] if container.env_file else []),
        *([f"--network {container.network}"] if container.network else []),
        *(f"--publish {port}" for port in container.ports),
        *(f"--tmpfs {path}" for path in container.tmpfs),
        *(f"--mount {mount(container, target)}" for target in container.mounts),
        container.image,
    ]
    return " \\\n  ".join(lines)


def mount(container: Container, target: str) -> str:
    writable = "" if target not in container.read_only else ",readonly"
    return f"type=bind,source={container.mounts[target]},target={target}{writable}"


def described(container: Container, disks: Mapping[str, str]) -> dict[str, object]:
    """What a policy has to know. `disks` are devices by where the VM mounts them: such a mount names its disk."""
    return {
        "name": container.name,
        "image": container.image,
        "environment": dict(container.environment),
        "user": container.user or "",
        "ports": list(container.ports),
        "mounts": [
            {"target": target, "source": source, "disk": disk_of(source, disks)}
            for target, source in container.mounts.items()
        ],
    }


def disk_of(source: str, disks: Mapping[str, str]) -> str:
    return next((device for mounted, device in disks.items() if source.startswith(f"{mounted}/")), "")
