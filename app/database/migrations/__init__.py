"""The schema's history. It is upgraded at start, never down; code that is too old for a database says so."""

import glob
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.database.migrations.nothing_lost import nothing_lost
from app.errors import CannotStart, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database.engine import Database

FOLDER = Path(__file__).parent
BEFORE_UPGRADE = "before-upgrade-to-"
"""In the name of the copy that is kept beside the database, with the schema after it."""


def known_revisions() -> list[str]:
    """The revisions this code knows, oldest first: the numbers that the file names in versions/ begin with."""
    return sorted(file.name.split("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


def upgrade(database: "Database", *, keep: Callable[[str], Path] | None = None) -> bool:
    """Brings the schema up to this code, in one transaction. True if there was something to do.

    `keep` copies the database as it is and gives the copy's path; called with its schema, unless it is a new one.
    Raises CannotStart for a database of newer code, and for an upgrade that fails or would lose rows: the database is
    then as it was.
    """
    # Imported here because contents.py asks this module for known_revisions.
    from app.database.contents import revision_of

    found, kept = None, None
    try:
        with database.connection() as connection:
            found = revision_of(connection.connection.driver_connection)
            _mark_again(connection, found)
            if found == known_revisions()[-1]:
                return False
            if why := too_new(found, database.storage.path):
                raise why
            kept = keep(found) if found and keep else None
            with nothing_lost(connection):
                _run_alembic(connection)
    except Problem:
        raise
    except Exception as error:
        raise _failed(database.storage.path, found, kept, error) from error
    return True


def _mark_again(connection: "Connection", found: str | None) -> None:
    """A database of this app's by its tables (contents.refuse_foreign) from which the mark was lost."""
    from app.database.sqlite import APPLICATION_ID

    if found and connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION_ID:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _failed(database: Path, found: str | None, kept: Path | None, error: Exception) -> CannotStart:
    what = str(getattr(error, "orig", None) or error).partition("\n")[0].rstrip(".")
    back = "Run the version of Task Assist that you had before, and report this." if found else "Report this."
    copy = f" A checked copy of it is {kept}." if kept else ""
    return CannotStart(
        f"The upgrade of {database} from schema {found or 'none'} to {known_revisions()[-1]} failed: {what}.",
        f"The database is as it was.{copy} {back}",
    )


def too_new(schema: str | None, database: Path) -> CannotStart | None:
    """Why this code must leave the database alone, if it doesn't know its schema. A database without one is new."""
    known = known_revisions()
    if schema is None or schema in known:
        return None
    return CannotStart(
        f"{database} has schema {schema}; this version of Task Assist knows up to {known[-1]}.",
        "Nothing was changed. Run the newer version again, or restore a backup made by this one."
        + _copy_of_before(database),
    )


def _copy_of_before(database: Path) -> str:
    """How to go back to what was kept before the upgrade that this code doesn't know, where that lies there."""
    kept = database.parent.glob(f"{glob.escape(database.stem)}-{BEFORE_UPGRADE}*.db")
    copies = {file.stem.partition(BEFORE_UPGRADE)[2]: file for file in kept}
    if not (later := sorted(schema for schema in copies if schema > known_revisions()[-1])):
        return ""
    return (
        "\nTo have it as it was before the upgrade, without what came since, where the app runs (docker compose run "
        f"--rm app ...):\n  {shlex.join(('task-assist', 'restore', str(copies[later[0]])))}"
    )


def _run_alembic(connection: "Connection") -> None:
    # Imported here because a start that has nothing to upgrade, which is nearly every one, need not wait for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
