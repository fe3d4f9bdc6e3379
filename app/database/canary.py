"""The canaries: rows that nobody but a drill looks for, each written just before a backup and named in its manifest.

Counts and hashes of a copy are taken from the copy itself. Only what was written from outside shows that it was made of
the database that the app had at that time. No page, count, search or difference knows of them.
"""

from typing import Any

from app.database.sqlite import CANARIES

STAY = 20
"""So many of the newest: backups that are made at once must not take each other's away."""


def write_canary(connection: Any, word: str) -> None:
    """`connection`: SQLite's own, inside a transaction or not."""
    connection.execute(f"INSERT INTO {CANARIES} (word) VALUES (?)", (word,))  # noqa: S608
    connection.execute(f"DELETE FROM {CANARIES} WHERE id <= (SELECT max(id) FROM {CANARIES}) - ?", (STAY,))  # noqa: S608


def has_canary(connection: Any, word: str) -> bool:
    """False also in a database of a schema that has no canaries."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (CANARIES,)).fetchone() is None:
        return False
    return connection.execute(f"SELECT 1 FROM {CANARIES} WHERE word = ?", (word,)).fetchone() is not None  # noqa: S608
