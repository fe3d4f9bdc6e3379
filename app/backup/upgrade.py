"""An upgrade of the schema, and the checked copy of the database as it was that is kept beside it."""

from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from app.backup.snapshot import snapshot
from app.database import migrations
from app.database.engine import Database
from app.errors import Conflict

log = structlog.get_logger()


def upgrade(database: Database) -> None:
    """Brings the open database to the schema of this code. Raises CannotStart, and then it is as it was.

    Raises StorageFull where the copy has no room.
    """
    path = database.storage.path
    if migrations.upgrade(database, keep=partial(_keep, database)):
        log.info(f"Brought {path} to schema {migrations.known_revisions()[-1]}.")


def _keep(database: Database, schema: str) -> Path:
    """The copy's path. A try that failed is tried again at each start, so the same name is written again."""
    storage, held = database.storage, nullcontext(database)
    copy = path_of_copy(storage.path)
    try:
        snapshot(storage, copy, force=True, held=held)
    except Conflict:  # of an earlier upgrade, and far fuller
        copy = copy.with_stem(f"{copy.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        snapshot(storage, copy, held=held)
    log.info(f"Kept {storage.path} as it was with schema {schema} in {copy}. Remove it when all is well.")
    return copy


def path_of_copy(database: Path) -> Path:
    return database.with_name(f"{database.stem}-before-upgrade-to-{migrations.known_revisions()[-1]}.db")
