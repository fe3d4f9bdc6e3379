"""Puts a verified file in the database's place. Killed at any step, the database is the old one or the new one.

A file that has a log can't take the place in one step, and neither database may ever stand beside the other's log. So
the old one is set aside first: killed then, the app finds no database and says so (app/database/emptied.py).
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from app.backup.verify import Verified, unverified, verify
from app.database.contents import refuse_foreign
from app.database.sqlite import fold_in, opened, sqlite_uri, unchanging
from app.database.strange_logs import refuse_strange_log
from app.errors import Broken, NotSqlite, StorageFull, StrangeLog, Unreadable
from app.storage.files import SIDECARS, SQLITE, Progress, copy, sha256_of, sidecars, size_of, to_disk
from app.storage.guard import refuse_unwritable
from app.storage.mounts import Storage, beside, files_beside


def restore(
    file: Path,
    storage: Storage,
    progress: Progress | None = None,
    *,
    sure: Callable[[], None] = lambda: None,
    as_it_is: bool = False,
) -> Verified:
    """Replaces the database by `file`. Nothing may have it open: raises Held if something does.

    `as_it_is`: without looking what it is, with the -wal and -journal beside it; the way back to a damaged one.

    Raises the Refused that fits for a wrong `file`, Foreign where another app's database is in the place, and what
    `sure` raises, which is called before each step that can't be undone.
    """
    if file.exists() and storage.path.exists() and file.samefile(storage.path):
        raise Unreadable(f"{file} is the database itself.", "Nothing was changed. Name a backup.")
    found = unverified(file) if as_it_is else verify(file)
    refuse_unwritable(storage)
    new, logs = incoming_path(storage.path), sidecars(file) if as_it_is else []
    _remove_incoming(storage.path)
    _refuse_without_room(storage.path, found.size_bytes + sum(size_of(log) for log in logs))
    try:
        if copy(file, new, progress) != found.sha256:
            raise Broken(f"{file} changed while it was read.", "Nothing was changed. Try again.")
        endings = [log.name.removeprefix(file.name) for log in logs]
        for log, ending in zip(logs, endings, strict=True):
            copy(log, beside(new, ending))
        sure()
        clear_the_place(storage)
        sure()
        _take_the_place(storage.path, new, endings)
    finally:
        _remove_incoming(storage.path)
    return found


def _refuse_without_room(database: Path, needed: int) -> None:
    free = shutil.disk_usage(database.parent).free
    if free < needed:
        raise StorageFull(
            f"There is no room beside {database}: {needed:,} bytes are needed, {free:,} are free.",
            "Nothing was changed. Make the volume or share larger, or free some space.",
        )


def _take_the_place(database: Path, new: Path, endings: list[str]) -> None:
    """`endings`: those of the logs beside `new`, which belong to it."""
    old = _set_aside([database]) if endings else []
    to_disk(database.parent)
    for ending in endings:
        beside(new, ending).rename(beside(database, ending))
    new.replace(database)
    to_disk(database.parent)
    for file in old:
        file.unlink()


def settle(storage: Storage, progress: Progress | None = None) -> str | None:
    """Takes away what a killed restore left, and gives the sha256 of the database that is there, None without one."""
    if any(file.exists() for file in _incoming(storage.path)):
        refuse_unwritable(storage)
        _remove_incoming(storage.path)
    return sha256_of(storage.path, progress) if storage.path.exists() else None


def incoming_path(database: Path) -> Path:
    """Where the new database is written before it takes the name."""
    return database.with_name(f".{database.name}.restoring")


def _incoming(database: Path) -> list[Path]:
    """Its logs as well, where it is restored as it is."""
    return [beside(incoming_path(database), ending) for ending in ("", *SIDECARS)]


def _remove_incoming(database: Path) -> None:
    for file in _incoming(database):
        file.unlink(missing_ok=True)


def clear_the_place(storage: Storage) -> list[Path]:
    """Leaves nothing beside the old database that SQLite would take for the new one's.

    Its -wal is folded in *before* the new file takes the name: a kill in between leaves the old database whole, and
    never the new one beside the old one's log. What can't be folded in, because the old one is damaged or not its own,
    is set aside: these files are given.
    """
    database = storage.path
    if database.exists():
        _refuse_other_app(storage)
        with suppress(Broken, NotSqlite):
            fold_in(database, sqlite_uri(storage, "rw"))
    set_aside = _set_aside(sidecars(database))
    for file in files_beside(database):
        file.unlink(missing_ok=True)
    to_disk(database.parent)
    return set_aside


def _set_aside(files: list[Path]) -> list[Path]:
    """Under names of their own, which are given. A log that SQLite has taken away meanwhile needs none."""
    ending = datetime.now(UTC).strftime("set-aside-%Y%m%dT%H%M%SZ")
    moved = []
    for file in files:
        with suppress(FileNotFoundError):
            moved.append(file.rename(file.with_name(f"{file.name}.{ending}")))
    return moved


def _refuse_other_app(storage: Storage) -> None:
    """Raises Foreign for the database of another app: a backup of this one has no business in its place."""
    with storage.path.open("rb") as reading:
        is_sqlite = reading.read(len(SQLITE)) == SQLITE
    if is_sqlite:
        with suppress(Broken, NotSqlite), opened(_without_strange_log(storage), storage.path) as connection:
            refuse_foreign(connection, storage.path, may_be_empty=True)


def _without_strange_log(storage: Storage) -> str:
    """The URI by which SQLite sees what is in the file, without the log of another one."""
    try:
        refuse_strange_log(storage.path)
    except StrangeLog:
        return unchanging(storage.path)
    return sqlite_uri(storage, "rw")
