"""What AWS Backup restored goes into the database's place by a script that is run here as the task runs it."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.storage.mounts import storage_under
from app.writer.exclusive import exclusive_access
from kit.aws import restore
from tests.app.backup.databases import closed_database
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import ROOT

AWS = [name for name in CONFIGS if name.startswith("aws")]


@pytest.mark.parametrize("name", AWS)
def test_the_task_and_the_role_have_names_that_can_be_typed(name: str):
    found = plan(name)
    task = found.one("TaskDefinition", "restore-task").inputs
    assert task["family"] == "task-assist-restore"
    assert found.one("iam/role:Role", "restore-backup").inputs["name"] == "task-assist-restore"
    attached = found.one("RolePolicyAttachment", "restore-backup").inputs["policyArn"]
    assert attached.endswith("service-role/AWSBackupServiceRolePolicyForRestores")


@pytest.mark.parametrize("name", AWS)
def test_the_task_sees_the_data_as_the_app_does_and_what_was_restored_as_root(name: str):
    found = plan(name)
    volumes = found.one("TaskDefinition", "restore-task").inputs["volumes"]
    points = {one["name"]: one["efsVolumeConfiguration"]["authorizationConfig"]["accessPointId"] for one in volumes}
    assert points == {"data": "storage-app-id", "restored": "storage-root-id"}
    assert found.one("efs/accessPoint:AccessPoint", "storage-root").inputs["posixUser"] == {"uid": 0, "gid": 0}


class Task:
    """The restore's task, with folders of this machine in the place of its two mounts."""

    def __init__(self, folder: Path) -> None:
        self.data, self.restored, self.bin = folder / "data", folder / "restored", folder / "bin"
        for each in (self.data, self.restored, self.bin):
            each.mkdir()
        command = self.bin / "task-assist"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m app "$@"\n')
        command.chmod(0o755)
        script = restore.SCRIPT.replace("/app/data", str(self.data)).replace("/restored", str(self.restored))
        # Five minutes of waiting are too long for a test.
        self.script = script.replace("sleep 10", "sleep 0.1").replace(f"tries={restore.TRIES}", "tries=1")
        self.database = self.data / "task_manager.db"

    def run(self) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "APP_ENV": "production",
            "DATABASE_PATH": str(self.database),
            # As on EFS.
            "DATABASE_STORAGE": "exclusive",
        }
        return subprocess.run(
            ["sh", "-c", self.script], env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    def restored_at(self, when: str, items: int) -> Path:
        """AWS Backup's directory, with the app's directory and a database in it."""
        folder = self.restored / f"aws-backup-restore_{when}" / "task-manager-data"
        folder.mkdir(parents=True)
        closed_database(folder / "task_manager.db", items)
        return folder


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path)


def items(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT count(*) FROM work_items").fetchone()[0]


def test_a_file_system_without_a_restore_says_so(task: Task):
    done = task.run()
    assert done.returncode == 1
    assert "AWS Backup has restored nothing into this file system yet" in done.stdout


def test_the_newest_restored_database_takes_the_place_and_the_present_one_is_kept(task: Task):
    closed_database(task.database, 3)
    task.restored_at("2026-11-25T03-15-00-000Z", 1)
    newest = task.restored_at("2026-11-26T03-15-00-000Z", 20)
    done = task.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert items(task.database) == 20
    assert [items(kept) for kept in task.data.glob("task_manager-before-restore-*.db")] == [3]
    assert "restore: done: start the app again" in done.stdout
    # Nothing that costs is left of it.
    assert not newest.parent.exists()
    assert not (task.data / ".from-backup").exists()


def test_what_stands_in_the_log_beside_the_restored_database_comes_too(task: Task):
    folder = task.restored_at("2026-11-26T03-15-00-000Z", 2)
    source = folder / "task_manager.db"
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("DELETE FROM tasks")
        connection.execute("DELETE FROM work_items")
        connection.commit()
        # As a killed app leaves them.
        for ending in ("", "-wal"):
            shutil.copy(f"{source}{ending}", task.restored / f"copy{ending}")
    for ending in ("", "-wal"):
        shutil.move(task.restored / f"copy{ending}", f"{source}{ending}")
    assert task.run().returncode == 0
    assert items(task.database) == 0


def test_a_first_database_comes_without_one_to_keep(task: Task):
    task.restored_at("2026-11-26T03-15-00-000Z", 2)
    assert task.run().returncode == 0
    assert items(task.database) == 2
    assert not list(task.data.glob("*before-restore*"))


def test_a_damaged_backup_changes_nothing(task: Task):
    closed_database(task.database, 3)
    folder = task.restored_at("2026-11-26T03-15-00-000Z", 20)
    damaged = folder / "task_manager.db"
    damaged.write_bytes(damaged.read_bytes()[:8192] + b"x" * 8192)
    done = task.run()
    assert done.returncode != 0
    assert [file.name for file in task.data.glob("*.db")] == ["task_manager.db"]
    assert items(task.database) == 3
    assert folder.exists()


def test_a_damaged_present_database_is_replaced_all_the_same(task: Task):
    closed_database(task.database, 3)
    task.database.write_bytes(task.database.read_bytes()[:4096] + b"x" * 8192)
    task.restored_at("2026-11-26T03-15-00-000Z", 20)
    done = task.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept byte for byte" in done.stdout
    assert items(task.database) == 20


def test_an_app_that_still_runs_keeps_its_database(task: Task):
    storage = closed_database(task.database, 3)
    task.restored_at("2026-11-26T03-15-00-000Z", 20)
    with exclusive_access(storage_under(storage.path, "exclusive"), replaces=True):
        done = task.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "did not hand it over within 20 s" in done.stderr
    assert "restore: nothing was replaced (exit code 1)" in done.stdout
    assert items(task.database) == 3


def test_the_script_is_one_that_sh_takes():
    checked = subprocess.run(["sh", "-n", "-c", restore.SCRIPT], capture_output=True, text=True, check=False)
    assert checked.stderr == ""
