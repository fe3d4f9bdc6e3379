"""A copy of the live database as it was at one moment, while the app goes on writing."""

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.backup.copies.manifest import Manifest
from app.backup.copies.overwrite_rules import is_database, refuse_own, refuse_taken
from app.backup.copies.staging import put_in_place, staging_folder
from app.backup.copies.verify import refuse_not_sqlite, refuse_unreadable
from app.database.condition import how_to_go_back
from app.database.contents import Check, read_contents, refuse_unsound
from app.database.sqlite import Mode, opened, remove_old_index, sqlite_driver, sqlite_uri, unchanging, uri_of
from app.database.strange_logs import refuse_strange_log
from app.errors import Broken, StorageFull, Unreadable
from app.storage.cant_open import refuse_what_is_no_file
from app.storage.delegations import give_back_delegations
from app.storage.files import Progress, SyncOnTheWay, is_there, sha256_of, size_of, to_disk
from app.storage.guard import refuse_unwritable
from app.storage.hard_links import refuse_hard_links
from app.storage.mounts import Storage, beside
from app.storage.owner import whose_in_place
from app.version import __version__

if TYPE_CHECKING:
    from app.database.engine import Database  # the command does without SQLAlchemy

PAGES = 1000
"""Copied at a time. Between two steps the writers of a database that is not in WAL mode get a turn."""
SMALL_CACHE = "PRAGMA cache_size = -256"
"""Kilobytes, instead of 2 MB: each page is read and written once."""


def snapshot(
    storage: Storage,
    file: Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
    held: AbstractContextManager["Database"] | None = None,
    check: Check = "integrity_check",
) -> Manifest:
    """Writes `file` and its manifest, checked and on disk; they appear whole or not at all.

    `held`: the database in the process that has it open, for as long as it is copied. What is open is copied, also
    where somebody has taken its name away. `check`: of the copy.

    Raises Refused for a database that is missing, damaged, another app's or held by another process, Conflict where
    `file` may not be replaced (overwrite_rules.py), also where another copy came first meanwhile, StorageFull.
    """
    with ExitStack() as database:
        source = database.enter_context(_opened_here(storage) if held is None else _opened_by(held, file))
        _refuse_target(storage, file, _size(source), force=force)
        like = whose_in_place(file, storage.path)
        with staging_folder(file, like) as folder:
            partial = folder / "copy.db"
            copy_one_moment(source, partial, progress)
            database.close()  # checking the copy takes long, and a hand-over need not wait for it
            proof = _prove(partial, storage.path, check)
            to_disk(partial)
            put_in_place(partial, file, proof, like, force=force)
    return proof


def _refuse_target(storage: Storage, file: Path, size: int, *, force: bool) -> None:
    refuse_own(storage, file)
    refuse_taken(file, force=force)
    try:
        free = shutil.disk_usage(file.parent).free
    except OSError as error:
        raise _cant_write(storage, file, error.strerror or str(error)) from None
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise _cant_write(storage, file, f"user {os.getuid()} may not write in {file.parent}")
    if free < size:
        raise StorageFull(
            f"There is no room for {file}: {size:,} bytes are needed, {free:,} are free.", "Free some space."
        )


def _cant_write(storage: Storage, file: Path, why: str) -> Unreadable:
    beside_it = shlex.quote(str(storage.path.with_name(file.name)))
    return Unreadable(
        f"Can't write {file}: {why}.",
        f"Choose a folder that is there and may be written to, as the database's is:  task-assist snapshot {beside_it}",
    )


@contextmanager
def _opened_here(storage: Storage) -> Iterator[Any]:
    """Not in the app's process: closing it again would drop SQLite's locks there (sqlite.org/howtocorrupt, 2.2)."""
    refuse_unreadable(storage.path, "Start the app once: it makes one.")
    # SQLite keeps its locks in files beside the database, also for reading.
    refuse_unwritable(storage)
    refuse_what_is_no_file(storage)
    refuse_hard_links(storage)  # the newest changes may be in the log that is beside another name
    refuse_not_sqlite(storage.path)
    refuse_strange_log(storage.path)
    with opened(sqlite_uri(storage, _mode_that_leaves_log(storage)), storage.path) as source:
        source.execute(SMALL_CACHE)
        source.execute("SELECT 1 FROM sqlite_schema").fetchone()
        remove_old_index(storage)
        give_back_delegations(storage)
        yield source


def _mode_that_leaves_log(storage: Storage) -> Mode:
    """A killed app's log stays for its next start, which would miss it (safe_acquire.py). SQLite takes away what it
    may write when it closes; a -journal it can only roll back where it may."""
    in_log = is_there(beside(storage.path, "-wal")) and not size_of(beside(storage.path, "-journal"))
    return "ro" if in_log and storage.profile == "shared" else "rw"


@contextmanager
def _opened_by(held: AbstractContextManager["Database"], file: Path) -> Iterator[Any]:
    with held as database:
        if database.has_open(file):  # under a name that somebody has given it meanwhile
            raise is_database(file)
        with database.beside() as source:
            yield source


def _size(source: Any) -> int:
    (pages,), (page_size,) = (source.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return pages * page_size


def copy_one_moment(source: Any, to: Path, progress: Progress | None) -> None:
    """Writes the open database `source` as it is now to a new file; what is left for to_disk() is little."""

    def report(_status: int, remaining: int, total: int) -> None:
        syncs.reached((total - remaining) * page_size)
        if progress:
            progress((total - remaining) * page_size, total * page_size)

    (page_size,) = source.execute("PRAGMA page_size").fetchone()
    # Held until the copy is done: without it every write of the app would start the copy anew.
    source.execute("BEGIN")
    source.execute("SELECT 1 FROM sqlite_schema").fetchone()
    with to.open("xb") as file, opened(uri_of(to, "rwc"), to) as target:
        syncs = SyncOnTheWay(file.fileno())
        # The file is put on disk here and not by SQLite, which would do it for each step's journal, too.
        target.execute("PRAGMA synchronous = OFF")
        target.execute(SMALL_CACHE)
        source.backup(target, pages=PAGES, progress=report)
        # One file without a -wal, which any tool may open without leaving something beside it.
        target.execute("PRAGMA journal_mode = DELETE").fetchone()


def _prove(copied: Path, source: Path, check: Check) -> Manifest:
    """The manifest of the checked copy. What is wrong with it is told of `source`, whose fault it is."""
    try:
        with opened(unchanging(copied), source) as connection:
            contents = read_contents(connection, source)
            refuse_unsound(connection, source, check=check)
    except Broken as broken:
        raise Broken(broken.message, how_to_go_back(source)) from broken
    return Manifest(
        created_at=datetime.now(UTC).replace(microsecond=0),
        sha256=sha256_of(copied),
        size_bytes=copied.stat().st_size,
        rows=contents.rows,
        revision=contents.revision,
        app_version=__version__,
        sqlite_version=_sqlite_version(),
    )


def _sqlite_version() -> str:
    driver: Any = sqlite_driver()
    return driver.sqlite_version
