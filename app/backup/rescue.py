"""A checked copy of what the app still has open, for a database that somebody has removed or replaced meanwhile."""

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from app.backup.snapshot import snapshot
from app.database.engine import Database


def keep_what_is_open(database: Database) -> Path:
    """The copy's path, beside where the database was. Raises StorageFull, and what else snapshot() does."""
    path = database.storage.path
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    copy = path.with_name(f"{path.stem}-kept-{now}.db")
    snapshot(database.storage, copy, held=nullcontext(database))
    return copy
