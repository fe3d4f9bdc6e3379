"""How each connection to the database is opened, and what is set on it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from app.database.condition import damaged
from app.database.contents import refuse_foreign, revision_of
from app.database.emptied import emptied
from app.database.seen_time import SeenTime
from app.database.sqlite import WAIT_SECONDS, connect, remove_old_index, sqlite_uri
from app.errors import Broken, CannotStart, Foreign
from app.settings import CONNECTIONS
from app.storage.delegations import give_back_delegations
from app.storage.files import size_of
from app.storage.mounts import Storage, beside
from app.storage.owner import chown_like

PRAGMAS = {
    "journal_mode": ("wal", "wal"),
    "synchronous": ("full", 2),
    "foreign_keys": ("on", 1),
    "busy_timeout": (WAIT_SECONDS * 1000, WAIT_SECONDS * 1000),
}
"""What is set on every connection, and what SQLite must answer when asked again: it refuses silently."""
UNNOTICED = 0.1
"""Seconds of WAIT_SECONDS that may be gone without two more statements for them."""


def engine_on(
    storage: Storage,
    driver: ModuleType,
    schema: str | None,
    seen_time: SeenTime,
    opened: Callable[[Path], None],
) -> Engine:
    """`schema`: the one that is known to have been in the file, which then is not opened without tables.

    `opened` is called with the name of each file that a connection has just opened, and raises where it is not the one
    that the connections before it have open.
    """
    engine = create_engine(
        "sqlite+pysqlite://",
        module=driver,
        creator=partial(connect, sqlite_uri(storage), wait=WAIT_SECONDS),
        poolclass=QueuePool,
        # What people wrote, and password hashes, must not come into the log with an error.
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        # The one that was used last: what it has read is still valid if nobody else wrote meanwhile.
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        opened(storage.path)
        _look_and_set_up(connection, storage, schema)
        seen_time.begin(connection)
        give_back_delegations(storage)
        remove_old_index(storage)
        opened(beside(storage.path, "-wal"))

    return engine


def _look_and_set_up(connection: Any, storage: Storage, schema: str | None) -> None:
    if not size_of(storage.path) and storage.path.exists():
        chown_like(storage.path, storage.path.parent)  # SQLite has just made it, and gives what lies beside it alike
    _refuse_foreign(connection, storage)
    if schema:
        _refuse_emptied(connection, storage, schema)
    for pragma, (value, expected) in PRAGMAS.items():
        set_pragma(connection, pragma, value, expected, storage)


def begin(connection: Connection) -> None:
    """SQLite's transaction, which the driver begins none. Ends with the connection's own, or when it is closed.

    Past SQLAlchemy, for which it would be one more statement, or an event that it looks for at each of them.
    """
    cast(Any, connection.connection.driver_connection).execute("BEGIN")


def begin_writing(connection: Connection, within: float) -> None:
    """The same once nobody else writes, which is waited for `within` seconds."""
    driver_connection = cast(Any, connection.connection.driver_connection)
    if within > WAIT_SECONDS - UNNOTICED:
        driver_connection.execute("BEGIN IMMEDIATE")
        return
    driver_connection.execute(f"PRAGMA busy_timeout = {within * 1000:.0f}")
    try:
        driver_connection.execute("BEGIN IMMEDIATE")
    finally:
        driver_connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")


def set_pragma(connection: Any, pragma: str, value: object, expected: object, storage: Storage) -> None:
    """Raises CannotStart where SQLite answers otherwise than expected."""
    connection.execute(f"PRAGMA {pragma} = {value}")
    (answer,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    if answer != expected:
        raise CannotStart(
            f"SQLite answered {pragma} = {answer} instead of {expected} for {storage.path}.",
            "Nothing can be relied on there: use a disk or share of another kind. task-assist doctor shows this one.",
        )


def empty_wal(connection: Any) -> bool:
    """True if all is in the file and the WAL is empty. Waits for no reader: what one still reads stays in the WAL."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        (left, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
    return not left


def _refuse_emptied(connection: Any, storage: Storage, schema: str) -> None:
    try:
        found = revision_of(connection)
    except Broken:
        raise damaged(storage.path, "nothing in it says its schema (alembic_version)") from None
    if found is None:
        raise emptied(storage.path, schema)


def _refuse_foreign(connection: Any, storage: Storage) -> None:
    """Before the first PRAGMA that writes: another app's file is not even switched to WAL."""
    try:
        refuse_foreign(connection, storage.path)
    except Foreign:
        raise CannotStart(
            f"{storage.path} is another app's database.",
            "Nothing was changed. Set DATABASE_PATH to another file, or move this one away.",
        ) from None
