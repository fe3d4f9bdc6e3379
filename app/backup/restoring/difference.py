"""What a restore would change, in data: rows that would go, come back, or become what they were."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.database.sqlite import CANARIES, opened, unchanging

SHOWN = {"work_items": ("item", "items"), "tasks": ("task", "tasks"), "users": ("account", "accounts")}
"""What a person knows. Of the others, events and tokens, the counts are told with --json."""


@dataclass(frozen=True)
class Difference:
    """Rows by their ids. `go`: they are there now only; `come`: in the backup only; `change`: in both, not the same."""

    go: int
    come: int
    change: int


def difference(now: Path, then: Path) -> dict[str, Difference]:
    """Per table, between two databases that nobody writes. Columns that one of them has not are left out."""
    with opened(unchanging(now), now) as connection:
        connection.execute("ATTACH ? AS backup", (unchanging(then),))
        tables = sorted(_tables(connection, "main") | _tables(connection, "backup"))
        return {table: _of_table(connection, table) for table in tables}


def in_words(found: dict[str, Difference]) -> str:
    """For example: 12 tasks made since will go, 3 change."""
    said = []
    for table, (one, many) in SHOWN.items():
        rows = found.get(table, Difference(0, 0, 0))
        for count, doing in (
            (rows.go, "made since will go"),
            (rows.come, "will be back"),
            (rows.change, "will change"),
        ):
            said += [f"{count:,} {one if count == 1 else many} {doing}"] if count else []
    return ", ".join(said) or "no item, task or account will change"


def _tables(connection: Any, schema: str) -> set[str]:
    """Those in which people keep rows that have an id."""
    found = connection.execute("SELECT name FROM pragma_table_list WHERE schema = ? AND type = 'table'", (schema,))
    return {name for (name,) in found if name != CANARIES and "id" in _columns(connection, schema, name)}


def _columns(connection: Any, schema: str, table: str) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?, ?)", (table, schema))]


def _of_table(connection: Any, table: str) -> Difference:
    mine, theirs = (_columns(connection, schema, table) for schema in ("main", "backup"))
    if not (mine and theirs):
        whole = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
        return Difference(whole if mine else 0, whole if theirs else 0, 0)
    same = " AND ".join(f'a."{column}" IS b."{column}"' for column in mine if column in theirs)
    both = f'FROM main."{table}" a JOIN backup."{table}" b ON a.id = b.id'
    missing = 'SELECT count(*) FROM {}."{}" a WHERE NOT EXISTS (SELECT 1 FROM {}."{}" b WHERE b.id = a.id)'

    def count(statement: str) -> int:
        return connection.execute(statement).fetchone()[0]

    return Difference(
        go=count(missing.format("main", table, "backup", table)),
        come=count(missing.format("backup", table, "main", table)),
        change=count(f"SELECT count(*) {both} WHERE NOT ({same})"),
    )
