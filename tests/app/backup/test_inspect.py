"""What is told of a folder is what a start would find, and nothing in the folder is changed by looking."""

import shutil
from pathlib import Path

from app.backup.copies.inspect import facts_of
from app.database.sqlite import connect
from tests.app.backup.conftest import Make
from tests.app.backup.databases import execute, journal_of, titles


def left_by_a_kill(file: Path, statement: str, to: Path) -> Path:
    """The database as it lies there after a kill in the middle of `statement`: pages of it written, its journal hot."""
    execute(file, "PRAGMA journal_mode = DELETE")
    writing = connect(file.as_uri(), wait=1)
    writing.execute("PRAGMA cache_size = 1")  # so that changed pages are written before the end
    writing.execute("BEGIN")
    writing.execute(statement)
    writing.execute("PRAGMA cache_spill = 1")
    to.mkdir()
    for ending in ("", "-journal"):
        shutil.copy(file.with_name(file.name + ending), to)
    writing.execute("ROLLBACK")
    writing.close()
    return to / file.name


def test_rows_of_an_unfinished_change_are_not_told_as_if_they_were_there(make: Make, tmp_path: Path):
    killed = left_by_a_kill(make(items=300).path, "DELETE FROM tasks", tmp_path / "killed")
    before = {file.name: file.read_bytes() for file in killed.parent.iterdir()}
    (file, _journal) = facts_of(killed.parent)["files"]
    assert file["name"] == "task_manager.db"
    assert file["database"]["problem"]["code"] == "strange_log"
    assert "open it with that one again" in file["database"]["problem"]["hint"]
    assert {file.name: file.read_bytes() for file in killed.parent.iterdir()} == before
    assert len(titles(killed)) == 300


def test_nor_those_of_a_file_whose_mode_was_being_switched(make: Make):
    """Which the app does itself, at the first start on a backup and for a restore."""
    file = make(items=3).path
    file.with_name("task_manager.db-journal").write_bytes(journal_of(file.stat().st_size // 4096))
    facts = facts_of(file.parent)["files"][0]
    assert facts["database"]["problem"]["code"] == "in_use"
    assert "in the middle of a change that was not finished" in facts["database"]["problem"]["message"]


def test_a_journal_of_a_change_that_ended_is_no_matter(make: Make):
    storage = make(items=3)
    storage.path.with_name("task_manager.db-journal").write_bytes(bytes(512))
    (file, _journal) = facts_of(storage.path.parent)["files"]
    assert file["database"]["rows"]["tasks"] == 3
