"""The schema's history. It is upgraded at start, never down; code that is too old for a database says so."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import CannotStart

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database.engine import Database

FOLDER = Path(__file__).parent


def known_revisions() -> list[str]:
    """The revisions this code knows, oldest first: the numbers that the file names in versions/ begin with."""
    return sorted(file.name.split("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


def upgrade(database: "Database") -> bool:
    """Brings the schema up to this code, in one transaction. True if there was something to do.

    Raises CannotStart for a database of newer code.
    """
    # Imported here because contents.py asks this module for known_revisions.
    from app.database.contents import revision_of

    with database.connection() as connection:
        found = revision_of(connection.connection.driver_connection)
        if found == known_revisions()[-1]:
            return False
        if why := too_new(found, database.storage.path):
            raise why
        _run_alembic(connection)
    return True


def too_new(schema: str | None, database: Path) -> CannotStart | None:
    """Why this code must leave the database alone, if it doesn't know its schema. A database without one is new."""
    known = known_revisions()
    if schema is None or schema in known:
        return None
    return CannotStart(
        f"{database} has schema {schema}; this version of Task Assist knows up to {known[-1]}.",
        "Nothing was changed. Run the newer version again, or restore a backup made by this one.",
    )


def _run_alembic(connection: "Connection") -> None:
    # Imported here because a start that has nothing to upgrade, which is nearly every one, need not wait for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
