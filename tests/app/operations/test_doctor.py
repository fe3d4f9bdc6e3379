"""task-assist doctor: every finding, and what mends it."""

import errno
import json
import os
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from app.cli import main
from app.database import long_log, migrations
from app.errors import Damaged
from app.operations.control import control, control_commands
from app.operations.control.control import AppRefused
from app.operations.control.control_commands import listen
from app.operations.doctor import doctor, writer_finding
from app.operations.doctor.doctor import examine
from app.operations.doctor.finding import Finding
from app.storage.mounts import Storage, storage_under
from app.writer.instance import Instance
from app.writer.lease_files import folder_of
from tests.app.backup.databases import add_items, closed_database


@pytest.fixture(autouse=True)
def quick(monkeypatch, place: Path) -> None:
    monkeypatch.setattr(writer_finding, "RENEW_EVERY", 0.05)


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path) -> Storage:
    return closed_database(tmp_path / "a.db", 3, request.param)


def found(storage: Storage, *, full: bool = False, production: bool = False) -> dict[str, Finding]:
    return {each.name: each for each in examine(storage, production=production, keeps_secret=True, full=full)}


def faults(findings: dict[str, Finding]) -> list[str]:
    return [name for name, each in findings.items() if each.level == "fault"]


def test_a_sound_database_without_an_app(storage: Storage):
    findings = found(storage, full=True)
    assert faults(findings) == []
    assert findings["read by"].value == "this command"
    assert findings["integrity"].text == "ok (full check)"
    assert findings["pragmas"].value["journal_mode"] == "wal"
    assert sorted(file.name for file in storage.path.parent.iterdir()) == ["a.db", "a.db.lease"]


def test_an_app_that_hangs_is_a_fault_and_not_asked_for_what_takes_long(storage: Storage, monkeypatch):
    def hangs(_: Storage, command: str, **__: object) -> None:
        assert command != "examine"
        raise AppRefused({**control.BROKEN_OFF, "message": "It did not answer within 60 s."})

    monkeypatch.setattr(control, "ask", hangs)
    findings = found(storage)
    assert "inside" in faults(findings) and "did not answer" in findings["inside"].text


def test_beside_a_running_app_that_app_is_asked(storage: Storage):
    running = Instance(storage, migrations.upgrade)
    running.start()
    listening = listen(running)
    assert listening
    findings = found(storage)
    assert findings["read by"].value == "the running app"
    assert findings["writer"].value == running.lease.owner
    listening.close()
    findings = found(storage)
    assert findings["inside"].text.startswith("A running app has the database")
    assert "docker exec" in findings["inside"].fix
    running.stop()


def test_what_the_running_app_has_found_is_a_fault_though_this_look_finds_none(storage: Storage):
    running = Instance(storage, migrations.upgrade)
    running.start()
    listening = listen(running)
    assert listening
    assert found(storage)["condition"].level == "ok"
    running.database.condition.report(Damaged("It is broken.", "Type this."))
    findings = found(storage)
    assert faults(findings) == ["condition"]
    assert (findings["condition"].text, findings["condition"].fix) == ("It is broken.", "Type this.")
    listening.close()
    running.stop()
    assert "condition" not in found(storage)


def test_a_writer_that_was_killed_on_a_local_disk_is_none(tmp_path: Path):
    storage = storage_under(tmp_path / "a.db", "shared")
    folder_of(storage).mkdir()
    (folder_of(storage) / "lock").touch()
    (folder_of(storage) / "term-000000000003").write_text('{"owner": "host-1", "beat": 4}'.ljust(256))
    assert writer_finding.writer_finding(storage).text == "none now; the last was host-1 (term 3)"


def test_a_writer_in_another_container_is_named_and_how_to_find_it(tmp_path: Path, monkeypatch):
    storage = closed_database(tmp_path / "a.db", 3)
    running = Instance(storage, migrations.upgrade)
    running.start()
    assert writer_finding.writer_finding(storage).level == "ok"
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    finding = writer_finding.writer_finding(storage)
    assert finding.level == "note" and running.lease.owner in finding.text and "docker ps" in finding.fix
    running.stop()


def test_a_log_that_a_reader_keeps_growing_is_a_fault_that_names_the_reader(storage: Storage, monkeypatch):
    monkeypatch.setattr(long_log, "LONG", 1 << 16)
    monkeypatch.setattr(long_log, "holders_of", lambda *_: ["process 4711 (sqlite3)"])
    running = Instance(storage, migrations.upgrade)
    running.start()
    listening = listen(running)
    assert listening
    assert found(storage)["log"].level == "ok"
    with running.database.read() as reading:
        reading.connection().exec_driver_sql("SELECT count(*) FROM tasks").all()
        add_items(running.database, 20)
        finding = found(storage)["log"]
    assert finding.level == "fault" and "process 4711 (sqlite3)" in finding.text and "End that program" in finding.fix
    listening.close()
    running.stop()


