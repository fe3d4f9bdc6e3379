"""From DATABASE_PATH to sessions: how SQLite is opened, and how transactions begin, wait and fail."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, TimeoutError
from sqlalchemy.orm import Session

from app.database.checkpoints import Checkpoints
from app.database.condition import Condition
from app.database.connections import begin, empty_wal, engine_on, set_pragma
from app.database.open_file import OpenFile
from app.database.remembered import Remembered
from app.database.seen_time import SeenTime
from app.database.sqlite import WAIT_SECONDS, sqlite_driver
from app.database.sqlite_errors import busy, fault_in, fault_of_disk, problem_for_app
from app.database.write_queue import QueueTimeout, WriteQueue
from app.errors import CannotStart, Damaged, Problem, Replaced, Unwell
from app.settings import CONNECTIONS
from app.storage.led_elsewhere import LedElsewhere
from app.storage.mounts import Storage

log = structlog.get_logger()


def _do_nothing() -> None:
    """No fence: nobody else can write."""


class Database:
    """The open SQLite file. `read()` and `write()` give a session inside a transaction; threads may share it.

    `schema`: the one that is known to have been in it. A file without tables is then refused, as Emptied.
    `fence` raises where this process may not use the file (any more); it is asked before a transaction begins, and
    after a write is on disk, before that is told to anybody. `on_io_error` hears of a network mount that answers
    with I/O errors, and may raise what is told instead; of a local disk they are damage (sqlite_errors.py).
    """

    def __init__(
        self,
        storage: Storage,
        *,
        schema: str | None = None,
        fence: Callable[[], None] = _do_nothing,
        on_io_error: Callable[[], None] = _do_nothing,
    ) -> None:
        self.storage = storage
        self.condition = Condition()
        self._file = OpenFile(storage)
        self._beside: set[Any] = set()
        self._fence, self._on_io_error = fence, on_io_error
        self._driver = sqlite_driver()
        self.seen_time = SeenTime()
        self._engine = engine_on(storage, self._driver, schema, self.seen_time, self._opened)
        self._remembered = Remembered()
        # SQLite's own waiting sleeps and is unfair, so the writers of this process queue here instead.
        self._queue = WriteQueue()
        self._checkpoints = Checkpoints(self._checkpoint_all)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database."""
        with self.read_columns() as connection, self._session(connection) as session:
            yield session

    @contextmanager
    def read_columns(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database. Columns are read with a fifth of the work of entities."""
        self._fence()
        before = self._remembered.until_next_write()  # what a write after this changes is not remembered in it
        with self._translate_errors(), self._engine.connect() as connection:
            begin(connection)
            yield connection.execution_options(remembered=before)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that may change things; committed, and on disk, when the block ends without an error.

        Raises Busy when those before it take longer than WAIT_SECONDS, an Unwell (condition.py), what the fence raises.
        """
        with self.write_columns() as connection, self._session(connection) as session, session.begin():
            yield session

    @contextmanager
    def write_columns(self) -> Iterator[Connection]:
        """The same with a connection, for what needs no entities."""
        with self._translate_errors(), self._queued_write(), self._engine.connect() as connection, connection.begin():
            begin(connection, writing=True)
            self.seen_time.keep(connection)
            yield connection

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One writing transaction below the level of sessions, for the migrations.

        Foreign keys are off in it: SQLite changes most tables by making them anew, and dropping the old one would
        delete what hangs on its rows (sqlite.org/lang_altertable, "Making Other Kinds Of Table Schema Changes").
        """
        with self._translate_errors(), self._queued_write(), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            set_pragma(driver, "foreign_keys", "off", 0, self.storage)  # inside a transaction it would be ignored
            try:
                with connection.begin():
                    begin(connection, writing=True)
                    yield connection
            finally:
                set_pragma(driver, "foreign_keys", "on", 1, self.storage)

    def open_all(self) -> None:
        """Opens every connection now, so that no request does, and none after somebody has replaced the file.

        A machine that dies in the middle of opening a file leaves something behind for which its server makes others
        wait (app/storage/delegations.py). Raises CannotStart for what SQLite refuses, where nothing else fits.
        """
        try:
            with self._translate_errors(), ExitStack() as opened:
                for _ in range(CONNECTIONS):
                    opened.enter_context(self._engine.connect())
        except (DatabaseError, self._driver.DatabaseError) as error:
            why = f"{self.storage.path} can't be opened: {getattr(error, 'orig', error)}."
            raise CannotStart(why, "task-assist doctor says more.") from error

    @contextmanager
    def beside(self) -> Iterator[Any]:
        """SQLite's own connection, for what takes long and runs beside the requests. See `interrupt()`."""
        with self._translate_errors(), closing(self._engine.raw_connection()) as pooled:
            connection = pooled.driver_connection
            self._beside.add(connection)
            try:
                yield connection
            finally:
                self._beside.discard(connection)

    def interrupt(self) -> None:
        """What runs in `beside()` just now ends at once, with SQLite's error "interrupted"."""
        for connection in tuple(self._beside):
            connection.interrupt()

    def has_open(self, file: Path) -> bool:
        """By whatever name."""
        return self._file.is_open(file)

    def look_at_name(self) -> None:
        """Raises Replaced or LedElsewhere, and stops all writes, where a name leads to the open file no more.

        Where the file system does not say that now, what was known before stays.
        """
        try:
            lost = self._file.why_lost()
        except OSError:
            if known := self.condition.known(Replaced) or self.condition.known(LedElsewhere):
                raise known from None
            return
        for kind in (Replaced, LedElsewhere):
            if self.condition.knows(kind) and not isinstance(lost, kind):  # it was put back
                self.condition.mended(kind)
        if lost:
            raise self.condition.report(lost)

    def checkpoint(self) -> None:
        """Folds the WAL into the file, as far as nobody reads it, so that little is left to do for `close()`.

        It goes through files that are open. What can't be folded in, on a full disk say, stays in the WAL.
        """
        self._checkpoints.stop()
        try:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (TimeoutError, DatabaseError, self._driver.DatabaseError) as error:
            log.warning(f"The log of {self.storage.path} was not folded into it: {error}.")

    def checkpoint_in_pauses(self) -> None:
        """From now on the WAL is folded in whenever the writes pause (checkpoints.py); also after `checkpoint()`."""
        self._checkpoints.start()

    def close(self) -> None:
        """Waits for a running write, then closes every connection; the last one folds the WAL in and removes it."""
        self._checkpoints.stop()
        with self._translate_errors(), self._queue.turn(WAIT_SECONDS):
            self._engine.dispose()
            self._file.closed()

    def _opened(self, name: Path) -> None:
        if lost := self._file.opened(name):
            raise self.condition.report(lost)

    def _session(self, connection: Connection) -> Session:
        return Session(connection, expire_on_commit=False, info={"seen_time": self.seen_time})

    def _checkpoint_all(self) -> bool:
        """True if all is in the file and the WAL is empty. It takes its turn among the writers.

        Beside one of them, SQLite 3.7.0 to 3.51.2 can damage the file (sqlite.org/wal.html, "The WAL-Reset Bug").
        """
        try:
            with (
                self._translate_errors(),
                closing(self._engine.raw_connection()) as connection,
                self._queue.turn(WAIT_SECONDS),
            ):
                self._may_write()
                return empty_wal(connection.driver_connection)
        except Problem:  # a writer has his turn, or it is told already why nothing can be written
            return False
        except (DatabaseError, self._driver.DatabaseError) as error:
            log.warning(f"The log of {self.storage.path} was not folded into it: {error}.")
            return False

    def _may_write(self) -> None:
        self.condition.refuse_writes()
        self._fence()

    @contextmanager
    def _queued_write(self) -> Iterator[None]:
        with self._queue.turn(WAIT_SECONDS):
            self._may_write()
            try:
                yield
            finally:
                self._remembered.forget()
            self._checkpoints.wrote()
            self._fence()
            if self.storage.profile == "shared":  # elsewhere it would cost a round trip, and is seen late
                self.look_at_name()
            self.condition.wrote()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """SQLite's refusals that a person can do something about, as sentences (sqlite_errors.py)."""
        try:
            yield
        except (QueueTimeout, TimeoutError) as error:
            raise busy() from error
        except (DatabaseError, self._driver.DatabaseError) as error:
            message = str(getattr(error, "orig", error))
            if problem := problem_for_app(self.storage, message):
                raise (self.condition.report(problem) if isinstance(problem, Unwell) else problem) from error
            if fault_in(message) == "I/O":
                if self.storage.profile == "shared":
                    raise self._met_bad_disk(message) from error
                self._on_io_error()
            raise

    def _met_bad_disk(self, message: str) -> Unwell:
        """Not the end of the process: it would end again at each request that comes to the same place of the disk."""
        return self.condition.report(self.condition.known(Damaged) or fault_of_disk(self.storage, message))
