"""Where an app's backups lie by its container's mounts: what would go with the container or the data is refused."""

from dataclasses import dataclass

from .engine import Container, Mount
from .placement import anonymous, in_memory
from .settings import folder_of
from .stop import Failed


@dataclass(frozen=True)
class StoreOf:
    """`url`: BACKUP_URL. `volume`: what is mounted at `target`, above its folder."""

    url: str
    volume: str
    target: str


def store_of(container: Container, data: Mount) -> StoreOf:
    """`data`: the mount that holds the database. Raises Failed where the backups would not outlive it."""
    url = container.store
    mount = container.mount_of(folder_of(url))
    if mount is None:
        raise _nowhere("backups_nowhere", url, "inside the container, and gone with it.")
    if mount.source == data.source:
        why = f"on the data's own {data.kind}, {data.source}: what takes that takes both."
        raise _nowhere("backups_with_data", url, why)
    if why := _why_not(mount):
        raise _nowhere("backups_nowhere", url, why)
    return StoreOf(url, mount.source, mount.target)


def _nowhere(code: str, url: str, why: str) -> Failed:
    hint = f"Mount a volume of its own there:  docker run -v task-manager-backups:{folder_of(url)} ..."
    return Failed(code, f"The backups go to {url}, which is {why}", hint)


def _why_not(mount: Mount) -> str:
    """Empty for a volume that outlives the container."""
    if in_memory(mount):
        return "in memory: a restart or a reboot erases it."
    if anonymous(mount):
        return "on a volume without a name: the next container gets another one."
    return "" if mount.kind == "volume" else f"on a {mount.kind}, and no volume."
