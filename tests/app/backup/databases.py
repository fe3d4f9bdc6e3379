"""Filling, changing and reading the databases of these tests."""

import re
import struct
import subprocess
from contextlib import closing
from pathlib import Path

from app.database import migrations
from app.database.engine import Database
from app.database.sqlite import sqlite_driver
from app.domain.schemas import NewTask, NewWorkItem
from app.domain.tasks import add_task
from app.domain.work_items import add_item
from app.storage.mounts import Profile, Storage, storage_under


def add_items(database: Database, count: int, name: str = "Item") -> None:
    """Each item with one task, in one transaction: at every moment there are as many of the one as of the other."""
    for number in range(count):
        with database.write() as session:
            item = add_item(session.connection(), None, NewWorkItem.model_validate({"title": f"{name} {number}"}))
            add_task(session, None, item.id, NewTask.model_validate({"title": "Task"}))


def closed_database(file: Path, items: int, profile: Profile = "shared") -> Storage:
    """A database with that many items, each with one task, which nobody has open."""
    storage = storage_under(file, profile)
    database = Database(storage)
    migrations.upgrade(database)
    add_items(database, items)
    database.close()
    return storage


def execute(file: Path, *statements: str) -> None:
    """Changes a database behind the app's back."""
    connection = sqlite_driver().connect(str(file), isolation_level=None)
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()


def journal_of(pages: int, *first_pages: bytes) -> bytes:
    """A rollback journal of a file that had so many pages, with what stood in its first page before."""
    header = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", len(first_pages), 7, pages, 512, 4096)
    return header.ljust(512, b"\0") + b"".join(struct.pack(">I", 1) + page + bytes(4) for page in first_pages)


def titles(file: Path) -> list[str]:
    """The items' titles, as the app will see them. Fails for a damaged database."""
    connection = sqlite_driver().connect(str(file))
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [title for (title,) in connection.execute("SELECT title FROM work_items ORDER BY id")]
    finally:
        connection.close()


def type_last_commands(hint: str) -> None:
    """Those at the end of what a refusal says, each as it stands there."""
    lines = hint.splitlines()
    first = max(number for number, line in enumerate(lines) if not line.startswith("  ")) + 1
    for line in lines[first:]:
        subprocess.run(["sh", "-c", line], check=True)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def overwrite_first_page(file: Path, name: str) -> None:
    """That of a table or an index, as a broken disk gives it back."""
    with closing(sqlite_driver().connect(str(file))) as raw:
        (page,) = raw.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as whole:
        whole.seek((page - 1) * size)
        whole.write(b"\xff" * size)


def unfit_index(file: Path, table: str) -> str:
    """The name of an index on `table` that does not fit its rows from now on.

    As an old page of it leaves it, which a disk that loses a write has kept. The quick check does not see it.
    """
    with closing(sqlite_driver().connect(str(file), isolation_level=None)) as raw:
        (index,) = raw.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
        ).fetchone()
        raw.execute("PRAGMA writable_schema = ON")
        (sql,) = raw.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchone()
        others = re.sub(r"\((.*)\)", lambda columns: f"({re.sub('[a-z_]+', 'id + 7', columns[1])})", sql)
        raw.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (others, index))
        raw.execute("PRAGMA writable_schema = RESET")
        raw.execute(f"REINDEX {index}")
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, index))
    return index
