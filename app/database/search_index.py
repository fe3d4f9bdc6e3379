"""The table in which a search looks: one row of text for each work item that is not in the trash, with its id.

FTS5 keeps where each three letters stand (its trigram tokenizer), so that a word is found inside others, and in
languages without spaces. Text and words are casefolded here, since SQLite folds fewer letters. Two line breaks end a
text, so that three letters begin at each of its letters: a word of one or two is found by those that begin with it.
No triggers write it: making a table anew drops them silently. A fault in it is no damage: it holds nothing that the
other tables do not, and is made anew from them.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from app.database.contents import Check, fault_in_table
from app.database.sqlite_errors import fault_in

TABLE, TRIGRAMS = "search", "search_trigrams"
MAKE = (
    f"CREATE VIRTUAL TABLE {TABLE} USING fts5(text, columnsize=0, tokenize='trigram case_sensitive 1')",
    f"CREATE VIRTUAL TABLE {TRIGRAMS} USING fts5vocab({TABLE}, row)",
)
TEXTS = """
    SELECT id, title, notes,
        (SELECT group_concat(title, char(10)) FROM tasks WHERE work_item_id = work_items.id AND deleted_at IS NULL)
    FROM work_items WHERE deleted_at IS NULL"""
WRITE = f"INSERT OR REPLACE INTO {TABLE} (rowid, text) VALUES (?, ?)"  # noqa: S608


def write_text(connection: Connection, item_id: int) -> None:
    """What the item's row and its tasks say now; nothing of an item that lies in the trash or is gone."""
    found = connection.exec_driver_sql(f"{TEXTS} AND id = ?", (item_id,)).first()
    if found:
        connection.exec_driver_sql(WRITE, _row(*found))
    else:
        connection.exec_driver_sql(f"DELETE FROM {TABLE} WHERE rowid = ?", (item_id,))  # noqa: S608


def make(connection: Connection) -> None:
    """The table, and in it every text that there is."""
    for statement in MAKE:
        connection.exec_driver_sql(statement)
    sqlite: Any = connection.connection.driver_connection
    sqlite.executemany(WRITE, _rows(sqlite))


def make_anew(connection: Connection) -> None:
    """Also where SQLite can't take away the old one, since its pages are damaged: they are left where they are."""
    try:
        with connection.begin_nested():
            for table in (TRIGRAMS, TABLE):
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    except DatabaseError as error:
        if fault_in(str(error.orig)) != "malformed":
            raise
        _forget(connection)
    make(connection)


def fault_in_index(connection: Any, check: Check) -> str | None:
    """SQLite's own words. The quick check leaves out whether the index fits the texts: that takes ten times as long."""
    kinds = ("shadow", "virtual") if check == "integrity_check" else ("shadow",)
    tables = [name for name, kind in _own_tables(connection) if kind in kinds]
    return next(filter(None, (fault_in_table(connection, table, check=check) for table in tables)), None)


def is_no_part(name: str | None, kind: str, _parents: Any) -> bool:
    """For Alembic, which compares the models with the schema: this table has no model."""
    return not (kind == "table" and name and name.startswith(TABLE))


def _rows(sqlite: Any) -> Iterator[tuple[int, str]]:
    return (_row(*found) for found in sqlite.execute(f"{TEXTS} ORDER BY id"))


def _row(item_id: int, title: str, notes: str, tasks: str | None) -> tuple[int, str]:
    return item_id, f"{title}\n{notes}\n{tasks or ''}".casefold() + "\n\n"


def _own_tables(connection: Any) -> list[tuple[str, str]]:
    """With their kinds: the virtual ones, and those in which FTS5 keeps what they hold."""
    found = connection.execute("SELECT name, type FROM pragma_table_list WHERE type IN ('virtual', 'shadow')")
    return found.fetchall()


def _forget(connection: Connection) -> None:
    sqlite: Any = connection.connection.driver_connection
    names = [(name,) for name, _ in _own_tables(sqlite)]
    sqlite.execute("PRAGMA writable_schema = ON")
    try:
        sqlite.executemany("DELETE FROM sqlite_schema WHERE tbl_name = ?", names)
    finally:
        sqlite.execute("PRAGMA writable_schema = RESET")
