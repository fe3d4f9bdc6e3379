"""Wherever the network or the machine breaks off: no half backup is listed, and the database is the old or the new."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.backup.proofs.drill_records import passed_drill
from app.backup.stores.store import Store, store_at
from app.backup.stores.stored_backup import names_in, newest_in, read_stored_backup
from app.backup.transfer.fetch import check_object
from app.cli import main
from app.errors import Problem
from tests.app.backup.conftest import Make
from tests.app.backup.databases import execute, names, titles
from tests.app.backup.servers import Cut

OLD, NEW = ["Item 0", "Another", "Item 2"], ["Item 0", "Item 1", "Item 2"]
WRITTEN = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@pytest.fixture
def typed(cut: tuple[Store, Cut], make: Make, monkeypatch) -> Callable[..., int]:
    """Types a command at a database of 20 items and the store behind the way that can break; gives its exit code."""
    monkeypatch.setenv("DATABASE_PATH", str(make(items=20).path))
    monkeypatch.setenv("BACKUP_URL", str(cut[0].url))
    monkeypatch.setenv("BACKUP_KEEP", "last=3")

    def run(*words: str) -> int:
        done = CliRunner().invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code

    return run


@pytest.mark.parametrize("words", [("backup",), ("backup", "drill"), ("restore", "latest"), ("backup", "list")])
def test_a_network_that_fails_at_any_request_leaves_only_whole_backups(cut, typed, tmp_path: Path, words):
    store, way = cut
    for _ in range(3):
        assert typed("backup") == 0
    before = titles(tmp_path / "task_manager.db")
    way.seen = 0
    assert typed(*words) == 0
    codes = set()
    for after in range(way.seen):
        there = set(names_in(store))
        way.seen, way.after = 0, after
        code = typed(*words)
        way.after = 1 << 30
        listed = names_in(store)
        if words == ("backup", "drill"):
            assert code == 1 or passed_drill(store, newest_in(store)), after
        else:
            assert code == (0 if set(listed) - there else 1), after
        codes.add(code)
        assert len(listed) >= 3
        for name in listed:
            check_object(store, read_stored_backup(store, name))
        assert not any(name.endswith(".partial") for name in names(tmp_path))
        if words[0] == "backup":
            assert titles(tmp_path / "task_manager.db") == before
    assert typed(*words) == 0
    # What breaks off when the backup, or the drill's record, is there is no failure.
    assert codes == ({0, 1} if words in (("backup",), ("backup", "drill")) else {1})


# --- kills --------------------------------------------------------------------------------------------------


def killed_at(step: int, folder: Path, *words: str) -> bool:
    """Types a command in a process of its own, which is killed before its `step`th change of a file in `folder`."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(event: str, given: tuple[Any, ...]) -> None:
            nonlocal seen
            changes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod")
            if changes or (event == "open" and isinstance(given[2], int) and given[2] & WRITTEN):
                seen += str(folder) in str(given[0]) if not isinstance(given[0], int) else 0
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        code = 99
        with suppress(BaseException):
            code = CliRunner().invoke(main, words).exit_code
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return store_at((tmp_path / "store").as_uri())


@pytest.fixture
def place_with_backup(store: Store, make: Make, monkeypatch, tmp_path: Path) -> Path:
    """The database, which was changed after its backup."""
    (tmp_path / "volume").mkdir()
    database = make("volume/task_manager.db").path
    monkeypatch.setenv("DATABASE_PATH", str(database))
    monkeypatch.setenv("BACKUP_URL", str(store.url))
    assert CliRunner().invoke(main, ["backup"]).exit_code == 0
    execute(database, "UPDATE work_items SET title = 'Another' WHERE id = 2")
    return database


def type_(*words: str) -> None:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output


