"""Backups of every format that was ever released can be restored: those in released/ are never made anew."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.backup.proofs.drill import Drill
from app.backup.stores.store import store_at
from app.backup.stores.stored_backup import names_in, read_stored_backup
from app.backup.transfer.encryption import identities_in
from app.cli import main
from app.operations.commands.read_through import read_through
from app.storage.mounts import storage_under
from tests.app.backup.databases import names, titles

RELEASED = Path(__file__).with_name("released")
FILES = ["format-1.sqlite", *(name for name in sorted(names(RELEASED)) if ".db.zst" in name)]


@pytest.mark.parametrize("file", FILES)
def test_it_is_restored(file: str, tmp_path: Path, monkeypatch):
    shutil.copytree(RELEASED, tmp_path / "released")
    (tmp_path / "volume").mkdir()
    database = tmp_path / "volume/task_manager.db"
    monkeypatch.setenv("DATABASE_PATH", str(database))
    key = str(tmp_path / "released/key.txt")
    done = CliRunner().invoke(main, ["restore", str(tmp_path / "released" / file), "--identity", key])
    assert done.exit_code == 0, done.output
    assert titles(database) == ["Item 0", "Item 1", "Item 2"]


def test_they_pass_their_drill(tmp_path: Path):
    """Which brings them to this version's schema, and reads them as the app would."""
    shutil.copytree(RELEASED, tmp_path / "released")
    store = store_at((tmp_path / "released").as_uri())
    keys = identities_in(RELEASED / "key.txt")
    found = names_in(store)
    assert len(found) == 4
    for name in found:
        assert Drill(store, read_stored_backup(store, name), storage_under(tmp_path / "a.db"), keys, read_through).run()
