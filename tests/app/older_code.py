"""The database as an older version of the app leaves it."""

import shutil
from pathlib import Path

import pytest

from app.database import migrations
from app.database.engine import Database
from app.storage.mounts import Storage


def database_of_schema(storage: Storage, revision: str, folder: Path) -> Database:
    """A new one, open, of the revision that the app had then; `folder` is for what knows no later one."""
    shutil.copytree(migrations.FOLDER, folder)
    for later in migrations.known_revisions():
        if later > revision:
            next((folder / "versions").glob(f"{later}_*.py")).unlink()
    with pytest.MonkeyPatch.context() as older:
        older.setattr(migrations, "FOLDER", folder)
        database = Database(storage)
        migrations.upgrade(database)
    return database
