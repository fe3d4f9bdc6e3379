"""A database whose file has a second name is refused by all who would open it, until it has a file of its own."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from app.backup.copies.snapshot import snapshot
from app.cli import main
from app.database.engine import Database
from app.storage.hard_links import HardLinked, refuse_hard_links
from app.storage.mounts import Storage, beside, storage_under
from app.writer import checkup
from app.writer.exclusive import exclusive_access
from app.writer.instance import Instance
from tests.app.backup.databases import add_items, closed_database, names, titles
from tests.app.processes import eventually


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path, monkeypatch) -> Storage:
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 0.05, "exclusive": 0.05})
    (tmp_path / "my data").mkdir()
    return closed_database(tmp_path / "my data" / "a.db", 3, request.param)


def linked(storage: Storage) -> Storage:
    """The same file by its second name."""
    other = storage.path.with_name("b.db")
    os.link(storage.path, other)
    return storage_under(other, storage.profile)


def typed_commands(problem: HardLinked) -> list[str]:
    return [line.strip() for line in problem.hint.splitlines() if line.startswith("  ")]


def test_the_second_app_stands_by_says_why_and_goes_on_when_what_it_says_was_typed(storage: Storage, start):
    first = start()
    other = Instance(linked(storage), lambda _database: None)
    other.start()
    assert isinstance(other.problem, HardLinked) and not other.writes
    assert f"{storage.path.with_name('b.db')} has 2 names" in other.problem.message
    add_items(first.database, 2, "Since")
    first.stop()
    finds, _, *copies = typed_commands(other.problem)
    finds = finds.replace(f"find {storage.mount.point} ", "find . ", 1)  # all of a machine's disk takes minutes
    where = storage.path.parent
    found = subprocess.run(["sh", "-c", finds], capture_output=True, text=True, check=True, cwd=where).stdout.split()
    assert sorted(found) == ["./a.db", "./b.db"]
    for command in copies:
        subprocess.run(["sh", "-c", command], check=True)
    other.watch.retry_at = 0.0
    eventually(lambda: other.writes)
    add_items(other.database, 1, "Of the other")
    again = start()
    add_items(again.database, 1, "Of the first")
    again.stop()
    other.stop()
    assert titles(storage.path)[3:] == ["Since 0", "Since 1", "Of the first 0"]
    assert titles(storage.path.with_name("b.db"))[3:] == ["Since 0", "Since 1", "Of the other 0"]


def test_what_a_killed_app_has_left_beside_the_other_name_comes_along(storage: Storage, tmp_path: Path):
    database = Database(storage)
    add_items(database, 2, "In the log alone")
    file, log = storage.path.read_bytes(), beside(storage.path, "-wal").read_bytes()
    database.close()
    storage.path.write_bytes(file)
    beside(storage.path, "-wal").write_bytes(log)
    other = linked(storage)
    beside(other.path, ".own").write_text("precious")
    with pytest.raises(HardLinked) as refused:
        refuse_hard_links(other)
    _, brings, *copies = typed_commands(refused.value)
    for command in (brings.replace("OTHER_NAME", f"'{storage.path}'"), *copies):
        subprocess.run(["sh", "-c", command], check=True)
    assert titles(other.path)[3:] == ["In the log alone 0", "In the log alone 1"]
    assert beside(other.path, ".own").read_text() == "precious"


@pytest.mark.parametrize(
    "words", [["check"], ["doctor"], ["snapshot", "copy.db"], ["restore", "backup.db"], ["start-empty"]]
)
def test_each_command_refuses_it_with_the_same_words_and_changes_nothing(storage: Storage, monkeypatch, words):
    monkeypatch.chdir(storage.path.parent)
    snapshot(storage, Path("backup.db"))
    linked(storage)
    before = storage.path.read_bytes(), names(storage.path.parent)
    place = {"DATABASE_PATH": str(storage.path), "DATABASE_STORAGE": storage.profile}
    done = CliRunner().invoke(main, words, env=place)
    assert done.exit_code == 1
    assert "has 2 names (hard links)" in f"{done.output}{done.exception}"
    assert (storage.path.read_bytes(), names(storage.path.parent)) == before


def test_a_restore_is_refused_before_the_running_app_is_disturbed(storage: Storage, start):
    running = start()
    linked(storage)
    with pytest.raises(HardLinked), exclusive_access(storage, replaces=True, asks=True):
        pytest.fail("it was not refused")
    add_items(running.database, 1)
    assert running.writes and not running.heartbeat.requested_by


def test_one_that_is_made_while_the_app_runs_is_logged_once_and_told_by_the_doctor(storage: Storage, start):
    running = start()
    with capture_logs() as lines:
        linked(storage)
        eventually(lambda: any("has 2 names" in line["event"] for line in lines))
        add_items(running.database, 1)
        running.releaser._checkup._look_is_due.set()
        storage.path.with_name("b.db").unlink()
    said = [line for line in lines if "has 2 names" in line["event"]]
    assert len(said) == 1 and said[0]["event"].startswith("The next start will refuse it")
    assert running.problem is None


def test_links_are_counted_on_local_file_systems_alone(storage: Storage):
    linked(storage)
    for filesystem in ("nfs4", "cifs", "fuse.sshfs"):
        refuse_hard_links(replace(storage, mount=replace(storage.mount, filesystem=filesystem)))
    with pytest.raises(HardLinked):
        refuse_hard_links(storage)
