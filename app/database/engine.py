"""From DATABASE_PATH to sessions: how SQLite is opened, and how transactions begin, wait and fail."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from types import ModuleType
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError, TimeoutError
from sqlalchemy.orm import Session

from app.database.sqlite import APPLICATION_ID, sqlite_driver, sqlite_uri
from app.database.write_queue import TooLong, Turns
from app.errors import Busy, CannotStart, Damaged, StorageFull
from app.settings import CONNECTIONS
from app.storage.delegations import give_back_delegations
from app.storage.mounts import Storage

log = structlog.get_logger()

WAIT_SECONDS = 5
"""How long a write waits for the ones before it, and a request for a connection."""
FULL_BELOW = 1 << 20
"""Bytes. SQLite reports a full disk as "disk I/O error" where it can't grow its -shm file: less than this is full."""
PRAGMAS = {
    "journal_mode": ("wal", "wal"),
    "synchronous": ("full", 2),
    "foreign_keys": ("on", 1),
    "busy_timeout": (WAIT_SECONDS * 1000, WAIT_SECONDS * 1000),
}
"""What is set on every connection, and what SQLite must answer when asked again: it refuses silently."""


def _always() -> None:
    """No fence: nobody else can write."""


class Database:
    """The open SQLite file. `read()` and `write()` give a session inside a transaction; threads may share it.

    `fence` raises where this process may not use the file (any more); it is asked before a transaction begins, and
    after a write is on disk, before that is told to anybody. `failing` hears of a mount that answers with I/O errors,
    and may raise what is told instead.
    """

    def __init__(
        self, storage: Storage, *, fence: Callable[[], None] = _always, failing: Callable[[], None] = _always
    ) -> None:
        self.storage = storage
        self._fence, self._failing = fence, failing
        self._driver = sqlite_driver()
        self._engine = _engine(storage, self._driver)
        # SQLite's own waiting sleeps and is unfair, so the writers of this process queue here instead.
        self._turns = Turns()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database."""
        self._fence()
        with self._told_in_words(), self._session(writing=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that may change things; committed, and on disk, when the block ends without an error.

        Raises Busy when the writers before it take longer than WAIT_SECONDS, StorageFull without room on
        disk, and what the fence raises.
        """
        with self._told_in_words(), self._turn(), self._session(writing=True) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One writing transaction below the level of sessions, for the migrations."""
        writing = self._engine.execution_options(writing=True)
        with self._told_in_words(), self._turn(), writing.begin() as connection:
            yield connection

    def open_all(self) -> None:
        """Opens every connection now, so that no request does.

        A machine that dies in the middle of opening a file leaves something behind for which its server makes others
        wait (delegation.py).
        """
        with self._told_in_words(), ExitStack() as opened:
            for _ in range(CONNECTIONS):
                opened.enter_context(self._engine.connect())

    def fold_in(self) -> None:
        """Folds the WAL into the file, as far as nobody reads it, so that little is left to do for `close()`.

        It goes through files that are open. What can't be folded in, on a full disk say, stays in the WAL.
        """
        try:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (TimeoutError, DatabaseError, self._driver.DatabaseError) as error:
            log.warning(f"The log of {self.storage.path} was not folded into it: {error}.")

    def close(self) -> None:
        """Waits for a running write, then closes every connection; the last one folds the WAL in and removes it."""
        with self._told_in_words(), self._turns.turn(WAIT_SECONDS):
            self._engine.dispose()

    def _session(self, *, writing: bool) -> Session:
        return Session(self._engine.execution_options(writing=writing), expire_on_commit=False)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._turns.turn(WAIT_SECONDS):
            self._fence()
            yield
            self._fence()

    @contextmanager
    def _told_in_words(self) -> Iterator[None]:
        """SQLite's refusals that a person can do something about, as problems."""
        try:
            yield
        except (TooLong, TimeoutError) as error:
            raise _busy() from error
        except (DatabaseError, self._driver.DatabaseError) as error:
            said = str(getattr(error, "orig", error))
            if "disk is full" in said or ("disk I/O error" in said and self._no_room()):
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
            if "disk I/O error" in said:
                self._failing()
            raise

    def _no_room(self) -> bool:
        try:
            return shutil.disk_usage(self.storage.path.parent).free < FULL_BELOW
        except OSError:
            return False  # the mount itself is gone


def _busy() -> Busy:
    return Busy("Too many changes at once.", "Nothing was changed. Try again in a moment.", retry_after=2)


def _engine(storage: Storage, driver: ModuleType) -> Engine:
    uri = sqlite_uri(storage)

    def connect() -> Any:
        return driver.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=WAIT_SECONDS)

    engine = create_engine(
        "sqlite+pysqlite://",
        module=driver,
        creator=connect,
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        _refuse_foreign(connection, storage)
        for pragma, (value, expected) in PRAGMAS.items():
            connection.execute(f"PRAGMA {pragma} = {value}")
            (answer,) = connection.execute(f"PRAGMA {pragma}").fetchone()
            if answer != expected:
                raise CannotStart(f"SQLite answered {pragma} = {answer} instead of {expected} for {storage.path}.")
        give_back_delegations(storage)
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
