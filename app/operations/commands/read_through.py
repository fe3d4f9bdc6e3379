"""Reads a copy of the database as the app would: brought to this version's schema, through the app's own queries."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from app.backup.proofs.drill import Read
from app.database import migrations
from app.database.engine import Database
from app.domain import accounts, shown, trash
from app.domain.models import Canary, Event, Task, User, WorkItem
from app.domain.schemas import Filters
from app.storage.mounts import storage_under

PAGE, OPENED = 100, 100
"""Items a page of the list; of so many items all that their own pages show is read, too."""
COUNTED = {"work_items": WorkItem, "tasks": Task, "users": User, "events": Event}


def read_through(copy: Path) -> Read:
    """With the trash. Raises what the app's start or a page would."""
    database = Database(storage_under(copy, "shared"))
    try:
        migrations.upgrade(database)
        with database.read_columns() as connection:
            today = datetime.now(UTC).date()
            for _ in _all_items(connection, today):
                pass
            for item in islice(_all_items(connection, today), OPENED):
                shown.get_item(connection, item.id)
                shown.list_tasks(connection, item.id, limit=PAGE)
                shown.list_events(connection, item.id)
            trash.list_trash(connection, limit=PAGE)
            accounts.count_accounts(connection)
            return Read(_rows(connection), frozenset(connection.scalars(select(Canary.word))))
    finally:
        database.close()


def _rows(connection: Connection) -> dict[str, int]:
    return {name: connection.scalar(select(func.count()).select_from(model)) or 0 for name, model in COUNTED.items()}


def _all_items(connection: Connection, today: Any) -> Iterator[Any]:
    after = shown.TOP
    while rows := shown.list_items(connection, Filters(), today, limit=PAGE, after=after).rows:
        yield from rows
        after = (rows[-1].position, rows[-1].id)
