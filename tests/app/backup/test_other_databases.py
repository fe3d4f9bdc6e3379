"""A filled database beside the configured, empty one is named: its path may only have been typed wrong."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import create_app
from app.backup.copies.other_databases import log, other_filled_databases, warn_of_other_databases
from app.database.engine import Database
from app.settings import Settings
from app.storage.mounts import storage_under
from tests.app.backup.conftest import Make
from tests.app.backup.databases import execute

HEADER = b"SQLite format 3\0".ljust(68, b"\0") + b"TAsk".ljust(32, b"\0")
"""Of one that says it is Task Assist's."""


@pytest.fixture
def said(monkeypatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    return lines


def test_the_filled_one_is_named_in_one_line_with_what_to_do(make: Make, said: list[str], tmp_path: Path):
    filled, configured = make("tasks.db", items=3), Database(make("taks.db", items=0))
    warn_of_other_databases(configured)
    (line,) = said
    assert line.startswith(f"{tmp_path / 'taks.db'} is empty, but {filled.path} holds 6 items and tasks.")
    assert "DATABASE_PATH" in line and "task-assist restore FILE" in line
    configured.close()


def test_a_start_says_so(make: Make, said: list[str], settings: Settings):
    make("tasks.db", items=3)
    create_app(settings).instance.stop()
    (line,) = said
    assert line.startswith(f"{settings.database_path} is empty, but ")


def test_a_start_does_not_fail_for_it(said: list[str], settings: Settings, monkeypatch):
    def fails(_file: Path) -> int:
        raise OSError("Input/output error")

    settings.database_path.with_name("tasks.db").write_bytes(HEADER)
    monkeypatch.setattr("app.backup.copies.other_databases.items_and_tasks_in", fails)
    create_app(settings).instance.stop()
    assert said == [
        f"{settings.database_path} is empty, and what lies beside it can't be looked at: Input/output error"
    ]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path):
    assert other_filled_databases(storage_under(tmp_path / "none/none.db")) == ""


def test_beside_a_filled_one_nothing_is_said(make: Make, said: list[str]):
    make("tasks.db", items=3)
    configured = Database(make("configured.db", items=1))
    warn_of_other_databases(configured)
    configured.close()
    assert said == []


def test_only_filled_databases_of_task_assist_are_named(make: Make, tmp_path: Path):
    make("empty.db", items=0)
    execute(tmp_path / "music.db", "CREATE TABLE albums (title)", "INSERT INTO albums VALUES ('Blue')")
    (tmp_path / "notes.txt").write_text("shopping")
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "broken.db").write_bytes(make("good.db").path.read_bytes()[:5000])
    (tmp_path / "good.db").unlink()
    assert other_filled_databases(storage_under(tmp_path / "none.db")) == ""


def test_the_database_itself_is_not_opened_by_another_name(make: Make, tmp_path: Path):
    storage = make(items=3)
    (tmp_path / "link.db").symlink_to(storage.path)
    (tmp_path / "hard.db").hardlink_to(storage.path)
    assert other_filled_databases(storage) == ""


LOCKS = """
import fcntl, struct, sys
asked = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 128, 1, 0)
kind, *_ = struct.unpack("hhqqi", fcntl.fcntl(open(sys.argv[1], "r+b"), fcntl.F_GETLK, asked))
print(kind != fcntl.F_UNLCK)
"""
"""Is the byte of the -shm locked by which SQLite knows that a database is in use? Whoever finds it free empties the
-shm, and a process that has it in its memory ends with SIGBUS (os_unix.c, UNIX_SHM_DMS)."""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the locks as Linux has them")
def test_looking_around_does_not_drop_the_locks_of_the_open_database(make: Make, tmp_path: Path):
    configured = Database(make("configured.db", items=0))
    with configured.read():
        warn_of_other_databases(configured)
        shm = tmp_path / "configured.db-shm"
        locked = subprocess.run([sys.executable, "-c", LOCKS, shm], capture_output=True, text=True, check=True)
    configured.close()
    assert locked.stdout == "True\n"


def test_not_more_than_three_are_named(make: Make, tmp_path: Path):
    filled = make("0.db", items=1)
    for number in range(1, 6):
        shutil.copy(filled.path, tmp_path / f"{number}.db")
    assert other_filled_databases(storage_under(tmp_path / "none.db")).count("holds 2 items and tasks") == 3
