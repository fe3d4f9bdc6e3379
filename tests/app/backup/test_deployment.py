"""Two deployments that were given one BACKUP_URL: neither touches, counts or restores what the other one has made."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.backup.stores import deployment
from app.backup.stores.store import Store
from app.backup.stores.stored_backup import (
    deployment_in,
    manifest_of,
    names_in,
    new_name,
    object_of,
    read_stored_backup,
)
from app.cli import main
from tests.app.backup.databases import closed_database, names, titles

Type = Callable[..., Any]


@pytest.fixture
def type_(store: Store, tmp_path: Path, place: Path, monkeypatch) -> Type:
    """type_(which, *words): `task-assist` in the first or the second deployment, of one item and of nine."""
    monkeypatch.setenv("BACKUP_URL", str(store.url))
    monkeypatch.setenv("BACKUP_KEEP", "last=1")
    for which, items in (("first", 1), ("second", 9)):
        (tmp_path / which).mkdir()
        closed_database(tmp_path / which / "task_manager.db", items)

    def run(which: str, *words: str) -> Any:
        monkeypatch.setenv("DATABASE_PATH", str(tmp_path / which / "task_manager.db"))
        return CliRunner().invoke(main, words)

    return run


def made_by(type_: Type, which: str) -> str:
    done = type_(which, "backup", "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["made"]["name"]


def test_each_prunes_its_own_alone(type_: Type, store: Store):
    first = [made_by(type_, "first") for _ in range(2)]
    second = [made_by(type_, "second") for _ in range(5)]
    assert names_in(store) == [*first, *second[-3:]]


def test_what_broke_off_in_another_one_is_not_swept(type_: Type, store: Store, tmp_path: Path):
    made_by(type_, "first")
    number, long_ago = "0123abcd", datetime.now(UTC) - timedelta(days=9)
    theirs, mine = (
        object_of(new_name("task_manager", long_ago, each), encrypted=False)
        for each in (number, (tmp_path / "first/task_manager.db.deployment").read_text().strip())
    )
    for each in (theirs, mine):
        store.create(each, b"half")
    made_by(type_, "first")
    assert theirs in names(tmp_path / "store") and mine not in names(tmp_path / "store")


def test_latest_is_the_newest_of_ones_own(type_: Type, tmp_path: Path):
    mine, theirs = made_by(type_, "first"), made_by(type_, "second")
    assert type_("first", "restore", "latest").exit_code == 0
    assert titles(tmp_path / "first/task_manager.db") == ["Item 0"]
    assert mine in type_("first", "backup", "drill").stdout
    assert mine in type_("first", "backup", "key-kit").stdout
    done = type_("first", "restore", theirs)
    assert done.exit_code == 0, done.output
    assert len(titles(tmp_path / "first/task_manager.db")) == 9


def test_the_others_are_named_by_status_doctor_and_list(type_: Type):
    mine = made_by(type_, "first")
    assert "deployment" not in type_("first", "backup", "status").stdout + type_("first", "backup", "list").stdout
    theirs = made_by(type_, "second")
    status, listed = type_("first", "backup", "status"), type_("first", "backup", "list").stdout.splitlines()
    assert mine in status.stdout.splitlines()[0] and status.exit_code == 0
    assert f"another deployment as well, the newest {theirs}" in status.stdout
    assert {line.split()[0]: "another deployment" in line for line in listed} == {mine: False, theirs: True}
    found = json.loads(type_("first", "doctor", "--json").stdout)["findings"]
    (backups,) = [each for each in found if each["name"] == "backups"]
    assert theirs in backups["text"] and backups["level"] == "note"


def test_anothers_backup_is_not_the_one_that_was_due(type_: Type, monkeypatch):
    monkeypatch.setenv("BACKUP_SCHEDULE", "* * * * *")
    made = [json.loads(type_(which, "backup", "--if-due", "--json").stdout) for which in ("first", "second")]
    assert (
        made[0]["made"] and not made[1]["made"]
    )  # it has none of its own: what is there may be that of a lost machine
    made_by(type_, "second")
    again = json.loads(type_("second", "backup", "--if-due", "--json").stdout)
    assert again["made"], again


def test_a_new_machine_takes_the_newest_of_the_lost_one(type_: Type, tmp_path: Path):
    made_by(type_, "second")
    done = type_("new", "restore", "latest") if (tmp_path / "new").mkdir() is None else None
    assert done
    assert done.exit_code == 0, done.output
    assert len(titles(tmp_path / "new/task_manager.db")) == 9


def test_a_new_machine_is_asked_which_of_several_it_should_take_and_each_command_works(type_: Type, tmp_path: Path):
    found = {made_by(type_, "first"): 1, made_by(type_, "second"): 9}
    (tmp_path / "new").mkdir()
    done = type_("new", "restore", "latest")
    assert done.exit_code == 1 and not (tmp_path / "new/task_manager.db").exists()
    assert "backups of 2 deployments" in done.output
    commands = [line.split() for line in done.output.splitlines() if line.startswith("  task-assist restore")]
    assert {words[-1].rpartition("/")[2] for words in commands} == set(found)
    for words in commands:
        assert type_("new", *words[1:]).exit_code == 0
        assert len(titles(tmp_path / "new/task_manager.db")) == found[words[-1].rpartition("/")[2]]


def test_where_there_are_anothers_alone_latest_takes_none(type_: Type, store: Store, tmp_path: Path):
    gone, theirs = made_by(type_, "first"), made_by(type_, "second")
    store.remove(manifest_of(gone))
    done = type_("first", "restore", "latest")
    assert done.exit_code == 1 and f"task-assist restore {store.url}/{theirs}" in done.output
    assert titles(tmp_path / "first/task_manager.db") == ["Item 0"]


def test_the_latest_of_another_store_is_named_by_its_address(type_: Type, store: Store, tmp_path: Path, monkeypatch):
    made_by(type_, "first")
    monkeypatch.setenv("BACKUP_URL", (tmp_path / "another").as_uri())
    (tmp_path / "another").mkdir()
    made_by(type_, "second")
    assert type_("second", "restore", f"{store.url}/latest").exit_code == 0
    assert titles(tmp_path / "second/task_manager.db") == ["Item 0"]


def test_those_of_before_there_were_numbers_count_as_ones_own(type_: Type, store: Store, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("app.backup.transfer.pipeline.ensure_deployment_number", lambda _: None)
    old = made_by(type_, "first")
    monkeypatch.undo()
    monkeypatch.setenv("BACKUP_URL", str(store.url))
    (tmp_path / "first/task_manager.db.deployment").write_text("0123abcd\n")
    assert deployment_in(old) is None and read_stored_backup(store, old).name == old
    assert deployment.newest_of_own(store, "0123abcd") == old


def test_a_number_that_was_only_half_written_is_none_and_made_anew(tmp_path: Path):
    database = tmp_path / "a.db"
    (tmp_path / "a.db.deployment").write_text("0123")
    assert deployment.deployment_number(database) is None
    number = deployment.ensure_deployment_number(database)
    assert deployment.ensure_deployment_number(database) == deployment.deployment_number(database) == number


def test_a_restore_leaves_the_number(type_: Type, tmp_path: Path):
    made_by(type_, "first")
    number = (tmp_path / "first/task_manager.db.deployment").read_text()
    snapshot_of = tmp_path / "snapshot.db"
    assert type_("second", "snapshot", str(snapshot_of)).exit_code == 0
    assert type_("first", "restore", str(snapshot_of)).exit_code == 0
    assert (tmp_path / "first/task_manager.db.deployment").read_text() == number
