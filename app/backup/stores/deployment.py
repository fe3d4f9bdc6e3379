"""Whose backups are in a store? Several deployments may have been given one BACKUP_URL, by mistake most of the time.

Each gets a number with its first backup. It lies beside the database, in DATABASE.deployment, so that no restore
changes it, and stands in the name of each backup. Those of before had none; they count as one's own.
"""

import re
import secrets
from contextlib import suppress
from pathlib import Path

from app.backup.copies.staging import folder_lock
from app.backup.stores.store import Entry, Store
from app.backup.stores.stored_backup import deployment_in, names_in, newest_in
from app.errors import Conflict, NotFound
from app.storage.files import to_disk
from app.storage.mounts import beside
from app.storage.owner import take_after

NUMBER = re.compile(r"[0-9a-f]{8}")


class OwnBackups:
    """The store as if what other deployments have put there were not: so it is not counted, not pruned, and never the
    newest. What somebody names is read all the same. `number`: None for those alone that have none."""

    def __init__(self, store: Store, number: str | None) -> None:
        self.url, self._store, self._number = store.url, store, number
        self.upload, self.create, self.read = store.upload, store.create, store.read
        self.stream, self.remove = store.stream, store.remove

    def entries(self) -> list[Entry]:
        return [each for each in self._store.entries() if deployment_in(each.name) in (None, self._number)]


def own_backups(store: Store, number: str | None) -> Store:
    """All of it for one that has no number yet: it may be a new machine, and what is there that of the lost one."""
    return OwnBackups(store, number) if number else store


def deployment_number(database: Path) -> str | None:
    """None before the first backup."""
    with suppress(OSError, UnicodeDecodeError):
        text = _file_of(database).read_text().strip()
        return text if NUMBER.fullmatch(text) else None
    return None


def ensure_deployment_number(database: Path) -> str:
    """The one that it has, or has from now on. Raises OSError."""
    with folder_lock(database.parent):
        if number := deployment_number(database):
            return number
        number, partial = secrets.token_hex(4), beside(database, ".deployment.partial")
        partial.write_text(f"{number}\n")
        to_disk(partial)
        take_after(partial, database)
        partial.replace(_file_of(database))
        to_disk(database.parent)
    return number


def newest_of_own(store: Store, number: str | None) -> str:
    """What `restore latest` takes: never what another deployment has made. Raises NotFound, and Conflict where that
    can't be told or there are others' alone."""
    newest = _newest_of_each(store)
    if number is None and len(newest) > 1:
        raise _to_name(
            f"In {store.url} are backups of {len(newest)} deployments, and this one has made none yet.", newest, store
        )
    try:
        return newest_in(own_backups(store, number))
    except NotFound:
        if not newest:
            raise
        raise _to_name(
            f"In {store.url} is no backup that this deployment has made, but of another one.", newest, store
        ) from None


def describe_other_deployments(store: Store, number: str | None) -> str | None:
    """One sentence for a person; None where all there may be this one's."""
    newest = _newest_of_each(store)
    others = {each: name for each, name in newest.items() if each != number}
    if not others or (number is None and len(others) == 1):
        return None
    whose = "another deployment" if len(others) == 1 else f"{len(others)} other deployments"
    return (
        f"In {store.url} are backups of {whose} as well, the newest {' and '.join(others.values())}: not counted here, "
        "never pruned from here, and restored by name alone. Give each deployment a folder of its own; what one that "
        "is gone has left, remove by hand."
    )


def _newest_of_each(store: Store) -> dict[str, str]:
    """By the numbers of the deployments."""
    return {number: name for name in names_in(store) if (number := deployment_in(name))}


def _to_name(why: str, newest: dict[str, str], store: Store) -> Conflict:
    commands = "\n".join(f"  task-assist restore {store.url}/{name}" for name in newest.values())
    return Conflict(why, f"Nothing was changed. Name the one that you mean; the newest of each:\n{commands}")


def _file_of(database: Path) -> Path:
    return beside(database, ".deployment")
