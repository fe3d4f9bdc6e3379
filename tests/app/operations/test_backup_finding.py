"""The doctor, /healthz and `backup status` say the same of the backups: what the manifests in the store say."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from app.backup.schedule.schedule import last_run
from app.backup.stores import folder as folder_module
from app.backup.stores.store import store_at
from app.backup.stores.stored_backup import ENDING, new_name, newest_first, newest_in, object_of
from app.cli import main
from app.operations.backups import backup_runner
from app.operations.backups.backup_health import BackupHealth
from app.operations.backups.notify import notifier
from app.operations.control import control
from app.operations.control.control import AppRefused
from app.operations.doctor import backup_finding as backup_finding_module
from app.operations.doctor.backup_finding import backup_finding
from app.settings import load
from app.storage import mounts as mounts_module
from app.storage.mounts import Mount

Run = Callable[..., Any]


@pytest.fixture
def run(said_by_app, app, tmp_path: Path, monkeypatch) -> Run:
    """Types a command beside the running app, which has a store."""
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("DATABASE_PATH", str(app.instance.storage.path))
    monkeypatch.setenv("BACKUP_URL", (tmp_path / "store").as_uri())
    return lambda *words: CliRunner().invoke(main, words)


def ahead(hours: float = 0) -> datetime:
    """That long after this moment; not after the one at which the tests were collected, half an hour ago maybe."""
    return datetime.now(UTC) + timedelta(hours=hours)


def found(hours: float = 0) -> Any:
    return backup_finding(load(), ahead(hours))


def test_where_none_are_made_it_says_what_is_lost_and_which_line_mends_it(app, place, monkeypatch):
    monkeypatch.delenv("BACKUP_URL", raising=False)
    none = backup_finding(load({}), ahead())
    assert none.level == "note" and "none are made" in none.text and "BACKUP_URL=file:///backups" in none.fix


def test_before_the_first_one_all_three_say_that_there_is_none(run: Run, app):
    assert found().level == "note" and "none yet" in found().text and "task-assist backup" in found().fix
    assert app.test_client().get("/healthz").get_json()["backup"]["newest"] is None
    assert "none in file://" in run("backup", "status").stdout


def test_a_backup_and_a_drill_by_hand_are_known_to_all_three_at_once(run: Run, app):
    assert run("backup").exit_code == 0
    said = json.loads(run("backup", "status", "--json").stdout)
    assert found().level == "ok" and f"the newest of {said['made_at']}, drilled never" in found().text
    known = app.test_client().get("/healthz").get_json()["backup"]
    assert datetime.fromisoformat(known["newest"]) == datetime.fromisoformat(said["made_at"])
    assert known["age_seconds"] < 60 and known["drilled"] is None
    assert run("backup", "drill").exit_code == 0
    said = json.loads(run("backup", "status", "--json").stdout)["drill"]["drilled_at"]
    known = app.test_client().get("/healthz").get_json()["backup"]
    assert datetime.fromisoformat(known["drilled"]) == datetime.fromisoformat(said)
    assert f"drilled {datetime.fromisoformat(said).isoformat()}" in found().text


def test_one_in_another_store_is_not_told_to_the_app(run: Run, app, tmp_path: Path):
    (tmp_path / "other").mkdir()
    assert run("backup", "--store", (tmp_path / "other").as_uri()).exit_code == 0
    assert app.test_client().get("/healthz").get_json()["backup"]["newest"] is None


def test_one_that_is_missing_is_a_fault_with_the_command_that_mends_it(run: Run, tmp_path: Path):
    assert run("backup").exit_code == 0
    old = new_name("task_manager", ahead(-27))
    for ending in (ENDING, ".db.zst"):
        (file,) = (tmp_path / "store").glob(f"*{ending}")
        file.rename(file.with_name(old + ending))
    assert found().level == "fault" and "is missing; in file://" in found().text
    assert "task-assist backup" in found().fix
    done = run("backup", "status")
    assert done.exit_code == 1 and "Not well: the backup of" in done.stdout and "is missing" in done.stdout


def test_one_that_is_of_a_time_to_come_is_not_the_newest_and_a_fault_with_what_removes_it(run: Run, app, tmp_path):
    assert run("backup").exit_code == 0
    store = tmp_path / "store"
    made, later = store_at(store.as_uri()), new_name("task_manager", ahead(365 * 24))
    newest = newest_in(made)
    for file in store.glob(f"{newest}*"):
        (store / file.name.replace(newest, later)).write_bytes(file.read_bytes())
    said = run("backup", "status")
    assert said.exit_code == 1 and f"Newest   {newest}" in said.stdout
    assert f"Not well: {later}: of a time to come" in said.stdout
    assert found().level == "fault" and f"{later}: of a time to come" in found().text
    assert found(30).text.startswith("the backup of")
    command = found().fix.splitlines()[1]
    assert command in said.stdout
    subprocess.run(command.removeprefix("sudo "), shell=True, check=True)
    assert found().level == "ok" and newest_in(made) == newest


def test_an_app_that_does_not_answer_hides_nothing_of_the_store(run: Run, monkeypatch):
    assert run("backup").exit_code == 0

    def hangs(*_: Any, **__: Any) -> None:
        raise AppRefused(control.BROKEN_OFF)

    monkeypatch.setattr(control, "ask", hangs)
    said = run("backup", "status")
    assert said.exit_code == 1 and "Newest   task_manager" in said.stdout
    assert "Not well: what the app met can't be told: The running app ended" in said.stdout


def test_what_failed_is_a_fault_with_its_reason(run: Run, app):
    assert run("backup").exit_code == 0
    app.instance.backups = BackupHealth(errors={"backup": "There is no such bucket."}).as_dict
    assert found().level == "fault" and "There is no such bucket." in found().text
    assert "task-assist backup" in found().fix


def test_a_store_that_can_not_be_read_is_a_fault(run: Run, tmp_path: Path):
    (tmp_path / "store").rmdir()
    assert found().level == "fault" and "can't be read" in found().text


def test_without_a_running_app_the_store_says_it(make_stopped: Run):
    assert make_stopped("backup").exit_code == 0
    assert found().level == "ok" and "the newest of" in found().text


@pytest.fixture
def make_stopped(tmp_path: Path, place: Path, monkeypatch) -> Run:
    from tests.app.backup.databases import closed_database

    (tmp_path / "store").mkdir()
    monkeypatch.setenv("DATABASE_PATH", str(closed_database(tmp_path / "a.db", 2).path))
    monkeypatch.setenv("BACKUP_URL", (tmp_path / "store").as_uri())
    return lambda *words: CliRunner().invoke(main, words)


def test_what_the_runner_sees_and_the_command_says_is_one_answer(run: Run, monkeypatch):
    """The runner of a real app reads what `backup status --json` prints."""
    assert run("backup").exit_code == 0
    known = BackupHealth()
    commands: Any = SimpleNamespace(run=lambda *words, **_: json.loads(run(*words).stdout), stopping=None)
    instance: Any = SimpleNamespace(writes=True, problem=None)
    watch = backup_runner.BackupWatch(instance, known, commands, backup_runner.Alarm(notifier(None)), is_scheduled=True)
    watch.look(ahead())
    assert known.made_at and known.due_at and known.due_at > known.made_at


@pytest.mark.parametrize(
    ("root", "source", "with_data"),
    [
        ("/volumes/data/_data", "/dev/sda1", True),
        ("/volumes/backups/_data", "/dev/sda1", False),
        ("/volumes/data/_data", "nfs:/export", False),
    ],
)
def test_backups_on_the_datas_own_volume_are_told(
    run: Run, app, tmp_path: Path, monkeypatch, root: str, source: str, with_data: bool
):
    """In a container; on a laptop all lies on one disk."""
    data, store = str(app.instance.storage.path.parent), str(tmp_path / "store")
    mounts = [Mount(data, "/volumes/data/_data", "ext4", "/dev/sda1", read_only=False)]
    mounts += [Mount(store, root, "ext4", source, read_only=False)]
    for module in (backup_finding_module, folder_module, mounts_module):
        monkeypatch.setattr(module, "read_mounts", lambda: mounts)
    assert run("backup").exit_code == 0
    assert found().level == "ok"
    monkeypatch.setenv("APP_ENV", "production")
    told = found()
    assert (told.level, told.value.get("with_data", False)) == (("note", True) if with_data else ("ok", False))
    assert ("what takes that takes both" in told.text) == with_data


def test_a_manifest_whose_backup_is_gone_counts_for_nothing_and_is_a_fault(run: Run, tmp_path: Path, monkeypatch):
    """Something else has removed it: `latest` is the one before, and the schedule makes another one."""
    assert run("backup").exit_code == 0
    store = store_at((tmp_path / "store").as_uri())
    whole = newest_in(store)
    monkeypatch.setenv("BACKUP_SCHEDULE", "* * * * *")
    assert run("backup", "--if-due").exit_code == 0
    gone = newest_in(store)
    store.remove(object_of(gone, encrypted=False))
    assert newest_in(store) == whole
    said = run("backup", "status")
    assert said.exit_code == 1 and f"Newest   {whole}" in said.stdout and f"Not well: {gone}" in said.stdout
    assert f"{gone}  can't be restored" in run("backup", "list").stdout
    assert found().level == "fault" and gone in found().text
    assert last_run(newest_first(store), datetime.now(UTC)) is None
    command = found().fix.splitlines()[1]
    assert command in said.stdout
    subprocess.run(command.removeprefix("sudo "), shell=True, check=True)
    assert found().level == "ok"