@pytest.mark.long
def test_a_restore_that_is_killed_at_any_step_leaves_the_old_or_the_new_and_is_undone(place_with_backup: Path):
    database, step, found = place_with_backup, 1, set()
    while killed_at(step, database.parent, "restore", "latest"):
        now = titles(database)
        assert now in (OLD, NEW), step
        found.add(now[1])
        if now == OLD:
            type_("restore", "latest")
        assert titles(database) == NEW
        type_("undo")
        assert titles(database) == OLD, step
        step += 1
    assert step > 10 and found == {"Another", "Item 1"}
    type_("restore", "latest")  # takes away what the killed ones have left
    left = {name for name in names(database.parent) if name.endswith(".partial") or ".restoring" in name}
    assert left == set()


@pytest.mark.long
def test_what_is_written_after_a_restore_that_was_killed_before_its_end_is_not_undone(place_with_backup: Path):
    database, step, later = place_with_backup, 1, 0
    volume, before = database.parent, database.parent.with_name("before")
    shutil.copytree(volume, before)
    while killed_at(step, volume, "restore", "latest"):
        if titles(database) == OLD:
            later += 1
            refuses_to_undo(database)
        shutil.rmtree(volume)
        shutil.copytree(before, volume)
        step += 1
    assert later > 10


def refuses_to_undo(database: Path) -> None:
    """What it says to type instead is the way back to what the killed one has kept, where that came so far."""
    execute(database, "UPDATE work_items SET title = 'An hour later' WHERE id = 2")
    done = CliRunner().invoke(main, ["undo"])
    assert done.exit_code == 1 and "Nothing was changed" in done.stderr, done.output
    assert titles(database)[1] == "An hour later"


def test_a_restore_that_is_killed_when_all_is_kept_is_not_undone(place_with_backup: Path, monkeypatch):
    database = place_with_backup
    with monkeypatch.context() as killed, suppress(KeyboardInterrupt):
        killed.setattr("app.backup.restoring.undo._put_back", lambda *_: None)  # nothing tidies up after a kill
        killed.setattr("app.backup.restoring.undo._remove_needless", lambda *_: None)
        killed.setattr("app.backup.restoring.restore.clear_the_place", killed_now)
        CliRunner().invoke(main, ["restore", "latest"], standalone_mode=False)
    refuses_to_undo(database)
    [kept] = database.parent.glob("*-before-restore-*.db")
    assert f"task-assist restore {kept}" in CliRunner().invoke(main, ["undo"]).stderr
    type_("restore", "latest")
    type_("undo")
    assert titles(database)[1] == "An hour later"


def killed_now(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_a_killed_command_left_goes_with_the_next_one(place_with_backup: Path):
    folder = place_with_backup.parent
    for name in ("task_manager.db.fetched", "task_manager-before-restore-20260101T000000Z.db"):
        (folder / f".{name}.abc.partial").mkdir()
    (folder / ".another.partial").mkdir()
    type_("restore", "latest")
    assert {name for name in names(folder) if name.endswith(".partial")} == {".another.partial"}


@pytest.mark.long
def test_an_undo_that_is_killed_at_any_step_leaves_the_old_or_the_new(place_with_backup: Path):
    database, step = place_with_backup, 1
    type_("restore", "latest")
    while killed_at(step, database.parent, "undo"):
        now = titles(database)
        assert now in (OLD, NEW), step
        if now == OLD:
            type_("undo")
        assert titles(database) == NEW, step
        step += 1
    assert step > 10 and titles(database) == OLD


@pytest.mark.long
def test_a_backup_that_is_killed_at_any_step_is_not_listed_unless_it_is_whole(place_with_backup, store, tmp_path: Path):
    step, first = 1, newest_in(store)
    while killed_at(step, tmp_path, "backup"):
        for name in names_in(store):
            check_object(store, read_stored_backup(store, name))
        assert first in names_in(store) or len(names_in(store)) >= 3
        step += 1
    assert step > 10
    with pytest.raises(Problem):
        read_stored_backup(store, "task_manager-20260101T000000Z-00000000")
    type_("backup")
    assert not any(name.endswith(".partial") for name in names(place_with_backup.parent))
