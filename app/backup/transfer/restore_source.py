"""What a person names to be restored, as a file on this machine: a file it is already, or a backup out of a store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.backup.copies.disk_space import announce_space_needed
from app.backup.copies.staging import temporary_folder_beside
from app.backup.stores.deployment import deployment_number, newest_of_own
from app.backup.stores.store import Store, store_at
from app.backup.stores.stored_backup import ENDING, OBJECT_ENDINGS, is_name, read_stored_backup
from app.backup.transfer.fetch import fetch, name_backup_in_errors
from app.errors import CannotStart
from app.setting_values import store_url
from app.storage.files import Progress
from app.storage.mounts import Storage

LATEST = "latest"


@dataclass(frozen=True)
class RestoreSource:
    """`sha256`: of what this command has just fetched and written beside the database; None for a person's own file."""

    file: Path
    sha256: str | None


@contextmanager
def restore_source(
    what: str,
    storage: Storage,
    configured: str | None,
    identity: Path | None,
    *,
    say: Callable[[str], None],
    progress: Progress | None = None,
) -> Iterator[RestoreSource]:
    """`what`: FILE, "latest" or the NAME of a backup in the store of BACKUP_URL (`configured`), or the URL of a store
    with one of these behind it. The file, with its manifest beside it, is gone when the block ends, if it was fetched;
    `say` is told first where it lies and how much room it takes.

    Raises what store_at(), newest_of_own(), read_stored_backup() and fetch() do.
    """
    found = _in_store(what, configured)
    if found is None:
        yield RestoreSource(Path(what), None)
        return
    store, name = found
    if name == LATEST:
        elsewhere = configured is None or store_url(configured) != store.url
        name = newest_of_own(store, None if elsewhere else deployment_number(storage.path))
    stored = read_stored_backup(store, name)
    with temporary_folder_beside(storage.path, ".fetched") as folder:
        file = folder / f"{stored.name}.db"
        announce_space_needed("Fetches the database", folder, stored.database.size_bytes, say)
        fetch(store, stored, file, _identities(identity), progress)
        with name_backup_in_errors(store, stored, file):
            yield RestoreSource(file, stored.database.sha256)


def _in_store(what: str, configured: str | None) -> tuple[Store, str] | None:
    """The store and the name in it; None for a plain file."""
    above, _, last = what.rpartition("/")
    name = _name_of(last)
    if "://" in what:
        if not name:
            raise CannotStart(
                f"{what} names a store, and no backup in it.", f"For its newest one:  {what.rstrip('/')}/{LATEST}"
            )
        return store_at(above), name
    if what == LATEST or (is_name(what) and not Path(what).exists()):
        return store_at(configured), what
    if name and name != LATEST and last != name:  # an object or a manifest, fetched by hand
        return store_at(Path(what).absolute().parent.as_uri()), name
    return None


def _name_of(last: str) -> str:
    """Of a backup, from its name or that of one of its two files; empty for all else."""
    if last == LATEST:
        return last
    for ending in (ENDING, *OBJECT_ENDINGS):
        last = last.removesuffix(ending)
    return last if is_name(last) else ""


def _identities(file: Path | None) -> list[Any]:
    if file is None:
        return []
    from app.backup.transfer.encryption import identities_in

    return identities_in(file)
