"""A checked copy of what the app still has open, for a database that somebody has removed or replaced meanwhile."""

import glob
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.backup.copies.snapshot import snapshot
from app.backup.copies.staging import free_copy_name
from app.storage.mounts import Storage

if TYPE_CHECKING:
    from app.database.engine import Database  # the command that looks for copies does without SQLAlchemy


def copy_open_database(database: "Database") -> Path:
    """The copy's path, beside where the database was. Raises StorageFull, and what else snapshot() does."""
    with suppress(OSError):  # it may have been removed with the folder; where it can't be made, the copy says why
        database.storage.path.parent.mkdir(parents=True, exist_ok=True)
    copy = free_copy_name(database.storage.path, "kept")
    snapshot(database.storage, copy, held=nullcontext(database))
    return copy


def kept_copies(storage: Storage) -> frozenset[Path]:
    """Those that apps have made so far."""
    return frozenset(storage.path.parent.glob(f"{glob.escape(storage.path.stem)}-kept-*.db"))
