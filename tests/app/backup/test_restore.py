"""Putting a backup in the database's place: whole or not at all, wherever it is killed."""

import errno
import inspect
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from app.backup.copies import manifest
from app.backup.copies.staging import BACKUP, temporary_folder_beside
from app.backup.copies.verify import verify
from app.backup.restoring.restore import incoming_path, restore, settle
from app.database import possible_loss
from app.database.contents import read_contents
from app.database.emptied import refuse_emptied
from app.database.engine import Database
from app.database.sqlite import sqlite_driver
from app.errors import Broken, Busy, Emptied, Foreign, Held, Refused, StorageFull
from app.storage.files import copy
from app.storage.mounts import Storage, beside, storage_under
from tests.app.backup.conftest import Hold, Make
from tests.app.backup.databases import add_items, execute, names, titles

OLD = [f"Item {number}" for number in range(3)] + [f"Only in the log {number}" for number in range(4)]
NEW = [f"Item {number}" for number in range(20)]


@pytest.fixture
def killed_app(make: Make, tmp_path: Path) -> Storage:
    """A database as a killed app leaves it: the newest rows are in its -wal only."""
    storage = make("old.db")
    database = Database(storage)
    add_items(database, 4, "Only in the log")
    place = tmp_path / "volume"
    place.mkdir()
    for file in tmp_path.glob("old.db*"):
        shutil.copy(file, place / file.name.replace("old", "task_manager"))
    database.close()
    return storage_under(place / "task_manager.db", "shared")


def test_the_backup_takes_the_databases_place(killed_app: Storage, backup: Path):
    found = restore(backup, killed_app)
    assert names(killed_app.path.parent) == {"task_manager.db"}
    assert settle(killed_app) == found.sha256
    assert titles(killed_app.path) == NEW


def test_it_also_fills_an_empty_place(tmp_path: Path, backup: Path):
    (tmp_path / "empty").mkdir()
    storage = storage_under(tmp_path / "empty/task_manager.db")
    assert settle(storage) is None
    restore(backup, storage)
    assert titles(storage.path) == NEW


