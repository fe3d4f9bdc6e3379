"""That a backup of after the canary is made, where it would outlive the app."""

from collections.abc import Callable
from typing import Any

from .own import Place
from .stop import Failed

Verb = Callable[..., dict[str, Any]]
"""Types a verb of task-assist, and gives what it answers. Raises Failed with what it refused."""


def store_of(place: Place) -> tuple[str, str, str]:
    """BACKUP_URL, and the volume that holds its folder. Raises Failed where nothing is mounted there."""
    container = place.container
    store = container.store
    folder = store.removeprefix("file://")
    mount = container.mount_of(folder)
    if mount is None or mount.kind != "volume":
        where = "in memory" if mount else "inside the container, and gone with it"
        raise nowhere(f"The backups go to {store}, which is {where}: {said_by_backup(container.task_assist)}", folder)
    return store, mount.source, mount.target


def said_by_backup(verb: Verb) -> str:
    """What the app says of it, when it is asked for one."""
    try:
        verb("backup")
    except Failed as failed:
        return failed.message
    return "and the app makes one there all the same."


def back_up(verb: Verb) -> dict[str, Any]:
    """The manifest of the one that was made. Raises Failed where none was."""
    try:
        return verb("backup")["made"]
    except Failed as failed:
        raise Failed("backup_failed", f"No backup could be made: {failed.message}", failed.hint) from None


def nowhere(what: str, folder: str) -> Failed:
    return Failed(
        "backups_nowhere",
        what,
        f"Mount a volume or a folder of the host there:  docker run -v task-manager-backups:{folder} ...",
    )
