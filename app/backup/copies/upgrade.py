"""An upgrade of the schema, and the checked copy of the database as it was that is kept beside it."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import structlog

from app.backup.copies.snapshot import snapshot
from app.backup.copies.staging import free_copy_name
from app.database import migrations
from app.database.condition import found_damaged
from app.database.engine import Database
from app.errors import Broken, Conflict, NotSqlite, Unreadable

log = structlog.get_logger()


def upgrade(database: Database) -> None:
    """Brings the open database to the schema of this code. Raises CannotStart, and then it is as it was.

    Raises StorageFull where the copy has no room, and Damaged where the copy shows that the database is.
    """
    path = database.storage.path
    try:
        upgraded = migrations.upgrade(database, keep=partial(_keep, database))
    except (Broken, NotSqlite) as refused:
        raise found_damaged(path, "before an upgrade it was found", refused) from refused
    if upgraded:
        log.info(f"Brought {path} to schema {migrations.known_revisions()[-1]}.")


def _keep(database: Database, schema: str) -> Path:
    """The copy's path. A try that failed is tried again at each start, so the same name is written again."""
    storage, held = database.storage, nullcontext(database)
    copy = path_of_copy(storage.path)
    try:
        snapshot(storage, copy, force=True, held=held)
    except (Conflict, Unreadable):  # what is there is of an earlier upgrade and far fuller, or no backup at all
        copy = free_copy_name(storage.path, _occasion())
        snapshot(storage, copy, held=held)
    log.info(f"Kept {storage.path} as it was with schema {schema} in {copy}. Remove it when all is well.")
    return copy


def path_of_copy(database: Path) -> Path:
    return database.with_name(f"{database.stem}-{_occasion()}.db")


def _occasion() -> str:
    return migrations.BEFORE_UPGRADE + migrations.known_revisions()[-1]
