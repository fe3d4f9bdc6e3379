"""Where a container's database lies by its mounts: what would vanish with it is refused, and a second writer too."""

import json

from .engine import Container, Mount, docker
from .settings import folder_of
from .stop import Failed

HOW = (
    "Mount a volume there:  docker run -v task-manager-data:/app/data ...\n"
    'or in the Compose file:  volumes: ["task-manager-db:/app/data"]'
)


def refuse_what_vanishes(container: Container) -> Mount:
    """The mount that holds the database. Raises Failed where there is none that outlives the container."""
    path = container.database
    mount = container.mount_of(path)
    if mount is None:
        raise _unmounted(path, _others(container))
    if in_memory(mount):
        raise Failed(
            "in_memory", f"{path} is in memory (tmpfs at {mount.target}): a restart or a reboot erases it.", HOW
        )
    if anonymous(mount):
        raise Failed(
            "anonymous",
            f"{path} is on a volume without a name: the next container gets another one, and `docker compose down -v` "
            "or `docker run --rm` deletes this one.",
            HOW,
        )
    return mount


def _others(container: Container) -> list[Mount]:
    """What is mounted from outside, but for the backups, which lie elsewhere by purpose."""
    folder = folder_of(container.store)
    return [each for each in container.mounts() if each.kind != "tmpfs" and not (folder and each.holds(folder))]


def _unmounted(path: str, others: list[Mount]) -> Failed:
    if not others:
        return Failed("no_volume", f"{path} is inside the container, and gone with it: nothing is mounted there.", HOW)
    there = " and ".join(f"{each.source} at {each.target}" for each in others)
    return Failed(
        "wrong_path",
        f"{path} is inside the container, and gone with it: what is mounted ({there}) lies elsewhere.",
        f"Mount it at {path.rpartition('/')[0]}, where the database is, instead of at {others[0].target}.",
    )


def refuse_second_writer(container: Container, mount: Mount) -> None:
    """Raises Failed where another running container has the same volume."""
    if mount.kind != "volume":
        return
    running = docker("ps", "--filter", f"volume={mount.source}", "--format", "{{.Names}}").split()
    own = container.facts()["Name"].lstrip("/")
    if others := sorted(set(running) - {own}):
        raise Failed(
            "two_writers",
            f"{own} and {' and '.join(others)} run on the same volume, {mount.source}: only one of them can write, and "
            "the other one answers 503.",
            f"Stop one, or give it a volume of its own:  docker stop {others[0]}",
        )


def made_at(mount: Mount) -> str:
    """When the volume was made: another time says that it is another volume under the same name."""
    return _volume(mount.source)["CreatedAt"] if mount.kind == "volume" else ""


def refuse_replaced(mount: Mount, was_made_at: str) -> None:
    if (now := made_at(mount)) != was_made_at:
        raise Failed(
            "volume_replaced",
            f"The volume {mount.source} was deleted and made anew meanwhile: it is of {now}, and was of {was_made_at}.",
            "What deletes volumes: docker compose down -v, docker volume rm, docker volume prune --all. Leave it out.",
        )


def anonymous(mount: Mount) -> bool:
    volume = mount.source
    return mount.kind == "volume" and len(volume) == 64 and set(volume) <= set("0123456789abcdef")


def in_memory(mount: Mount) -> bool:
    if mount.kind == "tmpfs":
        return True
    return mount.kind == "volume" and (_volume(mount.source).get("Options") or {}).get("type") in ("tmpfs", "ramfs")


def _volume(name: str) -> dict:
    return json.loads(docker("volume", "inspect", name))[0]
