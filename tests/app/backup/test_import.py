"""task-assist import-db: a database that was copied out of where it was not kept."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.database.engine import Database
from tests.app.backup.conftest import Make
from tests.app.backup.databases import add_items, execute, names, titles


@pytest.fixture
def run(make: Make, monkeypatch, tmp_path: Path) -> Callable[..., Any]:
    monkeypatch.setenv("DATABASE_PATH", str(make(items=1).path))
    return lambda *words: CliRunner().invoke(main, words)


@pytest.fixture
def copied(make: Make, tmp_path: Path) -> Path:
    """As `docker cp` of the file and its -wal from a container that was killed: two items are in the -wal alone."""
    storage = make("running.db", items=2)
    database = Database(storage)
    add_items(database, 2, "In the log")
    (tmp_path / "copied").mkdir()
    for ending in ("", "-wal"):
        shutil.copy(f"{storage.path}{ending}", tmp_path / f"copied/task_manager.db{ending}")
    database.close()
    return tmp_path / "copied/task_manager.db"


def test_all_comes_along_also_what_is_in_the_log_and_the_copy_stays_as_it_is(run, copied: Path, tmp_path: Path):
    before = {name: (copied.parent / name).read_bytes() for name in names(copied.parent)}
    done = run("import-db", str(copied))
    assert done.exit_code == 0, done.output
    assert titles(tmp_path / "task_manager.db") == ["Item 0", "Item 1", "In the log 0", "In the log 1"]
    assert {name: (copied.parent / name).read_bytes() for name in names(copied.parent)} == before
    assert run("undo").exit_code == 0
    assert titles(tmp_path / "task_manager.db") == ["Item 0"]
    assert not any(name.endswith(".partial") for name in names(tmp_path))


def test_another_apps_database_is_refused_by_its_own_name(run, tmp_path: Path):
    execute(tmp_path / "music.db", "CREATE TABLE albums (id INTEGER PRIMARY KEY)")
    done = run("import-db", str(tmp_path / "music.db"))
    assert done.exit_code == 6 and f"{tmp_path}/music.db is another app's database" in done.stderr
    assert titles(tmp_path / "task_manager.db") == ["Item 0"]


def test_the_database_itself_is_not_imported_in_its_own_place(run, tmp_path: Path):
    """Copied while an app writes, it would take the place of what is written meanwhile."""
    (tmp_path / "link.db").symlink_to(tmp_path / "task_manager.db")
    for name in ("task_manager.db", "link.db"):
        done = run("import-db", str(tmp_path / name))
        assert done.exit_code == 1 and f"{tmp_path / name} is the database itself." in done.stderr
    assert not list(tmp_path.glob("*before-restore*"))


def test_a_file_that_is_not_there_is_said(run, tmp_path: Path):
    done = run("import-db", str(tmp_path / "nothing.db"))
    assert done.exit_code == 1 and "Can't read" in done.stderr