def test_damage_that_an_examination_finds_is_red_for_all(storage: Storage, monkeypatch):
    examined = control_commands.examined
    monkeypatch.setattr(
        control_commands, "examined", lambda *a, **b: examined(*a, **b) | {"integrity": "row 3 missing"}
    )
    running = Instance(storage, migrations.upgrade)
    running.start()
    listening = listen(running)
    assert listening
    assert "integrity" in faults(found(storage))
    assert "row 3 missing" in str(running.problem)
    listening.close()
    running.stop()


def test_what_a_killed_app_left_on_a_network_mount_is_left_alone(tmp_path: Path):
    storage = storage_under(tmp_path / "a.db", "exclusive")
    killed = Instance(storage, migrations.upgrade)
    killed.start()
    killed.heartbeat.ended.set()
    inode = storage.path.stat().st_ino
    finding = found(storage)["inside"]
    assert finding.level == "note" and "was killed" in finding.text
    assert storage.path.stat().st_ino == inode
    killed.stop()


def test_a_file_that_holds_no_tables_yet_is_a_note(tmp_path: Path):
    storage = storage_under(tmp_path / "a.db")
    storage.path.touch()
    assert found(storage)["schema"].level == "note"


def test_where_nothing_can_be_written_it_says_so(storage: Storage, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    finding = doctor._fsync(storage)
    assert finding.level == "fault" and "No space left on device" in finding.text


def test_a_lease_that_cannot_be_read_is_a_fault_with_words(storage: Storage, monkeypatch):
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(writer_finding.Lease, "observe", refused)
    folder_of(storage).mkdir(exist_ok=True)
    finding = writer_finding.writer_finding(storage)
    assert finding.level == "fault" and "Permission denied" in finding.text and "chown" in finding.fix


def test_a_file_of_a_killed_examination_is_no_hindrance(storage: Storage):
    storage.path.with_name(f".doctor-{os.getpid()}").touch()
    assert doctor._fsync(storage).level in ("ok", "note")


def test_without_a_database_nothing_is_made(tmp_path: Path):
    findings = found(storage_under(tmp_path / "none.db"))
    assert findings["database"].level == "note" and faults(findings) == []
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_a_fault(storage: Storage):
    whole = storage.path.read_bytes()
    storage.path.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])
    assert {"integrity", "inside"} & set(faults(found(storage)))


def test_a_place_that_does_not_last_is_a_fault_with_the_command_that_mends_it(tmp_path: Path):
    inside_container = storage_under(tmp_path / "a.db")
    findings = found(inside_container, production=not inside_container.own_mount)
    if inside_container.own_mount:
        pytest.skip("the temporary folder is a mount of its own here")
    assert faults(findings) == ["mount"]
    assert "docker run" in findings["mount"].fix


def test_no_room_for_a_copy_is_a_fault(storage: Storage, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    findings = found(storage)
    assert "free space" in faults(findings) and "larger" in findings["free space"].fix


def test_slow_storage_is_a_note(storage: Storage, monkeypatch):
    monkeypatch.setattr(doctor, "SLOW_FSYNC", 0.0)
    assert found(storage)["fsync"].level == "note"


@pytest.mark.parametrize(
    ("version", "level"), [("3.51.2", "note"), ("3.46.1", "note"), ("3.51.3", "ok"), ("3.6.9", "ok"), ("3.53.0", "ok")]
)
def test_the_wal_reset_bug_is_told_by_the_version(version: str, level: str):
    assert doctor._sqlite(version).level == level


def test_shared_forced_on_a_network_mount_is_a_fault(storage: Storage, monkeypatch):
    monkeypatch.setattr(doctor, "profile_of", lambda _: "exclusive")
    assert doctor._profile(storage_under(storage.path, "shared")).level == "fault"


def test_a_writer_that_is_silent_is_told(tmp_path: Path):
    storage = storage_under(tmp_path / "a.db", "exclusive")
    folder_of(storage).mkdir()
    (folder_of(storage) / "term-000000000003").write_text('{"owner": "host-1", "beat": 4}'.ljust(256))
    finding = writer_finding.writer_finding(storage)
    assert finding.level == "note" and "host-1 (term 3), silent" in finding.text


def test_the_exit_code_is_for_scripts(storage: Storage, monkeypatch):
    monkeypatch.setenv("DATABASE_PATH", str(storage.path))
    monkeypatch.setenv("DATABASE_STORAGE", storage.profile)
    well = CliRunner().invoke(main, ["doctor", "--json"])
    assert well.exit_code == 0 and json.loads(well.stdout)["ok"]
    assert "synchronous full" in CliRunner().invoke(main, ["doctor"]).stdout
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    ill = CliRunner().invoke(main, ["doctor"])
    assert ill.exit_code == 1
    assert "fault  free space" in ill.stdout and "free some space" in ill.stdout
    assert ill.stdout.endswith("To mend: free space.\n")
