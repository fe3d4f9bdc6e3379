"""What a start refuses because rows would be lost by it, what it goes on from by itself, and the way out."""

import errno
import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from app.backup.copies.snapshot import snapshot
from app.backup.copies.upgrade import upgrade
from app.cli import main
from app.database import possible_loss
from app.database.engine import Database
from app.database.migrations import known_revisions
from app.database.sqlite import sqlite_driver
from app.errors import Damaged, Emptied, Locked, Problem, StrangeLog
from app.storage.cant_open import CantOpen
from app.storage.mounts import Storage, beside, storage_under
from app.writer import checkup
from app.writer.exclusive_database import exclusive_database
from app.writer.gate import RequestGate
from app.writer.instance import Instance
from app.writer.lease import Lease, lease_of
from app.writer.lease_files import Folder, folder_of
from app.writer.safe_acquire import acquire_without_loss, why_refused
from tests.app.backup.databases import add_items, closed_database, execute, names, titles
from tests.app.processes import eventually

FIRST_JOURNAL = (bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 0, 7, 0, 512, 4096)).ljust(512, b"\0")
"""That of the first change to a new file, which had no page before."""


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path) -> Storage:
    (tmp_path / "volume").mkdir()
    return storage_under(tmp_path / "volume/a.db", request.param)


@pytest.fixture
def prepare():
    return upgrade


@pytest.fixture
def ran(storage: Storage, start) -> Storage:
    """An instance has run here, made three items, and ended."""
    instance = start()
    add_items(instance.database, 3)
    instance.stop()
    return storage


def run(storage: Storage, *command: str):
    """A command of the app's, as it is typed."""
    settings = {"DATABASE_PATH": str(storage.path), "DATABASE_STORAGE": storage.profile}
    return CliRunner().invoke(main, list(command), env=settings)


