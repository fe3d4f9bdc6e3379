"""What is kept of a database before another file takes its place."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.backup.copies.safety_copy import keep
from app.database import sqlite
from app.database.sqlite import sqlite_driver
from app.errors import Broken, Held, StorageFull
from app.storage.mounts import Storage, beside
from tests.app.backup.conftest import Make
from tests.app.backup.databases import names


def test_a_log_that_sqlite_folded_in_while_it_failed_to_copy_is_not_missed(make: Make, monkeypatch):
    storage = make(items=1)
    log = beside(storage.path, "-wal")
    log.write_bytes(b"folded in by the look that found the damage")

    def fails(_storage: Storage, _file: object, **_: object) -> None:
        log.unlink()
        raise Broken("malformed")

    monkeypatch.setattr("app.backup.copies.safety_copy.snapshot", fails)
    kept = keep(storage, "before-restore", 0)
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
        keep(storage, "before-restore", 0)
    left = [name for name in names(storage.path.parent) if "before-restore" in name]
    writing.close()
    assert not left


def test_it_needs_room_for_what_is_kept_and_for_what_comes(make: Make, monkeypatch):
    storage = make(items=1)
    size = storage.path.stat().st_size
    monkeypatch.setattr("app.backup.copies.disk_space.shutil.disk_usage", lambda _: SimpleNamespace(free=size + 4999))
    with pytest.raises(StorageFull, match=rf"{size:,} bytes to keep .* 5,000 for .*\. {size + 4999:,} are free"):
        keep(storage, "before-restore", 5000)
    assert names(storage.path.parent) == {"task_manager.db"}


@pytest.mark.parametrize("sound", [True, False])
def test_a_quota_that_ends_in_the_middle_of_it_is_no_room(make: Make, monkeypatch, sound: bool):
    storage = make(items=1)
    if not sound:
        storage.path.write_bytes(b"\xff" * 9000)

    def over_quota(_file: Path, to: Path | None = None) -> None:
        if to:
            to.write_bytes(b"half of it")
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr("app.backup.copies.snapshot.to_disk", over_quota)
    monkeypatch.setattr("app.backup.copies.safety_copy.copy", over_quota)
    with pytest.raises(StorageFull, match=r"no room beside .* for two copies"):
        keep(storage, "before-restore", 5000)
    assert names(storage.path.parent) == {"task_manager.db"}
