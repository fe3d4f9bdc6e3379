"""From DATABASE_PATH to sessions: how SQLite is opened, and how transactions begin, wait and fail."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from app.models import APPLICATION_ID
from app.problems import Busy, CannotStart, Damaged, StorageFull
from app.settings import THREADS
from app.storage import Storage

WAIT_SECONDS = 5
"""How long a write waits for the one before it."""
FULL_BELOW = 1 << 20
"""Bytes. SQLite reports a full disk as "disk I/O error" where it can't grow its -shm file: less than this is full."""
PRAGMAS = {
    "journal_mode": ("wal", "wal"),
    "synchronous": ("full", 2),
    "foreign_keys": ("on", 1),
    "busy_timeout": (WAIT_SECONDS * 1000, WAIT_SECONDS * 1000),
}
"""What is set on every connection, and what SQLite must answer when asked again: it refuses silently."""


def sqlite_driver() -> ModuleType:
    """pysqlite3 with its own, newer SQLite where it is installed, else Python's."""
    try:
        return import_module("pysqlite3")
    except ImportError:
        return import_module("sqlite3")


class Database:
    """The open SQLite file. `read()` and `write()` give a session inside a transaction; threads may share it."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._driver = sqlite_driver()
        self._engine = _engine(storage, self._driver)
        # SQLite's own waiting sleeps and is unfair, so the writers of this process queue here instead.
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database."""
        with self._told_in_words(), self._session(writing=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that may change things; committed, and on disk, when the block ends without an error.

        Raises Busy when the writers before it take longer than WAIT_SECONDS, StorageFull without room on disk.
        """
        with self._told_in_words(), self._turn(), self._session(writing=True) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One writing transaction below the level of sessions, for the migrations."""
        writing = self._engine.execution_options(writing=True)
        with self._told_in_words(), self._turn(), writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Waits for a running write, then closes every connection; the last one folds the WAL into the file."""
        with self._writer:
            self._engine.dispose()

    def _session(self, *, writing: bool) -> Session:
        return Session(self._engine.execution_options(writing=writing), expire_on_commit=False)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._writer.acquire(timeout=WAIT_SECONDS):
            raise _busy()
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _told_in_words(self) -> Iterator[None]:
        """SQLite's refusals that a person can do something about, as problems."""
        try:
            yield
        except (DatabaseError, self._driver.DatabaseError) as error:
            said = str(getattr(error, "orig", error))
            no_room = shutil.disk_usage(self.storage.path.parent).free < FULL_BELOW
            if "disk is full" in said or ("disk I/O error" in said and no_room):
                raise StorageFull(
                    f"There is no room left on {self.storage.mount.point}. Nothing was changed, nothing is lost.",
                    "Make the volume or share larger, or free some space, and try again.",
                ) from error
            if "database is locked" in said:
                raise _busy() from error
            if "not a database" in said or "malformed" in said:
                raise Damaged(
                    f"{self.storage.path} is damaged or not an SQLite database: {said}.",
                    "Nothing was changed. Move the file away, or put a backup in its place.",
                ) from error
            raise


def sqlite_uri(storage: Storage, mode: Literal["rw", "rwc"] = "rwc") -> str:
    """How SQLite opens the database with the locks of its profile; "rw" fails where there is no file yet."""
    vfs = "&vfs=unix-excl" if storage.profile == "exclusive" else ""
    # Quoted, so that a "#" or "?" in the path does not open another file.
    return f"file://{quote(str(storage.path))}?mode={mode}{vfs}"


def _busy() -> Busy:
    return Busy("Too many changes at once.", "Nothing was changed. Try again in a moment.", retry_after=2)


def _engine(storage: Storage, driver: ModuleType) -> Engine:
    uri = sqlite_uri(storage)

    def connect() -> Any:
        return driver.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=WAIT_SECONDS)

    engine = create_engine("sqlite+pysqlite://", module=driver, creator=connect, poolclass=QueuePool, pool_size=THREADS)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        _refuse_foreign(connection, storage)
        for pragma, (value, expected) in PRAGMAS.items():
            connection.execute(f"PRAGMA {pragma} = {value}")
            (answer,) = connection.execute(f"PRAGMA {pragma}").fetchone()
            if answer != expected:
                raise CannotStart(f"SQLite answered {pragma} = {answer} instead of {expected} for {storage.path}.")
        # SQLite's own lower() knows only ASCII, and "ärger" must find "Ärger".
        connection.create_function("lower", 1, lambda text: text.lower() if text else text, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _refuse_foreign(connection: Any, storage: Storage) -> None:
    """Before the first PRAGMA that writes: another app's file is not even switched to WAL."""
    ((schema,), (mark,)) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("schema_version", "application_id")
    )
    if schema and mark != APPLICATION_ID:
        raise CannotStart(
            f"{storage.path} is another app's database.",
            "Nothing was changed. Set DATABASE_PATH to another file, or move this one away.",
        )