def test_a_copy_that_was_made_for_it_takes_the_place_itself_and_needs_no_room(
    killed_app: Storage, backup: Path, monkeypatch
):
    monkeypatch.setattr("app.backup.copies.disk_space.shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    inode = backup.stat().st_ino
    restore(backup, killed_app, found=verify(backup), moves=True)
    assert killed_app.path.stat().st_ino == inode and not backup.exists()
    assert titles(killed_app.path) == NEW


RESTORING = {inspect.getsourcefile(each) for each in (restore, verify, manifest, read_contents, copy)}
"""The files whose lines count, found by what they hold: one that moves stays among them."""


def kill_at_line(last: int) -> None:
    """From here on, this process is killed when it comes to its `last`th line of what restores."""
    seen = 0

    def count(frame: FrameType, event: str, _argument: object):
        nonlocal seen
        if frame.f_code.co_filename not in RESTORING:
            return None
        if event == "line":
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return count

    sys.settrace(count)


def killed(storage: Storage, file: Path, line: int, *, moves: bool = False, as_it_is: bool = False) -> bool:
    """Restores in a process of its own. True if that came to `line` and was killed there."""
    child = os.fork()
    if child == 0:
        kill_at_line(line)
        restore(file, storage, moves=moves, as_it_is=as_it_is)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.long
@pytest.mark.parametrize("moves", [False, True])
def test_killed_at_any_line_it_is_the_old_database_or_the_new_one(
    killed_app: Storage, backup: Path, tmp_path: Path, moves: bool
):
    place, before, mended = killed_app.path.parent, tmp_path / "before", tmp_path / "mended"
    shutil.copytree(place, before)
    found: list[list[str]] = []
    while killed(killed_app, copied(backup), line=len(found) + 1, moves=moves):
        shutil.copytree(place, mended)
        storage = storage_under(mended / "task_manager.db")
        settle(storage)
        assert not incoming_path(storage.path).exists()
        found.append(titles(killed_app.path))
        assert titles(storage.path) == found[-1]
        shutil.rmtree(mended)
        shutil.rmtree(place)
        shutil.copytree(before, place)
    assert len(found) > 100
    turn = found.index(NEW)
    assert found == [OLD] * turn + [NEW] * (len(found) - turn)


def copied(backup: Path) -> Path:
    """With its manifest, for a restore that takes it away."""
    folder = backup.with_name("copied")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(manifest.path_for(backup), folder)
    return Path(shutil.copy(backup, folder))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A damaged database with its log, as a restore keeps it, of which nothing can be read."""
    beside(tmp_path / "kept.db", "-wal").write_bytes(b"\x37\x7f\x06\x82" + b"K" * 5000)
    (tmp_path / "kept.db").write_bytes(b"K" * 9000)
    return tmp_path / "kept.db"


@pytest.fixture
def damaged_place(tmp_path: Path) -> Storage:
    (tmp_path / "volume").mkdir()
    storage = storage_under(tmp_path / "volume/task_manager.db", "shared")
    storage.path.write_bytes(b"\xff" * 9000)
    beside(storage.path, "-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\xff" * 3000)
    return storage


def files(database: Path) -> tuple[bytes | None, bytes | None]:
    """What stands in it, and in its -wal."""
    held, log = (file.read_bytes() if file.exists() else None for file in (database, beside(database, "-wal")))
    return held, log


@pytest.mark.long
def test_killed_at_any_line_while_a_log_comes_along_neither_database_stands_beside_the_others_log(
    damaged_place: Storage, kept: Path, tmp_path: Path
):
    place, before = damaged_place.path.parent, tmp_path / "before"
    shutil.copytree(place, before)
    old, new = files(damaged_place.path), files(kept)
    found: list[str] = []
    while killed(damaged_place, kept, line=len(found) + 1, as_it_is=True):
        there = files(damaged_place.path)
        if there[0] is None:
            with pytest.raises(Emptied, match="is gone"):
                refuse_emptied(damaged_place, "0001")
            (aside,) = place.glob("task_manager.db.set-aside-*")
            assert aside.read_bytes() == old[0]
            found.append("set aside")
        else:
            assert there in (old, (old[0], None), new)
            found.append("new" if there == new else "old")
        settle(damaged_place)
        assert not list(place.glob(".*"))
        restore(kept, damaged_place, as_it_is=True)
        assert files(damaged_place.path) == new
        shutil.rmtree(place)
        shutil.copytree(before, place)
    assert len(found) > 100
    assert list(dict.fromkeys(found)) == ["old", "set aside", "new"]


def test_what_was_set_aside_for_a_file_with_its_log_does_not_stay(damaged_place: Storage, kept: Path):
    beside(damaged_place.path, "-wal").unlink()
    restore(kept, damaged_place, as_it_is=True)
    assert names(damaged_place.path.parent) == {"task_manager.db", "task_manager.db-wal"}


def test_the_log_needs_room_too(damaged_place: Storage, kept: Path, monkeypatch):
    before = files(damaged_place.path)
    monkeypatch.setattr("app.backup.copies.disk_space.shutil.disk_usage", lambda _: SimpleNamespace(free=13_999))
    with pytest.raises(StorageFull, match="14,004 bytes are needed"):
        restore(kept, damaged_place, as_it_is=True)
    assert files(damaged_place.path) == before


def test_a_log_for_which_there_is_no_room_after_all_leaves_the_old_database_alone(
    damaged_place: Storage, kept: Path, monkeypatch
):
    def full(file: Path, to: Path, progress: object = None) -> str:
        if file.name.endswith("-wal"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return copy(file, to)

    before = files(damaged_place.path)
    monkeypatch.setattr("app.backup.restoring.restore.copy", full)
    with pytest.raises(OSError, match="No space"):
        restore(kept, damaged_place, as_it_is=True)
    assert files(damaged_place.path) == before
    assert names(damaged_place.path.parent) == {"task_manager.db", "task_manager.db-wal"}


def test_killed_it_can_be_done_again(killed_app: Storage, backup: Path):
    incoming_path(killed_app.path).write_text("half a file")
    restore(backup, killed_app)
    assert titles(killed_app.path) == NEW
    assert names(killed_app.path.parent) == {"task_manager.db"}


def test_a_database_in_use_is_left_alone(killed_app: Storage, backup: Path, hold: Hold):
    hold(killed_app)
    with pytest.raises(Held, match="Stop the app"):
        restore(backup, killed_app)
    assert titles(killed_app.path) == OLD
    assert not incoming_path(killed_app.path).exists()


def test_beside_a_backup_that_is_being_made_it_is_said_to_try_again(killed_app: Storage, backup: Path, hold: Hold):
    hold(killed_app)
    with (
        temporary_folder_beside(killed_app.path, BACKUP),
        pytest.raises(Held, match=r"backup of .* is being made just now"),
    ):
        restore(backup, killed_app)
    assert titles(killed_app.path) == OLD


def test_a_wrong_file_changes_nothing(killed_app: Storage, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("shopping")
    before = {file.name: file.read_bytes() for file in killed_app.path.parent.iterdir()}
    with pytest.raises(Refused, match="shopping"):
        restore(tmp_path / "notes.txt", killed_app)
    assert {file.name: file.read_bytes() for file in killed_app.path.parent.iterdir()} == before


def test_another_apps_database_is_not_replaced(backup: Path, tmp_path: Path):
    execute(tmp_path / "music.db", "CREATE TABLE albums (title)", "INSERT INTO albums VALUES ('Blue')")
    with pytest.raises(Foreign, match="another app's database"):
        restore(backup, storage_under(tmp_path / "music.db"))
    connection = sqlite_driver().connect(str(tmp_path / "music.db"))
    assert connection.execute("SELECT title FROM albums").fetchall() == [("Blue",)]
    connection.close()
    assert not incoming_path(tmp_path / "music.db").exists()


def test_a_damaged_database_is_replaced(killed_app: Storage, backup: Path):
    killed_app.path.write_bytes(b"\xff" * 9000)
    killed_app.path.with_name("task_manager.db-wal").unlink()
    restore(backup, killed_app)
    assert titles(killed_app.path) == NEW


def test_a_log_that_has_lost_its_database_is_kept_but_out_of_the_way(killed_app: Storage, backup: Path):
    log = killed_app.path.with_name("task_manager.db-wal")
    kept = log.read_bytes()
    killed_app.path.unlink()
    restore(backup, killed_app)
    assert titles(killed_app.path) == NEW
    (aside,) = (name for name in names(killed_app.path.parent) if "-wal.set-aside-" in name)
    assert killed_app.path.with_name(aside).read_bytes() == kept


def test_a_log_that_sqlite_takes_away_late_stops_no_restore(killed_app: Storage, backup: Path, monkeypatch):
    def gone_at_once(database: Path) -> list[Path]:
        """As where the connection that met the damage is closed only when it is collected."""
        log = beside(database, "-wal")
        log.unlink(missing_ok=True)
        return [log]

    monkeypatch.setattr("app.backup.restoring.restore.sidecars", gone_at_once)
    restore(backup, killed_app)
    assert titles(killed_app.path) == titles(backup)


def test_without_room_nothing_is_changed(killed_app: Storage, backup: Path, monkeypatch):
    monkeypatch.setattr("app.backup.copies.disk_space.shutil.disk_usage", lambda _: SimpleNamespace(free=9))
    with pytest.raises(StorageFull, match=r"no room beside .* 9 are free"):
        restore(backup, killed_app)
    assert titles(killed_app.path) == OLD


def test_a_file_that_changes_while_it_is_read_is_not_put_in_place(killed_app: Storage, backup: Path, monkeypatch):
    monkeypatch.setattr(
        "app.backup.restoring.restore.copy", lambda _file, to, _progress: to.write_text("else") and "other hash"
    )
    with pytest.raises(Broken, match="changed while it was read"):
        restore(backup, killed_app)
    assert titles(killed_app.path) == OLD
    assert not incoming_path(killed_app.path).exists()


def test_what_may_be_missing_is_told_until_the_other_database_has_the_name(
    killed_app: Storage, backup: Path, monkeypatch
):
    possible_loss.note(killed_app.path, "Something may be missing.")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("app.backup.restoring.restore._take_the_place", killed)
        restore(backup, killed_app)
    assert titles(killed_app.path) == OLD and possible_loss.what_is_noted(killed_app.path)
    restore(backup, killed_app)
    assert not possible_loss.what_is_noted(killed_app.path)


@pytest.mark.parametrize("sure_until", [0, 1])
def test_who_is_not_sure_to_be_alone_leaves_every_acknowledged_row(killed_app: Storage, backup: Path, sure_until: int):
    """Its rows are in the -wal, or have been folded into the file."""
    asked = []

    def sure() -> None:
        asked.append(1)
        if len(asked) > sure_until:
            raise Busy("Somebody else has it.")

    wal = beside(killed_app.path, "-wal")
    log = wal.read_bytes()
    with pytest.raises(Busy):
        restore(backup, killed_app, sure=sure)
    if sure_until == 0:
        assert wal.read_bytes() == log
    assert titles(killed_app.path) == OLD
