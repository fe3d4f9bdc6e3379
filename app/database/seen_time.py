"""Time as the database has seen it pass, whatever the machine's clock says: for what ends after so many days.

A clock that jumps forward by a year must not empty the trash, and one that jumps back must not sign people out. So time
counts only while an app has the database open, by a clock that never jumps; a start counts an hour at most. The sum is
kept in the file itself, as hours since 1970 in SQLite's user_version, and travels with each backup. A file without it,
of an older version of the app, has seen the time of its newest row.
"""

import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.database.contents import tables_to_check
from app.database.sqlite import sqlite_driver
from app.database.sqlite_errors import fault_in

HOUR = 3600
CENTURY = 100 * 365 * 24 * HOUR
"""What is kept in the file and later than the clock by this much, no app has seen pass: somebody else wrote it."""


class SeenTime:
    """Of one open database. Where the clock was never wrong: the time of day, less the hours that it was closed."""

    def __init__(self) -> None:
        self._at_start = self._started = 0.0
        self._kept: int | None = None
        """What the file was seen to hold."""

    def begin(self, connection: Any) -> None:
        """Reads what is kept in the file. Only the first call counts."""
        if self._started:
            return
        (hours,) = connection.execute("PRAGMA user_version").fetchone()
        clock, kept = time.time(), float(hours * HOUR)
        if 0 < kept < clock + CENTURY:
            self._at_start = min(max(clock, kept), kept + HOUR)
        else:
            # A row's time is not trusted to be later than the clock's: one that was wrong once may have written it.
            self._at_start = min(clock, _newest_row(connection, clock) + HOUR)
        self._started = _never_jumps()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._at_start + _never_jumps() - self._started, UTC)

    def keep(self, connection: Connection) -> None:
        """Writes it into the file, once an hour at most: with the first write, so that no row is without it."""
        hours = int(self.now().timestamp()) // HOUR  # after the first connection of all, which is what `begin()` needs
        if hours == self._kept:
            return
        sqlite: Any = connection.connection.driver_connection
        if sqlite.execute("PRAGMA user_version").fetchone() == (hours,):
            self._kept = hours
        else:  # seen by the next write: this one may yet be undone
            sqlite.execute(f"PRAGMA user_version = {hours}")


def _never_jumps() -> float:
    """Seconds, also those that the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _newest_row(connection: Any, otherwise: float) -> float:
    """When the newest row was written or deleted, in seconds since 1970; `otherwise` where there is none."""
    times = (_newest_in(connection, table) for table in tables_to_check(connection))
    return max((found for found in times if found is not None), default=otherwise)


def _newest_in(connection: Any, table: str) -> float | None:
    columns = connection.execute("SELECT name FROM pragma_table_info(?) WHERE type = 'DATETIME'", (table,))
    newest = ", ".join(f"""unixepoch(max("{name}"))""" for (name,) in columns.fetchall())
    try:
        found = connection.execute(f'SELECT {newest or "NULL"} FROM "{table}"').fetchone()  # noqa: S608
    except sqlite_driver().DatabaseError as error:
        if fault_in(str(error)) != "malformed":
            raise
        return None  # what is damaged is found, and said, by the checks of the file (writer/checkup.py)
    return max((each for each in found or () if each is not None), default=None)


def seen_time(session: Session) -> SeenTime:
    """That of the database that the session is on."""
    return session.info["seen_time"]
