"""What an SQLite file holds: is it this app's, of which schema, how many rows, and is it sound?"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.database.migrations import known_revisions
from app.database.sqlite import APPLICATION_ID, CANARIES, TABLES, TABLES_OF_ROWS, sqlite_driver
from app.database.sqlite_errors import ends_check, fault_in, is_harmless, is_not_allowed
from app.errors import Broken, Foreign, Newer

FAULTS_SHOWN = 3
TABLES_OF_INDEX = "SELECT name FROM pragma_table_list WHERE type = 'shadow' AND name NOT LIKE '%\\_config' ESCAPE '\\'"
"""Those in which FTS5 keeps it; the one left out SQLite reads to know that there is an index at all."""
LINES = 1_000_000
"""Of a whole check: each page that belongs to nothing is one, and they come before what is wrong with the rows."""
Check = Literal["integrity_check", "quick_check"]
"""The quick one leaves out whether the indexes fit the rows, and takes less than half of the time."""


@dataclass(frozen=True)
class Contents:
    """`rows` counts every table in which people keep something, what is in the trash included."""

    rows: dict[str, int]
    revision: str


def read_contents(connection: Any, file: Path) -> Contents:
    """What the open database holds. Raises Foreign and Newer, and Broken where tables are missing, or all."""
    refuse_foreign(connection, file)
    tables = _tables(connection)
    revision = revision_of(connection)
    if revision is None:
        raise Broken(f"{file} is empty: an SQLite database without any table.")
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
    """Raises Foreign for a database that this app didn't make. One without tables is nobody's, and let through."""
    (schema,) = connection.execute("PRAGMA schema_version").fetchone()
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    if mark == APPLICATION_ID or (mark == 0 and schema and _has_own_tables(connection)):
        return
    # Its version stays where all tables were dropped.
    if schema and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise Foreign(f"{file} is another app's database, not one of Task Assist.")


def _has_own_tables(connection: Any) -> bool:
    """A file of this app's whose mark somebody has set to 0, as SQLite's own .dump and .recover do."""
    return set(_tables(connection)) >= TABLES and revision_of(connection) in known_revisions()


def revision_of(connection: Any) -> str | None:
    """The schema's revision. None in a file without tables: it is new, or the app was killed while it made them.

    Raises Broken where there are tables, but nothing that says it.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if not tables:
        return None
    row = None
    if "alembic_version" in tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        raise Broken(
            f"{file} is damaged: nothing in it says its schema (alembic_version).", "Put a backup in its place."
        )
    return row[0]


def refuse_unsound(connection: Any, file: Path, *, check: Check = "integrity_check") -> None:
    """Raises Broken with SQLite's own words if any page, index or constraint of the open database is wrong."""
    if fault := fault_in_file(connection, check):
        raise Broken(f"{file} is damaged: {fault}.")


def fault_in_file(connection: Any, check: Check) -> str | None:
    """SQLite's own words. The search index is left out: a fault in it is mended by itself (search_index.py), and its
    own check takes five times as long as that of all else.

    The quick check goes from table to table. The other one is asked of the whole file, for pages that belong to two.
    """
    if check == "quick_check":
        return _fault_in_tables(connection, check)
    try:
        return None if _is_spotless(connection) else _fault_in_whole(connection)
    except sqlite_driver().DatabaseError as error:
        if not ends_check(str(error)):
            raise
        return _fault_in_tables(connection, check)


def _is_spotless(connection: Any) -> bool:
    """Has SQLite nothing to say of any page, table and index? Only then it comes to the search index, of which it asks
    FTS5 last, and which is not let read. The first thing that it has to say ends this, and costs the whole check."""
    try:
        with _index_unread(connection):
            return connection.execute("PRAGMA integrity_check(1)").fetchall() == [("ok",)]
    except sqlite_driver().DatabaseError as error:
        if not is_not_allowed(str(error)):
            raise
        return True


@contextmanager
def _index_unread(connection: Any) -> Iterator[None]:
    """FTS5 checks itself by reading its own tables with statements, as nobody else does; the first of these fails."""
    driver: Any = sqlite_driver()
    own = {name for (name,) in connection.execute(TABLES_OF_INDEX)}

    def judge(action: int, table: str | None, *_: object) -> int:
        return driver.SQLITE_DENY if action == driver.SQLITE_READ and table in own else driver.SQLITE_OK

    connection.set_authorizer(judge)
    try:
        yield
    finally:
        connection.set_authorizer(None)


def _fault_in_whole(connection: Any) -> str | None:
    """Of every table, and of pages that belong to two."""
    said = (line for row in connection.execute(f"PRAGMA integrity_check({LINES})") for line in row[0].splitlines())
    return said_by_check(line for line in said if not is_harmless(line))


def _fault_in_tables(connection: Any, check: Check) -> str | None:
    found = (fault_in_table(connection, table, check=check) for table in tables_to_check(connection))
    return next(filter(None, found), None)


def said_by_check(said: Iterable[str]) -> str | None:
    """What a check of SQLite's answers, on one line, None where all is well. What it says many times is said once."""
    lines = Counter(
        line.strip() for each in said for line in each.splitlines() if not line.startswith("*** in database")
    )
    shown = [f"{line} ({count:,} times)" if count > 1 else line for line, count in lines.items() if line != "ok"]
    more = f"; and {len(shown) - FAULTS_SHOWN:,} more" if len(shown) > FAULTS_SHOWN else ""
    return "; ".join(shown[:FAULTS_SHOWN]) + more or None


def tables_to_check(connection: Any) -> list[str]:
    """Every table that holds rows, SQLite's own among them; not those of a search index, which is made anew instead."""
    return [name for (name,) in connection.execute(TABLES_OF_ROWS)]


def fault_in_table(connection: Any, table: str, *, check: Check = "integrity_check") -> str | None:
    """SQLite's own words for what is wrong with a page of the table or of an index on it, or where one lacks a row."""
    try:
        fault = said_by_check(row[0] for row in connection.execute(f"PRAGMA {check}('{table}')"))
    except sqlite_driver().DatabaseError as error:
        if fault_in(str(error)) != "malformed":
            raise
        fault = str(error)
    return f"in the table {table}: {fault}" if fault else None


def _tables(connection: Any) -> list[str]:
    found = sorted(tables_to_check(connection))
    return [name for name in found if not name.startswith("sqlite_") and name not in ("alembic_version", CANARIES)]
