"""Why SQLite can't open a file, of which it says the same whatever the cause: what is told, and when it is over."""

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.database import migrations
from app.database.engine import Database
from app.database.sqlite import opened, sqlite_uri
from app.errors import CannotStart, Problem, StorageFull, Unreadable
from app.storage import guard
from app.storage.cant_open import CantOpen, why_cant_open
from app.storage.full_or_read_only import why_no_writes
from app.storage.mounts import Mount, Storage, beside
from app.writer import checkup
from app.writer.instance import Instance
from app.writer.lease_files import cant_be_used
from app.writer.safe_acquire import why_refused
from tests.app.backup.databases import add_items, closed_database, titles
from tests.app.processes import eventually


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path) -> Storage:
    return closed_database(tmp_path / "a.db", 3, request.param)


def run(storage: Storage, *command: str):
    settings = {"DATABASE_PATH": str(storage.path), "DATABASE_STORAGE": storage.profile}
    return CliRunner().invoke(main, list(command), env=settings)


def typed(problem: Problem) -> None:
    subprocess.run(problem.hint.splitlines()[-1].partition("  ")[2], shell=True, check=True)


@pytest.fixture
def no_inodes(monkeypatch):
    """As on a file system whose every inode is used; tests/app/operations/test_full_or_read_only.py has a real one."""
    real = os.statvfs

    def used(path):
        found = list(real(path))
        found[5:8] = [1000, 0, 0]
        return os.statvfs_result(found)

    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", used)
        yield patch


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_a_folder_of_the_name_of_a_log_is_told_by_all_and_its_command_mends_it(storage: Storage, start, ending):
    folder = beside(storage.path, ending)
    folder.mkdir()
    instance = start()
    problem = instance.problem
    assert isinstance(problem, CantOpen)
    assert problem.message == f"{folder} is a folder, and SQLite keeps a file of that name."
    for command in (["check"], ["doctor"], ["snapshot", str(storage.path.parent / "copy.db")]):
        done = run(storage, *command)
        assert done.exit_code != 0
        assert problem.message in done.output
    typed(problem)
    assert why_refused(storage) is None
    instance.watch.retry_at = 0.0
    eventually(lambda: instance.problem is None)
    assert len(titles(storage.path)) == 3


@pytest.fixture
def start(storage: Storage):
    started: list[Instance] = []

    def start() -> Instance:
        started.append(Instance(storage, migrations.upgrade))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.stop()


def test_no_restore_and_no_new_beginning_meets_a_folder_of_the_name_of_a_log(storage: Storage, tmp_path: Path):
    backup = closed_database(tmp_path / "backup.db", 1).path
    beside(storage.path, "-wal").mkdir()
    for command in (["restore", str(backup)], ["restore", "--no-keep", str(backup)], ["start-empty"]):
        done = run(storage, *command)
        assert done.exit_code != 0
        assert "a.db-wal is a folder" in done.output
    beside(storage.path, "-wal").rmdir()
    assert len(titles(storage.path)) == 3


def test_a_pipe_of_the_name_of_a_log_is_told_and_its_command_mends_it(storage: Storage):
    os.mkfifo(beside(storage.path, "-wal"))
    problem = why_refused(storage)
    assert isinstance(problem, CantOpen)
    typed(problem)
    assert why_refused(storage) is None


def test_files_that_are_used_up_are_told_as_no_room(storage: Storage, no_inodes):
    for problem in (why_cant_open(storage), why_no_writes(storage)):
        assert isinstance(problem, StorageFull)
        assert "df -i" in problem.hint
    no_inodes.undo()
    assert why_cant_open(storage) is why_no_writes(storage) is None


def test_too_many_open_files_are_told_and_it_goes_on_once_there_are_fewer(storage: Storage):
    database = Database(storage)
    with no_more_files(), pytest.raises(CantOpen, match="this process has as many files open as it may") as refused:
        add_items(database, 1)
    assert "--ulimit nofile=" in refused.value.hint
    assert isinstance(database.condition.problem, CantOpen)
    add_items(database, 1)
    database.close()


@contextmanager
def no_more_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_lease_says_the_same_of_too_many_files(storage: Storage):
    for code, command in ((errno.EMFILE, "--ulimit nofile="), (errno.ENFILE, "sysctl -w fs.file-max=")):
        problem = cant_be_used(storage, OSError(code, os.strerror(code)))
        assert isinstance(problem, CantOpen)
        assert command in problem.hint


def test_missing_rights_are_told_with_the_command_that_hands_all_over(storage: Storage, monkeypatch):
    monkeypatch.setattr(guard.os, "access", lambda path, what: Path(path) != storage.path)
    problem = why_cant_open(storage)
    assert isinstance(problem, CantOpen)
    assert f"so user {os.getuid()} can't write it" in problem.message
    assert "chown -R" in problem.hint


def test_a_cause_that_is_not_found_is_not_made_up_and_no_traceback(storage: Storage, monkeypatch):
    storage.path.unlink()
    with (
        pytest.raises(Unreadable, match="and the system does not say why") as refused,
        opened(sqlite_uri(storage, "rw"), storage.path),
    ):
        pass
    assert "dmesg" in refused.value.hint


def test_the_open_app_is_well_again_once_the_cause_is_gone(storage: Storage, monkeypatch):
    monkeypatch.setitem(checkup.LOOK_EVERY, storage.profile, 0.05)
    instance = Instance(storage, migrations.upgrade)
    instance.start()
    folder = beside(storage.path, "-journal")
    folder.mkdir()
    problem = why_cant_open(storage)
    assert problem
    instance.database.condition.report(problem)
    assert isinstance(instance.problem, CantOpen)
    folder.rmdir()
    eventually(lambda: instance.problem is None)
    instance.stop()


@pytest.mark.parametrize("of_the_lease", [True, False])
def test_a_folder_in_the_place_of_the_secret_or_of_the_lock_is_told_and_its_command_mends_it(
    storage: Storage, monkeypatch, of_the_lease: bool
):
    folder = storage.lease / "lock" if of_the_lease else storage.secret
    folder.mkdir(parents=True)
    monkeypatch.setattr(guard, "read_mounts", lambda: [])
    with pytest.raises(CannotStart, match=r"is a folder, and should be the file") as refused:
        guarded(storage)
    done = run(storage, "doctor")
    assert f"{folder} is a folder, and should be the file" in done.output
    typed(refused.value)
    guarded(storage)


def test_a_secret_that_docker_made_a_folder_of_is_told_as_that(storage: Storage, monkeypatch):
    storage.secret.mkdir()
    mounted = Mount(str(storage.secret), "/", "ext4", "", read_only=False)
    monkeypatch.setattr(guard, "read_mounts", lambda: [mounted])
    with pytest.raises(CannotStart) as refused:
        guarded(storage)
    assert "Docker makes a folder of that name" in refused.value.hint
    assert f"Leave out what is mounted at {storage.secret}" in refused.value.hint


def test_a_file_in_the_place_of_the_lease_is_told_and_its_command_mends_it(storage: Storage):
    storage.lease.write_text("")
    with pytest.raises(CannotStart, match="is a file, and should be the folder") as refused:
        guarded(storage)
    typed(refused.value)
    guarded(storage)


def guarded(storage: Storage) -> None:
    guard.guard(storage, production=False, keeps_secret=True)
