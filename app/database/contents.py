"""What an SQLite file holds: is it this app's, of which schema, how many rows, and is it sound?"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.database.migrations import known_revisions
from app.database.sqlite import APPLICATION_ID, TABLES, sqlite_driver
from app.errors import Broken, Foreign, Held, Newer, NotSqlite, Refused, StorageFull

FAULTS_SHOWN = 3
WAIT_SECONDS = 5
"""How long to wait for another process to let go of the database; the app's own writes take milliseconds."""


@dataclass(frozen=True)
class Contents:
    """`rows` counts every table of the app, what is in the trash included."""

    rows: dict[str, int]
    revision: str


@contextmanager
def opened(uri: str, file: Path, *, wait: float | None = None) -> Iterator[Any]:
    """A connection of SQLite's driver; what SQLite refuses inside comes out as a Refused or StorageFull.

    `wait`: seconds for another process to let go, instead of WAIT_SECONDS.
    """
    driver = sqlite_driver()
    wait = WAIT_SECONDS if wait is None else wait
    try:
        with closing(driver.connect(uri, uri=True, isolation_level=None, timeout=wait)) as connection:
            yield connection
    except driver.DatabaseError as error:
        raise _in_words(file, str(error)) from error


def unchanging(file: Path) -> str:
    """The URI of a file that nobody writes: SQLite makes no -wal or -shm beside it and takes no lock."""
    return f"{file.absolute().as_uri()}?mode=ro&immutable=1"


def read_contents(connection: Any, file: Path) -> Contents:
    """What the open database holds. Raises Foreign and Newer, and Broken where tables are missing."""
    refuse_foreign(connection, file)
    tables = _tables(connection)
    revision = _revision(connection, tables)
    known = known_revisions()
    if revision not in known:
        raise Newer(
            f"{file} has schema {revision}; this version of Task Assist knows up to {known[-1]}.",
            "Use the version of Task Assist that wrote it, or a newer one.",
        )
    missing = TABLES - set(tables)
    if revision == known[-1] and missing:
        raise Broken(f"{file} is damaged: it lacks {', '.join(sorted(missing))}.")
    rows = {table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}  # noqa: S608
    return Contents(rows, revision)


def refuse_foreign(connection: Any, file: Path) -> None:
    """Raises Foreign for a database that this app didn't make."""
    (schema,) = connection.execute("PRAGMA schema_version").fetchone()
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    if mark != APPLICATION_ID:
        what = "another app's database" if schema else "an SQLite database without any table"
        raise Foreign(f"{file} is {what}, not one of Task Assist.")


def refuse_unsound(
    connection: Any, file: Path, *, check: Literal["integrity_check", "quick_check"] = "integrity_check"
) -> None:
    """Raises Broken with SQLite's own words if any page, index or constraint of the open database is wrong.

    "quick_check" leaves out whether the indexes fit the rows, and takes a quarter of the time.
    """
    faults = [" ".join(row[0].split()) for row in connection.execute(f"PRAGMA {check}({FAULTS_SHOWN})")]
    if faults != ["ok"]:
        raise Broken(f"{file} is damaged: {'; '.join(faults)}.")


def _tables(connection: Any) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if not name.startswith("sqlite_") and name != "alembic_version"]


def _revision(connection: Any, tables: list[str]) -> str | None:
    if not tables:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def _in_words(file: Path, said: str) -> Refused | StorageFull:
    if "locked" in said:
        return Held(
            f"{file} is in use by another process that has it for itself.",
            "Stop the app, run this again, and start the app.",
        )
    if "is full" in said:
        return StorageFull(f"There is no room left beside {file}.", "Free some space, and try again.")
    if "not a database" in said:
        return NotSqlite(f"{file} is not an SQLite database, or it is encrypted.")
    return Broken(f"{file} is damaged or can't be read: {said}.")
