"""SQLite itself, below SQLAlchemy: its driver, the mark of this app's files, and the one place that opens a file.

The backup commands need only this. SQLAlchemy would cost them 20 MB of memory and most of their start.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal
from urllib.parse import quote

from app.database.sqlite_errors import refusal_for_file
from app.database.strange_logs import refuse_strange_log
from app.errors import Broken
from app.storage.files import sidecars
from app.storage.mounts import Storage, beside

APPLICATION_ID = 0x5441736B
"""SQLite's application_id of a Task Assist database ("TAsk"), so that another app's file is not taken for one."""
TABLES = frozenset(("users", "api_tokens", "work_items", "tasks", "events"))
"""The names of the tables in app/domain/models.py that hold what people keep; all that counts rows counts these."""
CANARIES = "canaries"
"""The one beside them (app/database/canary.py)."""
Mode = Literal["ro", "rw", "rwc"]
ALONE = "vfs=unix-excl"
"""The option with which no other process can open the file, and SQLite needs no memory shared with one."""
TABLES_OF_ROWS = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
"""Which tables a file has, SQLite's own among them; not the search index, nor those in which FTS5 keeps it."""
WAIT_SECONDS = 5
"""How long to wait for another process to let go of a file, and in the app for its own writers and connections."""


def sqlite_driver() -> ModuleType:
    """pysqlite3 with its own, newer SQLite where it is installed, else Python's."""
    try:
        return import_module("pysqlite3")
    except ImportError:
        return import_module("sqlite3")


def uri_of(file: Path, mode: Mode, *options: str) -> str:
    """How SQLite opens `file`; "rw" fails where there is none yet. `options`: NAME=VALUE (sqlite.org/uri.html)."""
    # Quoted, so that a "#" or "?" in the path does not open another file; by bytes, which need be no UTF-8.
    return f"file://{quote(os.fsencode(file.absolute()))}?{'&'.join((f'mode={mode}', *options))}"


def sqlite_uri(storage: Storage, mode: Mode = "rwc") -> str:
    """How SQLite opens the database with the locks of its profile."""
    return uri_of(storage.path, mode, *([ALONE] if storage.profile == "exclusive" else []))


def remove_old_index(storage: Storage) -> None:
    """To be called when the database is open. Alone, SQLite keeps the log's index in memory, and leaves the -shm of an
    earlier app on which the storage was shared: it would tell the next start of a log that is long gone."""
    if storage.profile == "exclusive":
        beside(storage.path, "-shm").unlink(missing_ok=True)


def unchanging(file: Path) -> str:
    """The URI of a file that nobody writes: SQLite makes no -wal or -shm beside it and takes no lock."""
    return uri_of(file, "ro", "immutable=1")


def connect(uri: str, *, wait: float) -> Any:
    """A connection of SQLite's driver. It begins no transaction by itself, and waits `wait` seconds for a lock."""
    return sqlite_driver().connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=wait)


@contextmanager
def opened(uri: str, file: Path, *, wait: float | None = None) -> Iterator[Any]:
    """A connection for one look or copy; what SQLite refuses inside comes out as a Refused or StorageFull.

    `wait`: seconds for another process to let go, instead of WAIT_SECONDS.
    """
    try:
        with closing(connect(uri, wait=WAIT_SECONDS if wait is None else wait)) as connection:
            yield connection
    except sqlite_driver().DatabaseError as error:
        raise refusal_for_file(file, str(error)) from error


def fold_in(file: Path, uri: str) -> None:
    """Brings what -wal or -journal beside `file` hold into it; SQLite opens it by `uri`.

    Raises Held while another process has it open, StrangeLog where they are another database's.
    """
    refuse_strange_log(file)
    with opened(uri, file) as connection:
        # Leaving WAL mode needs the file for itself, folds the log in, and takes it away.
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    if mode != "delete" or sidecars(file):
        raise Broken(f"What {sidecars(file)[0].name} holds can't be brought into {file}.")
