"""Puts a verified file in the database's place. Killed at any step, the database is the old one or the new one.

A file that has a log can't take the place in one step, and neither database may ever stand beside the other's log. So
the old one is set aside first: killed then, the app finds no database and says so (app/database/emptied.py).
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from app.backup.copies.disk_space import refuse_without_room
from app.backup.copies.overwrite_rules import incoming, incoming_path, refuse_own
from app.backup.copies.staging import BACKUP, is_copying
from app.backup.copies.verify import Verified, unverified, verify
from app.database import possible_loss
from app.database.contents import refuse_foreign
from app.database.header import read_header
from app.database.sqlite import fold_in, opened, sqlite_uri, unchanging
from app.database.strange_logs import refuse_strange_log
from app.errors import Broken, Held, NotSqlite, StrangeLog
from app.storage.cant_open import refuse_what_is_no_file
from app.storage.files import Progress, copy, sha256_of, sidecars, size_of, to_disk
from app.storage.guard import refuse_unwritable
from app.storage.mounts import Storage, beside, files_beside
from app.storage.owner import take_after


def restore(
    file: Path,
    storage: Storage,
    progress: Progress | None = None,
    *,
    found: Verified | None = None,
    moves: bool = False,
    sure: Callable[[], None] = lambda: None,
    as_it_is: bool = False,
) -> Verified:
    """Replaces the database by `file`. Nothing may have it open: raises Held if something does.

    `found`: what verify() has just said of it; None: it is verified here. `moves`: it is a copy that this command has
    made in a folder of its own beside the database, on disk, and goes into the place itself instead of a copy of it.
    `as_it_is`: without looking what it is, with the -wal and -journal beside it; the way back to a damaged one.

    Raises the Refused that fits for a wrong `file`, Foreign where another app's database is in the place, and what
    `sure` raises, which is called before each step that can't be undone.
    """
    refuse_own(storage, file)
    found = found or (unverified(file) if as_it_is else verify(file))
    refuse_unwritable(storage)
    refuse_what_is_no_file(storage)
    logs = sidecars(file) if as_it_is else []
    _remove_incoming(storage.path)
    coming = 0 if moves else found.size_bytes
    refuse_without_room(storage.path, coming=coming + sum(size_of(log) for log in logs))
    try:
        _bring_beside(storage.path, file, found.sha256, progress, moves=moves)
        endings = _bring_logs_beside(storage.path, file, logs)
        sure()
        clear_the_place(storage)
        sure()
        _take_the_place(storage.path, endings)
        possible_loss.forget(storage.path)  # last: killed before, it is the old one that is there
    finally:
        _remove_incoming(storage.path)
    return found


def _bring_beside(database: Path, file: Path, sha256: str, progress: Progress | None, *, moves: bool) -> None:
    """To the name under which it comes in, with the owner and mode of the one in the place."""
    new = incoming_path(database)
    if moves:
        file.rename(new)
    elif copy(file, new, progress) != sha256:
        raise Broken(f"{file} changed while it was read.", "Nothing was changed. Try again.")
    take_after(new, database)


def _bring_logs_beside(database: Path, file: Path, logs: list[Path]) -> list[str]:
    """The endings of their names."""
    endings = [log.name.removeprefix(file.name) for log in logs]
    for log, ending in zip(logs, endings, strict=True):
        new = beside(incoming_path(database), ending)
        copy(log, new)
        take_after(new, database)
    return endings


def _take_the_place(database: Path, endings: list[str]) -> None:
    """`endings`: those of the logs beside the new one, which belong to it."""
    new = incoming_path(database)
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
    if any(file.exists() for file in incoming(storage.path)):
        refuse_unwritable(storage)
        _remove_incoming(storage.path)
    return sha256_of(storage.path, progress) if storage.path.exists() else None


def _remove_incoming(database: Path) -> None:
    for file in incoming(database):
        file.unlink(missing_ok=True)


def clear_the_place(storage: Storage) -> list[Path]:
    """Leaves nothing beside the old database that SQLite would take for the new one's.

    Its -wal is folded in *before* the new file takes the name: a kill in between leaves the old database whole, and
    never the new one beside the old one's log. What can't be folded in, because the old one is damaged or not its own,
    is set aside: these files are given.
    """
    database = storage.path
    if database.exists():
        with suppress(Broken, NotSqlite), _broken_if_unreadable(database):
            _refuse_other_app(storage)
        with suppress(Broken, NotSqlite), _broken_if_unreadable(database), _told_of_a_backup(database):
            fold_in(database, sqlite_uri(storage, "rw"))
    set_aside = _set_aside(sidecars(database))
    for file in files_beside(database):
        file.unlink(missing_ok=True)
    to_disk(database.parent)
    return set_aside


@contextmanager
def _broken_if_unreadable(database: Path) -> Iterator[None]:
    """A place of the old one that the disk can't read any more is no reason to leave it where it is."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise Broken(f"{database} can't be read: {error.strerror}.") from error


@contextmanager
def _told_of_a_backup(database: Path) -> Iterator[None]:
    """Who has it, where that is no app that could be stopped."""
    try:
        yield
    except Held:
        if not is_copying(database, BACKUP):
            raise
        raise Held(
            f"A backup of {database} is being made just now, and reads it.",
            "Nothing was changed. Try again in a moment.",
        ) from None


def _set_aside(files: list[Path]) -> list[Path]:
    """Under names of their own, which are given. A log that SQLite has taken away meanwhile needs none."""
    ending = datetime.now(UTC).strftime("set-aside-%Y%m%dT%H%M%SZ")
    moved = []
    for file in files:
        with suppress(FileNotFoundError):
            moved.append(file.rename(file.with_name(f"{file.name}.{ending}")))
    return moved


def _refuse_other_app(storage: Storage) -> None:
    """Raises Foreign for the database of another app: a backup of this one has no business in its place. And Broken or
    NotSqlite for one that can't be looked into."""
    if read_header(storage.path).is_sqlite:
        with opened(_without_strange_log(storage), storage.path) as connection:
            refuse_foreign(connection, storage.path)


def _without_strange_log(storage: Storage) -> str:
    """The URI by which SQLite sees what is in the file, without the log of another one."""
    try:
        refuse_strange_log(storage.path)
    except StrangeLog:
        return unchanging(storage.path)
    return sqlite_uri(storage, "rw")
