"""What is wrong with the database: kept, told once in the log, and forgotten when it is mended."""

import errno
import shlex
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.database import open_file
from app.database.condition import Condition, damaged
from app.database.engine import Database
from app.database.open_file import kept, replaced
from app.database.sqlite_errors import problem_for_app
from app.errors import Damaged, ReadOnly, Replaced, StorageFull
from app.storage.cant_open import CantOpen
from app.storage.mounts import Mount, Storage
from tests.app.backup.databases import add_items, closed_database


@pytest.fixture
def condition() -> Condition:
    return Condition()


def test_the_gravest_of_all_is_told_and_then_the_next(condition: Condition):
    assert condition.problem is None
    for kind in (StorageFull, ReadOnly, CantOpen, Damaged, Replaced):
        condition.report(kind("It is."))
        assert isinstance(condition.problem, kind)
    condition.mended(Replaced, CantOpen, ReadOnly)
    assert isinstance(condition.problem, Damaged)
    condition.mended(Damaged)
    assert isinstance(condition.problem, StorageFull)


def test_the_log_says_each_thing_once_with_its_command_and_when_it_is_over(condition: Condition):
    with capture_logs() as lines:
        for _ in range(3):
            condition.report(Damaged("It is broken.", "Type this."))
        condition.mended(Damaged)
        condition.mended(Damaged)
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("error", "It is broken.\nType this."),
        ("warning", "This is over: It is broken."),
    ]


@pytest.mark.parametrize("profile", ["shared", "exclusive"])
def test_what_the_file_system_does_not_say_just_now_mends_nothing(tmp_path, monkeypatch, profile):
    database = Database(closed_database(tmp_path / "a.db", 1, profile))
    database.open_all()
    path = database.storage.path
    aside = path.rename(tmp_path / "aside.db")
    with pytest.raises(Replaced):
        database.look_at_name()

    def stale(_name):
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(open_file, "identity_of", stale)
        with pytest.raises(Replaced):
            database.look_at_name()
        with pytest.raises(Replaced):
            add_items(database, 1)
    aside.rename(path)
    with monkeypatch.context() as patch:  # nor where it says it of one name alone
        identity = open_file.identity_of
        patch.setattr(open_file, "identity_of", lambda name: identity(name) if name == path else stale(name))
        with pytest.raises(Replaced):
            database.look_at_name()
    database.look_at_name()
    add_items(database, 1)
    with monkeypatch.context() as patch:
        patch.setattr(open_file, "identity_of", stale)
        database.look_at_name()
    database.close()


def test_each_request_raises_an_exception_of_its_own(condition: Condition):
    """One that is raised again and again keeps the stacks of all that raised it."""
    condition.report(Replaced("It is gone.", "Type this."))
    first, second = condition.problem, condition.problem
    assert first is not second and str(first) == str(second) == "It is gone.\nType this."


def test_who_meets_a_known_fault_in_other_words_is_told_those_of_the_log(condition: Condition):
    condition.report(Damaged("It is no database.", "Type this."))
    with capture_logs() as lines:
        told = condition.report(Damaged("It is malformed.", "Type this."))
    assert not lines and str(told) == str(condition.problem) == "It is no database.\nType this."


def test_a_write_that_worked_ends_what_was_wrong_with_the_disk_alone(tmp_path):
    database = Database(closed_database(tmp_path / "a.db", 1))
    database.condition.report(StorageFull("It is full."))
    database.condition.report(ReadOnly("It takes no writes."))
    add_items(database, 1)
    assert database.condition.problem is None
    database.condition.report(Damaged("It is broken."))
    with pytest.raises(Damaged):
        add_items(database, 1)
    assert isinstance(database.condition.problem, Damaged)
    database.close()


@pytest.mark.parametrize("folder", ["/app/data", "/srv/my data"])
def test_the_backup_is_named_where_the_database_is(folder: str):
    (line,) = (
        line for line in damaged(Path(folder, "a.db"), "It is.").hint.splitlines() if "where the app runs" in line
    )
    assert shlex.split(line)[:3] == ["task-assist", "restore", f"{folder}/BACKUP.db"]


def test_the_copy_of_what_was_lost_is_restored_by_what_is_typed():
    hint = kept(replaced(Path("/my data/a.db"), by_another=False), Path("/my data/a-rescued.db")).hint
    (line,) = (line for line in hint.splitlines() if line.startswith("  "))
    assert shlex.split(line) == ["task-assist", "restore", "/my data/a-rescued.db"]


def test_where_nobody_is_seen_who_has_the_file_locked_the_containers_of_its_volume_are_to_be_looked_at():
    mount = Mount("/app/data", "/var/lib/docker/volumes/task-manager-db/_data", "ext4", "", read_only=False)
    problem = problem_for_app(Storage(Path("/app/data/a.db"), mount, "shared"), "database is locked")
    assert problem and problem.hint.endswith("\n  docker ps --filter volume=task-manager-db")
