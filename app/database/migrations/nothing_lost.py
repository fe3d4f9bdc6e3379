"""What holds of every upgrade: no row, no reference and no id that was used once is lost by it.

ADD COLUMN changes a table where it is. For nearly all else Alembic makes the table anew (batch_alter_table) and drops
the old one, with which triggers go silently, and which fails where a view names it: so the schema has neither. A
revision that is to rename a table, or to take rows away, has to be let through here first.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.database.sqlite import TABLES_OF_ROWS

if TYPE_CHECKING:
    from sqlalchemy import Connection


class RowsLost(Exception):
    """An upgrade would have taken away what it should keep."""


@contextmanager
def nothing_lost(connection: "Connection") -> Iterator[None]:
    """Raises RowsLost where the block, inside a transaction, leaves fewer rows in a table or references to none."""
    rows, ids, dangling = _rows(connection), _highest_ids(connection), _dangling(connection)
    yield
    after = _rows(connection)
    _refuse_fewer(rows, after)
    _refuse_dangling(_dangling(connection) - dangling)
    _go_on_from(connection, ids, after)


def _rows(connection: "Connection") -> dict[str, int]:
    found = connection.exec_driver_sql(f"{TABLES_OF_ROWS} AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
    return {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one() for (name,) in found.all()}  # noqa: S608


def _refuse_fewer(before: dict[str, int], after: dict[str, int]) -> None:
    fewer = {name: count for name, count in before.items() if after.get(name, 0) < count}
    if fewer:
        lost = (f"{name} had {count} rows and would have {after.get(name, 0)}" for name, count in fewer.items())
        raise RowsLost("; ".join(lost))


def _dangling(connection: "Connection") -> set[tuple[str, str]]:
    """Tables, each with one that its rows belong to, where some row there is missing."""
    return {(table, parent) for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check")}


def _refuse_dangling(found: set[tuple[str, str]]) -> None:
    for table, parent in sorted(found):
        raise RowsLost(f"a row of {table} would belong to a row of {parent} that is not there")


def _highest_ids(connection: "Connection") -> dict[str, int]:
    """The highest id that was ever given, of each table that gives none twice (sqlite.org/autoinc)."""
    if not connection.exec_driver_sql("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").first():
        return {}
    found = connection.exec_driver_sql(
        "SELECT made.name, coalesce(seq, 0) FROM sqlite_schema made LEFT JOIN sqlite_sequence USING (name)"
        " WHERE made.type = 'table' AND made.sql LIKE '%AUTOINCREMENT%'"
    )
    return {name: highest for name, highest in found}  # noqa: C416


def _go_on_from(connection: "Connection", ids: dict[str, int], tables: Iterable[str]) -> None:
    """A table that was made anew only knows of the ids that its rows have, not of those that were deleted."""
    now = _highest_ids(connection)
    for name in ids.keys() & tables:
        if name not in now:
            raise RowsLost(f"{name} would give the ids of deleted rows again: it has lost its AUTOINCREMENT")
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        highest = max(ids[name], now[name])
        connection.exec_driver_sql("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, highest))