def typed(storage: Storage, hint: str) -> None:
    """Types the last command that a hint names."""
    line = re.split(" {2,}", hint.splitlines()[-1])[1]
    if line.startswith("task-assist "):
        done = run(storage, *shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    else:
        verb, source, target = shlex.split(line)
        assert verb == "mv"
        shutil.move(source, target)


def left_by_a_killed_app(storage: Storage) -> None:
    """Puts files in the place whose newest rows are in the -wal only."""
    source = closed_database(storage.path.parent.with_name("source.db"), 0, storage.profile)
    database = Database(source)
    add_items(database, 3)
    for ending in ("", "-wal"):
        shutil.copy(beside(source.path, ending), beside(storage.path, ending))
    database.close()


# --- what is refused --------------------------------------------------------------------------------------


def gone(file: Path) -> None:
    file.unlink()


def cut_to_nothing(file: Path) -> None:
    os.truncate(file, 0)


def without_tables(file: Path) -> None:
    file.unlink()
    execute(file, "PRAGMA journal_mode = wal")


def without_tables_in_file_or_log(file: Path) -> None:
    without_tables(file)
    beside(file, "-wal").write_bytes(b"")
    connection = sqlite_driver().connect(str(file), isolation_level=None)
    connection.execute("PRAGMA user_version = 7")
    for ending in ("", "-wal"):
        shutil.copy(beside(file, ending), file.parent.with_name(f"kept{ending}"))
    connection.close()
    for ending in ("", "-wal"):
        shutil.copy(file.parent.with_name(f"kept{ending}"), beside(file, ending))


EMPTIED = [gone, cut_to_nothing, without_tables, without_tables_in_file_or_log]


@pytest.mark.parametrize("empty", EMPTIED)
def test_a_database_that_was_emptied_is_not_started_as_a_new_one(ran: Storage, start, empty: Callable[[Path], None]):
    empty(ran.path)
    before = names(ran.path.parent) - {"a.db-wal"}
    instance = start()
    assert not instance.writes
    assert isinstance(instance.problem, Emptied)
    assert str(ran.path) in instance.problem.message and f"schema {known_revisions()[-1]}" in instance.problem.message
    for asked in (instance.enter, lambda: instance.database):
        with pytest.raises(Emptied):
            asked()
    assert names(ran.path.parent) - {"a.db-wal"} == before
    if ran.path.exists():
        assert ran.path.stat().st_size <= 4096


@pytest.mark.parametrize("empty", EMPTIED)
def test_one_that_was_emptied_on_purpose_starts_after_the_command_that_is_named(ran: Storage, start, empty):
    empty(ran.path)
    instance = start()
    assert instance.problem
    typed(ran, instance.problem.hint)
    instance.watch.retry_at = 0.0
    eventually(lambda: instance.writes)
    assert instance.problem is None
    add_items(instance.database, 1, "New")
    instance.stop()
    assert titles(ran.path) == ["New 0"]


def test_it_goes_on_by_itself_when_the_file_is_put_back(ran: Storage, start):
    aside = ran.path.with_name("moved.db")
    ran.path.rename(aside)
    instance = start()
    assert isinstance(instance.problem, Emptied)
    aside.rename(ran.path)
    instance.watch.retry_at = 0.0
    eventually(lambda: instance.writes)
    instance.stop()
    assert titles(ran.path) == ["Item 0", "Item 1", "Item 2"]


def test_it_goes_on_by_itself_after_a_restore(ran: Storage, start, tmp_path: Path):
    snapshot(ran, tmp_path / "backup.db")
    ran.path.unlink()
    instance = start()
    done = run(ran, "restore", str(tmp_path / "backup.db"))
    assert done.exit_code == 0, done.output
    instance.watch.retry_at = 0.0
    eventually(lambda: instance.writes)
    instance.stop()
    assert titles(ran.path) == ["Item 0", "Item 1", "Item 2"]


def test_what_a_restore_brought_is_known_before_the_next_start(ran: Storage, start, tmp_path: Path):
    snapshot(ran, tmp_path / "backup.db")
    assert run(ran, "restore", str(tmp_path / "backup.db")).exit_code == 0
    ran.path.unlink()
    assert isinstance(start().problem, Emptied)


def test_a_log_without_its_file_is_not_thrown_away(storage: Storage, start):
    """SQLite deletes the -wal of a file that is not there, or of 0 bytes."""
    left_by_a_killed_app(storage)
    log = beside(storage.path, "-wal").read_bytes()
    for removed in (gone, cut_to_nothing):
        removed(storage.path)
        problem = start().problem
        assert isinstance(problem, Emptied) and f"a.db-wal, {len(log):,} bytes" in problem.message
        assert beside(storage.path, "-wal").read_bytes() == log
        storage.path.touch()
    typed(storage, problem.hint)
    (aside,) = (name for name in names(storage.path.parent) if "set-aside" in name)
    assert storage.path.with_name(aside).read_bytes() == log


@pytest.mark.parametrize("tables", [True, False])
def test_a_file_copied_from_a_running_app_without_its_log_is_refused_each_time(storage, start, tables: bool):
    left_by_a_killed_app(storage)
    beside(storage.path, "-wal").unlink()
    if not tables:
        without_tables(storage.path)
    problem = None
    for _ in range(2):
        instance = start()
        problem = instance.problem
        assert isinstance(problem, Emptied) and "without the a.db-wal beside it" in problem.message
        instance.stop()
    assert problem
    typed(storage, problem.hint)
    assert start().writes


def test_a_whole_file_copied_into_a_new_volume_starts(storage: Storage, start, tmp_path: Path):
    shutil.copy(closed_database(tmp_path / "stopped.db", 2).path, storage.path)
    assert start().writes


def test_a_backup_beside_an_old_log_is_refused_and_starts_after_the_command(ran: Storage, start, tmp_path: Path):
    snapshot(ran, tmp_path / "backup.db")
    left_by_a_killed_app(ran)
    shutil.copy(tmp_path / "backup.db", ran.path)
    instance = start()
    assert isinstance(instance.problem, StrangeLog)
    typed(ran, instance.problem.hint)
    instance.watch.retry_at = 0.0
    eventually(lambda: instance.writes)
    instance.stop()
    assert titles(ran.path) == ["Item 0", "Item 1", "Item 2"]


def test_a_lock_of_another_process_is_called_that(storage: Storage, start, monkeypatch):
    monkeypatch.setattr("app.database.connections.WAIT_SECONDS", 0.1)
    execute(storage.path, "PRAGMA application_id = 1413575531")
    other = sqlite_driver().connect(str(storage.path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    instance = start()
    assert isinstance(instance.problem, Locked)
    assert "Another process has" in instance.problem.message
    other.execute("ROLLBACK")
    other.close()
    instance.watch.retry_at = 0.0
    eventually(lambda: instance.writes)


def ended_without_closing(storage: Storage) -> None:
    killed = lease_of(storage)
    assert killed.acquire(killed.observe())
    killed.release("abandoned")


def is_checked(instance: Instance) -> bool:
    return instance.lease.doubt is None


def test_a_log_that_is_gone_after_a_kill_is_told_until_somebody_has_looked(ran: Storage, start, monkeypatch):
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 0.05, "exclusive": 0.05})
    ended_without_closing(ran)
    for number in range(2):  # another start is no look
        with capture_logs() as lines:
            instance = start()
            eventually(partial(is_checked, instance))
            if not number:  # the next one finds it checked
                eventually(lambda: any("is sound" in line["event"] for line in lines))
        assert instance.writes and instance.problem is None
        assert instance.may_lack_changes
        told = [line["event"] for line in lines if "its a.db-wal is gone all the same" in line["event"]]
        assert any(line.startswith(f"{ran.path} was not closed at the last end") or "UTC: " in line for line in told)
        assert all("may lack changes" in line["event"] for line in lines if "is sound" in line["event"])
        instance.stop()
    found = {each["name"]: each for each in json.loads(run(ran, "doctor", "--json").stdout)["findings"]}["changes"]
    assert found["level"] == "fault" and "its a.db-wal is gone all the same" in found["text"]
    instance = start()
    subprocess.run(found["fix"].splitlines()[-1].partition("     ")[0], shell=True, check=True)
    eventually(lambda: not instance.may_lack_changes)
    instance.stop()
    assert "There is nothing to mend." in run(ran, "doctor").output


def test_a_log_that_was_folded_in_since_the_kill_is_not_missed(ran: Storage):
    """By a command, or by an app that ended before it had checked the file: the doubt stays, and the log is gone."""
    ended_without_closing(ran)
    beside(ran.path, "-wal").touch()
    with exclusive_database(ran) as database:
        add_items(database, 1)
    assert not beside(ran.path, "-wal").exists()
    lease = lease_of(ran)
    assert acquire_without_loss(lease, ran, lease.observe()) and lease.doubt == "unclean end"
    lease.release()
    assert possible_loss.what_is_noted(ran.path) == ""


def test_a_log_that_is_removed_after_a_refusal_is_missed(ran: Storage):
    """A start that refuses a database has not closed it."""
    ended_without_closing(ran)
    beside(ran.path, "-wal").mkdir()
    lease = lease_of(ran)
    with pytest.raises(CantOpen):
        acquire_without_loss(lease, ran, lease.observe())
    beside(ran.path, "-wal").rmdir()
    assert acquire_without_loss(lease, ran, lease.observe())
    lease.release()
    assert "its a.db-wal is gone all the same" in possible_loss.what_is_noted(ran.path)


def test_it_is_read_before_any_request_waits_for_the_database(ran: Storage, start, monkeypatch):
    """A mount that does not answer would hold all of them back."""
    gates, free = [], []

    def others_come_in() -> None:
        if gates[0].changed.acquire(timeout=1):
            free.append(True)
            gates[0].changed.release()

    def look(*_: object) -> None:
        other = threading.Thread(target=others_come_in)
        other.start()
        other.join()

    real = RequestGate.__init__
    monkeypatch.setattr(RequestGate, "__init__", lambda self, lease: (gates.append(self), real(self, lease))[1])
    monkeypatch.setattr(possible_loss, "look", look)
    assert start().writes
    assert free == [True]


def test_what_is_noted_already_is_not_noted_again(ran: Storage):
    """One that can't be opened is tried every few seconds."""
    for _ in range(2):
        possible_loss.note(ran.path, "Something may be missing.")
    assert possible_loss.what_is_noted(ran.path).count("Something may be missing.") == 1


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_a_note_that_cant_be_read_is_told_and_hinders_no_start(ran: Storage, start, make):
    make(possible_loss.file_of(ran.path))
    instance = start()
    assert instance.writes and instance.may_lack_changes
    assert "says what may be missing, is no file" in possible_loss.what_is_noted(ran.path)
    possible_loss.note(ran.path, "Something may be missing.")


def test_one_that_was_emptied_after_a_kill_is_told_as_well(tmp_path: Path):
    storage = closed_database(tmp_path / "a.db", 3)
    database = Database(storage)
    add_items(database, 3)
    shutil.copy(beside(storage.path, "-shm"), tmp_path / "index")
    database.close()
    ended_without_closing(storage)
    (tmp_path / "index").rename(beside(storage.path, "-shm"))
    beside(storage.path, "-wal").touch()
    lease = lease_of(storage)
    assert acquire_without_loss(lease, storage, lease.observe())
    lease.release()
    assert "its a.db-wal is empty, though by the index beside it" in possible_loss.what_is_noted(storage.path)


def test_a_log_whose_index_is_gone_after_a_kill_is_told_where_one_must_be(storage: Storage):
    """The log alone does not tell whether it was cut between two changes."""
    left_by_a_killed_app(storage)
    ended_without_closing(storage)
    lease = lease_of(storage)
    assert acquire_without_loss(lease, storage, lease.observe())
    lease.release()
    told = "its a.db-shm is gone, which says how much its a.db-wal must hold"
    assert (told in possible_loss.what_is_noted(storage.path)) == (storage.profile == "shared")


def test_a_restore_ends_what_may_be_missing(ran: Storage, tmp_path: Path):
    possible_loss.note(ran.path, "Something may be missing.")
    backup = closed_database(tmp_path / "backup.db", 1).path
    assert run(ran, "restore", str(backup)).exit_code == 0
    assert possible_loss.what_is_noted(ran.path) == ""


def test_a_snapshot_after_a_kill_leaves_nothing_to_doubt(ran: Storage, start, tmp_path: Path):
    ended_without_closing(ran)
    beside(ran.path, "-wal").touch()
    assert run(ran, "snapshot", str(tmp_path / "copy.db")).exit_code == 0
    assert not start().may_lack_changes


def test_one_that_ended_with_its_log_lacks_nothing(ran: Storage, start):
    ended_without_closing(ran)
    beside(ran.path, "-wal").touch()
    instance = start()
    assert instance.writes and not instance.may_lack_changes
    instance.stop()


@pytest.mark.parametrize("done", ["DROP TABLE alembic_version", "DELETE FROM alembic_version"])
def test_a_database_that_lacks_its_revision_is_damaged_and_no_new_one(ran: Storage, start, done: str):
    execute(ran.path, done)
    problem = start().problem
    assert isinstance(problem, Damaged) and "nothing in it says its schema" in problem.message


# --- what goes on by itself -------------------------------------------------------------------------------


def one_page(file: Path) -> None:
    execute(file, "PRAGMA journal_mode = wal")
    assert file.stat().st_size == 4096


def one_page_and_a_journal(file: Path) -> None:
    one_page(file)
    beside(file, "-journal").write_bytes(FIRST_JOURNAL)


def a_journal_alone(file: Path) -> None:
    beside(file, "-journal").write_bytes(FIRST_JOURNAL)


def one_page_and_a_log(file: Path) -> None:
    one_page(file)
    beside(file, "-wal").write_bytes(bytes.fromhex("377f0682") + bytes(500))


@pytest.mark.parametrize("left", [Path.touch, a_journal_alone, one_page, one_page_and_a_journal, one_page_and_a_log])
def test_a_first_start_that_lost_power_goes_on_by_itself(storage: Storage, start, left: Callable[[Path], None]):
    first = lease_of(storage)
    assert first.acquire(first.observe())
    left(storage.path)
    first.release("abandoned")
    instance = start()
    assert instance.writes
    add_items(instance.database, 1)


def test_a_first_start_beside_another_first_start_is_not_taken_for_a_copy(storage: Storage, monkeypatch):
    """It looks while the other one has just made the file."""
    one_page(storage.path)
    observe, other = Lease.observe, lease_of(storage)

    def too_early(self: Lease):
        observation = observe(self)
        monkeypatch.setattr(Lease, "observe", observe)
        assert other.acquire(observe(other))
        return observation

    monkeypatch.setattr(Lease, "observe", too_early)
    second = Instance(storage, upgrade)
    second.start()
    assert second.problem is None and not second.writes
    other.release()
    second.stop()


def test_a_volume_whose_lease_folder_was_removed_too_while_no_app_ran_starts_anew(ran: Storage, start):
    ran.path.unlink()
    shutil.rmtree(folder_of(ran))
    assert start().writes


# --- the commands -----------------------------------------------------------------------------------------


def test_start_empty_leaves_a_database_with_rows_alone(ran: Storage):
    before = ran.path.read_bytes()
    done = run(ran, "start-empty")
    assert done.exit_code == 1
    assert f"{ran.path} is not empty: 6 events, 3 tasks, 3 work_items." in done.output
    assert ran.path.read_bytes() == before


def test_start_empty_leaves_a_copy_alone_that_is_to_take_the_name(ran: Storage):
    lease = lease_of(ran)
    assert lease.acquire(lease.observe())
    lease.note(pending=lease.term)
    lease.release("abandoned")
    ran.path.unlink()
    done = run(ran, "start-empty")
    assert done.exit_code == 1 and "Start the app: it goes on with the copy." in done.output
    record = Lease(Folder(folder_of(ran))).observe().record
    assert record and record.pending


def test_doctor_and_check_say_the_same_and_reset_password_makes_no_new_one(ran: Storage):
    ran.path.unlink()
    problem = why_refused(ran)
    assert isinstance(problem, Problem)
    for command in (("doctor",), ("check",), ("reset-password", "a@example.com")):
        done = run(ran, *command)
        assert done.exit_code == 1, command
        assert problem.message in done.output and "task-assist start-empty" in done.output
    assert not ran.path.exists()


@pytest.mark.parametrize("empty", EMPTIED)
def test_a_snapshot_of_it_says_the_same_and_a_dry_run_what_a_restore_would_do(ran: Storage, tmp_path: Path, empty):
    snapshot(ran, tmp_path / "backup.db")
    empty(ran.path)
    if empty is not without_tables_in_file_or_log:  # that one must be opened to be known
        done = run(ran, "snapshot", str(tmp_path / "b.db"))
        assert done.exit_code == 1 and "task-assist start-empty" in done.stderr
        done = run(ran, "restore", "--dry-run", str(tmp_path / "backup.db"))
        assert done.exit_code == 0, done.output
        assert "it will be the first database" in done.stdout
    assert run(ran, "restore", str(tmp_path / "backup.db")).exit_code == 0


def test_one_whose_tables_were_dropped_is_no_other_apps(ran: Storage, tmp_path: Path):
    """SQLite's schema_version stays where it was."""
    snapshot(ran, tmp_path / "backup.db")
    ran.path.unlink()
    execute(ran.path, "CREATE TABLE a (b)", "DROP TABLE a")
    assert isinstance(why_refused(ran), Emptied)
    assert run(ran, "restore", str(tmp_path / "backup.db")).exit_code == 0


def test_a_log_that_is_gone_is_told_though_a_command_was_refused_meanwhile(ran: Storage):
    ended_without_closing(ran)
    assert run(ran, "start-empty").exit_code == 1
    assert "its a.db-wal is gone all the same" in possible_loss.what_is_noted(ran.path)


@pytest.mark.parametrize("storage", ["shared"], indirect=True)
def test_a_place_of_the_header_that_the_disk_cant_read_is_damage_and_can_be_restored_over(
    ran: Storage, start, tmp_path: Path, monkeypatch
):
    snapshot(ran, tmp_path / "backup.db")
    number, read = ran.path.stat().st_ino, os.pread

    def worn(descriptor: int, size: int, at: int) -> bytes:
        if os.fstat(descriptor).st_ino == number:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(descriptor, size, at)

    monkeypatch.setattr(os, "pread", worn)
    problem = start().problem
    assert isinstance(problem, Damaged)
    assert f"{ran.path} is damaged: Input/output error, says the disk" in problem.message and "dmesg" in problem.hint
    assert problem.message in run(ran, "doctor").output
    done = run(ran, "restore", str(tmp_path / "backup.db"))
    assert done.exit_code == 1 and str(ran.path) in done.stderr
    assert run(ran, *shlex.split(done.stderr.splitlines()[-1])[1:]).exit_code == 0
    assert titles(ran.path) == ["Item 0", "Item 1", "Item 2"]


def test_a_folder_that_is_not_there_is_said_by_each_command_with_what_to_type(tmp_path: Path):
    snapshot(closed_database(tmp_path / "source.db", 1), tmp_path / "b.db")
    storage = storage_under(tmp_path / "none/a.db")
    for command in ("doctor", "check", "start-empty", "snapshot b.db", "restore", "import-db", "reset-password a@b.c"):
        word, *more = command.split()
        done = run(storage, word, *more, *([str(tmp_path / "b.db")] if word in ("restore", "import-db") else []))
        assert done.exit_code == 1, command
        assert "The folder of DATABASE_PATH=" in done.output and f"mkdir -p {storage.path.parent}" in done.output
    assert not storage.path.parent.exists()


def test_doctor_names_the_backups_that_lie_beside_it(ran: Storage):
    snapshot(ran, ran.path.with_name("nightly.db"))
    ran.path.unlink()
    assert f"{ran.path.with_name('nightly.db')} holds 6 items and tasks" in run(ran, "doctor").output
