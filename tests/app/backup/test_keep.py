"""What is kept of a database before another file takes its place."""

import pytest

from app.backup.keep import keep
from app.database import sqlite
from app.database.sqlite import sqlite_driver
from app.errors import Broken, Held
from app.storage.mounts import Storage, beside
from tests.app.backup.conftest import Make
from tests.app.backup.databases import names


def test_a_log_that_sqlite_folded_in_while_it_failed_to_copy_is_not_missed(make: Make, monkeypatch):
    storage = make(items=1)
    log = beside(storage.path, "-wal")
    log.write_bytes(b"folded in by the look that found the damage")

    def fails(_storage: Storage, _file: object) -> None:
        log.unlink()
        raise Broken("malformed")

    monkeypatch.setattr("app.backup.keep.snapshot", fails)
    kept = keep(storage, "before-restore")
    assert kept and kept.files == [kept.file] and not kept.sound
    assert kept.file.read_bytes() == storage.path.read_bytes()


def test_what_another_process_is_writing_is_not_kept_half_written(make: Make, monkeypatch):
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.1)
    storage = make(items=1)
    writing = sqlite_driver().connect(str(storage.path), isolation_level=None)
    writing.execute("PRAGMA locking_mode = EXCLUSIVE")
    writing.execute("BEGIN EXCLUSIVE")
    writing.execute("DELETE FROM tasks")
    with pytest.raises(Held, match="Stop the app"):
        keep(storage, "before-restore")
    left = [name for name in names(storage.path.parent) if "before-restore" in name]
    writing.close()
    assert not left
