"""The table in which a search looks: one row of text for each work item that is not in the trash, with its id.

FTS5 keeps where each three letters stand (its trigram tokenizer), so that a word is found inside others, and in
languages without spaces. Text and words are casefolded here, since SQLite folds fewer letters. Two line breaks end a
text, so that three letters begin at each of its letters: a word of one or two is found by those that begin with it.
No triggers write it: making a table anew drops them silently. A fault in it is no damage: it holds nothing that the
other tables do not, and is made anew from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.database.contents import fault_in_table
from app.database.kept import run

TABLE, TRIGRAMS = "search", "search_trigrams"
MAKE = (
    f"CREATE VIRTUAL TABLE {TABLE} USING fts5(text, columnsize=0, tokenize='trigram case_sensitive 1')",
    f"CREATE VIRTUAL TABLE {TRIGRAMS} USING fts5vocab({TABLE}, row)",
)
TEXTS = """
    SELECT id, title, notes,
        (SELECT group_concat(title, char(10)) FROM tasks WHERE work_item_id = work_items.id AND deleted_at IS NULL)
    FROM work_items WHERE deleted_at IS NULL"""
TEXT_OF_ONE = text(f"{TEXTS} AND id = :id")
WRITE = f"INSERT OR REPLACE INTO {TABLE} (rowid, text) VALUES (?, ?)"  # noqa: S608


def write_text(connection: Connection, item_id: int) -> None:
    """What the item's row and its tasks say now; nothing of an item that lies in the trash or is gone."""
    found = connection.execute(TEXT_OF_ONE, {"id": item_id}).first()
    if found:
        connection.exec_driver_sql(WRITE, _row(*found))
    else:
        connection.exec_driver_sql(f"DELETE FROM {TABLE} WHERE rowid = ?", (item_id,))  # noqa: S608


def write_new_text(connection: Connection, item_id: int, title: str, notes: str) -> None:
    """The same of an item that has no tasks yet."""
    run(connection, WRITE, _row(item_id, title, notes, None))


def make(connection: Connection) -> None:
    """The table, and in it every text that there is."""
    for statement in MAKE:
        connection.exec_driver_sql(statement)
    sqlite: Any = connection.connection.driver_connection
    sqlite.executemany(WRITE, _rows(sqlite))


@dataclass(frozen=True)
class IndexFault:
    """`what`: SQLite's own words. `in_pages`: not only that the index does not fit its texts."""

    what: str
    in_pages: bool


def fault_in_index(connection: Any) -> IndexFault | None:
    """To be asked outside of a transaction: once it has met a damaged page in one, SQLite writes nothing more in it."""
    for kind in ("shadow", "virtual"):
        for name in _own_tables(connection, kind):
            if what := fault_in_table(connection, name):
                return IndexFault(what, in_pages=kind == "shadow")
    return None


def make_anew(connection: Connection, *, damaged_pages: bool = False) -> None:
    """SQLite can't take damaged pages away: they are left in the file, and belong to nothing."""
    if damaged_pages:
        _forget(connection.connection.driver_connection)
    else:
        for table in (TRIGRAMS, TABLE):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    make(connection)


def is_no_part(name: str | None, kind: str, _parents: Any) -> bool:
    """For Alembic, which compares the models with the schema: this table has no model."""
    return not (kind == "table" and name and name.startswith(TABLE))


def _rows(sqlite: Any) -> Iterator[tuple[int, str]]:
    return (_row(*found) for found in sqlite.execute(f"{TEXTS} ORDER BY id"))


def _row(item_id: int, title: str, notes: str, tasks: str | None) -> tuple[int, str]:
    return item_id, f"{title}\n{notes}\n{tasks or ''}".casefold() + "\n\n"


def _own_tables(connection: Any, kind: str) -> list[str]:
    """The virtual ones, or the "shadow" ones in which FTS5 keeps what they hold."""
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_list WHERE type = ?", (kind,))]


def _forget(connection: Any) -> None:
    names = _own_tables(connection, "virtual") + _own_tables(connection, "shadow")
    connection.execute("PRAGMA writable_schema = ON")
    try:
        connection.executemany("DELETE FROM sqlite_schema WHERE tbl_name = ?", [(name,) for name in names])
    finally:
        connection.execute("PRAGMA writable_schema = RESET")
