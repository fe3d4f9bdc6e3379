"""From DATABASE_PATH to sessions: how SQLite is opened, and how transactions begin, wait and fail."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, TimeoutError
from sqlalchemy.orm import Session

from app.database import group_commit
from app.database.checkpoints import Checkpoints
from app.database.condition import Condition
from app.database.connections import begin, begin_writing, empty_wal, engine_on, set_pragma
from app.database.deadline import seconds_left
from app.database.kept import Kept
from app.database.open_file import OpenFile
from app.database.refusals import Refusals
from app.database.remembered import Remembered, answered
from app.database.seen_time import SeenTime
from app.database.sqlite import WAIT_SECONDS, sqlite_driver
from app.database.truncation import TruncationWatch
from app.database.write_queue import WriteQueue
from app.errors import CannotStart, Problem, Replaced
from app.settings import CONNECTIONS
from app.storage.led_elsewhere import LedElsewhere
from app.storage.mounts import Storage

log = structlog.get_logger()


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
        fence: Callable[[], None] = lambda: None,
        on_io_error: Callable[[], None] = lambda: None,
    ) -> None:
        self.storage = storage
        self.condition = Condition()
        self._file, self.truncation = OpenFile(storage), TruncationWatch(storage, self.condition, self.beside)
        self._beside: set[Any] = set()
        self._fence, self._driver = fence, sqlite_driver()
        self._refusals = Refusals(storage, self._driver, self.condition, on_io_error)
        self.seen_time = SeenTime()
        self._engine = engine_on(storage, self._driver, schema, self.seen_time, self._opened)
        self._remembered, self._queue = Remembered(), WriteQueue()  # SQLite's own waiting sleeps and is unfair
        self._checkpoints = Checkpoints(self._checkpoint_all)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database."""
        with self.read_columns() as connection, self._session(connection) as session:
            yield session

    @contextmanager
    def read_columns(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database. Columns are read with a fifth of the work of entities."""
        group_commit.commit_own()
        self._fence()
        before = self._remembered.until_next_write()  # what a write after this changes is not remembered in it
        with self._refusals.translated(), self._engine.connect() as connection:
            begin(connection)
            yield connection.execution_options(remembered=before)

    def first_row(self, statement: Kept, **values: Any) -> Any:
        """Of one statement, which sees one moment by itself: without a transaction it takes half as long."""
        group_commit.commit_own()
        self._fence()
        with self._refusals.translated(), closing(self._engine.raw_connection()) as connection:
            return statement.first(connection, **values)

    def known_of_accounts(self, statement: Kept, **values: Hashable) -> Any:
        """The same of accounts and tokens alone, from the last time if none of them was changed since."""
        ask = partial(self.first_row, statement, **values)
        return answered(self._remembered.of_accounts(), (statement, *values.items()), ask)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that may change things; committed, and on disk, when the block ends without an error.

        Raises Busy after seconds_left() (deadline.py), an Unwell (condition.py), what the fence raises.
        """
        with (
            self._writing(self._remembered.forget) as connection,
            self._session(connection) as session,
            session.begin(),
        ):
            yield session

    def write_columns(self) -> AbstractContextManager[Connection]:
        """For plain inserts, of no account or token. On disk when the block ends, or the group (group_commit.py)."""
        return group_commit.change(partial(self._writing, self._remembered.forget_all_but_accounts))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One writing transaction below the level of sessions, for the migrations.

        Foreign keys are off in it: SQLite changes most tables by making them anew, and dropping the old one would
        delete what hangs on its rows (sqlite.org/lang_altertable, "Making Other Kinds Of Table Schema Changes").
        """
        with self._queued_write(self._remembered.forget), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            set_pragma(driver, "foreign_keys", "off", 0, self.storage)  # inside a transaction it would be ignored
            try:
                with connection.begin():
                    begin_writing(connection, seconds_left())
                    yield connection
            finally:
                set_pragma(driver, "foreign_keys", "on", 1, self.storage)

    def open_all(self) -> None:
        """Opens every connection now, so that no request does, and none after somebody has replaced the file.

        A machine that dies in the middle of opening a file leaves something behind for which its server makes others
        wait (app/storage/delegations.py). Raises CannotStart for what SQLite refuses, where nothing else fits.
        """
        try:
            with self._refusals.translated(), ExitStack() as opened:
                for _ in range(CONNECTIONS):
                    opened.enter_context(self._engine.connect())
        except (DatabaseError, self._driver.DatabaseError) as error:
            why = f"{self.storage.path} can't be opened: {getattr(error, 'orig', error)}."
            raise CannotStart(why, "task-assist doctor says more.") from error

    @contextmanager
    def beside(self) -> Iterator[Any]:
        """SQLite's own connection, for what takes long and runs beside the requests. See `interrupt()`."""
        with self._refusals.translated(), closing(self._engine.raw_connection()) as pooled:
            self._beside.add(connection := pooled.driver_connection)
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
        with self._refusals.translated(), self._queue.turn(WAIT_SECONDS):
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
                self._refusals.translated(),
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

    @contextmanager
    def _writing(self, forget: Callable[[], None]) -> Iterator[Connection]:
        with self._queued_write(forget), self._engine.connect() as connection, connection.begin():
            begin_writing(connection, seconds_left())
            self.seen_time.keep(connection)
            yield connection

    def _may_write(self) -> None:
        self.condition.refuse_writes()
        self._fence()

    @contextmanager
    def _queued_write(self, forget: Callable[[], None]) -> Iterator[None]:
        group_commit.commit_before_another()
        with self._refusals.translated(), self._queue.turn(seconds_left()):
            self._may_write()
            try:
                yield
            finally:
                forget()
            self._checkpoints.wrote()
            self._fence()
            if self.storage.profile == "shared":  # elsewhere it would cost a round trip, and is seen late
                self.look_at_name()
            if cut := self.truncation.look():
                raise cut
            self.condition.wrote()
