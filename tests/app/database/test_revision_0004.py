"""From backups without a canary to ones with: a table of its own, and nothing else is touched."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import text

from app.backup.copies.snapshot import snapshot
from app.backup.copies.upgrade import upgrade
from app.backup.copies.verify import verify
from app.database import migrations
from app.errors import CannotStart
from app.operations.commands.read_through import read_through
from app.storage.mounts import storage_under
from tests.app.older_code import database_of_schema

TIME = "2026-11-01 12:00:00.000000"


@pytest.fixture
def old(tmp_path: Path):
    """A database of the version before, with one item."""
    database = database_of_schema(storage_under(tmp_path / "a.db"), "0003", tmp_path / "old")
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO work_items (title, notes, status, priority, position, created_at, updated_at)"
                " VALUES ('Item', '', 'open', 'normal', 1, :time, :time)"
            ),
            {"time": TIME},
        )
    yield database
    database.close()


def test_a_backup_of_the_version_before_is_drilled_and_holds_no_canary(old, tmp_path: Path):
    snapshot(old.storage, tmp_path / "backup.db", held=nullcontext(old))
    assert verify(tmp_path / "backup.db").contents.revision == "0003"
    found = read_through(tmp_path / "backup.db")
    assert (found.rows["work_items"], found.canaries) == (1, frozenset())


def test_the_version_before_refuses_it_and_its_copy_is_that_versions(old, tmp_path: Path, monkeypatch):
    newest = migrations.known_revisions()[-1]
    upgrade(old)
    (copy,) = old.storage.path.parent.glob("a-before-upgrade-to-*.db")
    assert verify(copy).contents.revision == "0003"
    monkeypatch.setattr(migrations, "FOLDER", tmp_path / "old")
    with pytest.raises(CannotStart, match=f"has schema {newest}; this version of Task Assist knows up to 0003"):
        upgrade(old)
