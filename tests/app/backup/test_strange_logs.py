"""Which -wal and which -journal SQLite may bring into the file beside it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from app.backup.copies.snapshot import snapshot
from app.backup.copies.verify import verify
from app.backup.restoring.restore import restore
from app.database.engine import Database
from app.database.sqlite import sqlite_driver
from app.database.strange_logs import refuse_strange_log
from app.errors import StrangeLog
from app.storage.mounts import beside, storage_under
from tests.app.backup.conftest import Make
from tests.app.backup.databases import add_items, closed_database, execute, journal_of, names, titles
from tests.app.backup.test_inspect import left_by_a_kill


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A database of three items, and its -wal, in which there are two more."""
    storage = closed_database(tmp_path / "open.db", 3)
    database = Database(storage)
    add_items(database, 2, "Only in the log")
    file = tmp_path / "volume" / "a.db"
    file.parent.mkdir()
    shutil.copy(storage.path, file)
    shutil.copy(beside(storage.path, "-wal"), beside(file, "-wal"))
    database.close()
    return file


def test_a_killed_apps_own_log_is_its_own(killed: Path):
    refuse_strange_log(killed)


def test_a_backup_beside_an_old_wal_is_told_and_the_command_mends_it(killed: Path, backup: Path):
    shutil.copy(backup, killed)
    with pytest.raises(StrangeLog) as refused:
        refuse_strange_log(killed)
    verb, log, aside = refused.value.hint.splitlines()[-1].split()
    assert (verb, log, aside) == ("mv", f"{killed}-wal", f"{killed}-wal.old")
    shutil.move(log, aside)
    refuse_strange_log(killed)
    assert len(titles(killed)) == 20


def test_the_command_can_be_typed_where_a_folder_has_a_space_in_its_name(killed: Path, backup: Path):
    spaced = killed.parent.rename(killed.parent.with_name("my data")) / killed.name
    shutil.copy(backup, spaced)
    with pytest.raises(StrangeLog) as refused:
        refuse_strange_log(spaced)
    subprocess.run(["sh", "-c", refused.value.hint.splitlines()[-1]], check=True)
    refuse_strange_log(spaced)


def test_an_empty_wal_is_nobodys(killed: Path, backup: Path):
    shutil.copy(backup, killed)
    beside(killed, "-wal").write_bytes(b"")
    refuse_strange_log(killed)


def test_sqlite_would_mix_them(killed: Path, backup: Path):
    """Why all of this: without an error, the rows of the backup are not what is read."""
    shutil.copy(backup, killed)
    execute(killed, "PRAGMA wal_checkpoint")
    try:
        mixed = titles(killed)
    except (AssertionError, sqlite_driver().DatabaseError):
        return
    assert len(mixed) != 20


def test_no_command_brings_a_strange_log_in(killed: Path, backup: Path, tmp_path: Path):
    shutil.copy(backup, killed)
    for reads in (
        lambda: verify(killed),
        lambda: verify(killed, fold=True),
        lambda: snapshot(storage_under(killed), tmp_path / "copy.db"),
    ):
        with pytest.raises(StrangeLog):
            reads()
    assert names(killed.parent) == {"a.db", "a.db-wal"}


def test_a_restore_sets_a_strange_log_aside(killed: Path, backup: Path):
    shutil.copy(backup, killed)
    log = beside(killed, "-wal").read_bytes()
    restore(backup, storage_under(killed))
    (aside,) = (name for name in names(killed.parent) if "-wal.set-aside-" in name)
    assert (killed.parent / aside).read_bytes() == log
    assert len(titles(killed)) == 20


def test_a_restore_sets_the_log_of_an_emptied_file_aside(killed: Path, backup: Path):
    """SQLite deletes the log of a file of 0 bytes."""
    log = beside(killed, "-wal").read_bytes()
    killed.write_bytes(b"")
    restore(backup, storage_under(killed))
    (aside,) = (name for name in names(killed.parent) if "-wal.set-aside-" in name)
    assert (killed.parent / aside).read_bytes() == log


def test_a_journal_that_switches_the_files_mode_is_its_own(make: Make):
    """What a power cut leaves of the first start on a backup, or of a restore."""
    file = make().path
    page = file.read_bytes()[:4096]
    before = bytearray(page)
    before[18:20], before[24:28], before[92:96] = b"\1\1", b"\0\0\0\7", b"\0\0\0\7"
    beside(file, "-journal").write_bytes(journal_of(file.stat().st_size // 4096, bytes(before)))
    refuse_strange_log(file)
    beside(file, "-journal").write_bytes(journal_of(file.stat().st_size // 4096))
    refuse_strange_log(file)


def test_the_journal_of_a_first_start_is_its_own_beside_one_page_only(make: Make, tmp_path: Path):
    new, filled = tmp_path / "new.db", make().path
    execute(new, "PRAGMA journal_mode = wal")
    for file in (new, filled):
        beside(file, "-journal").write_bytes(journal_of(0))
    refuse_strange_log(new)
    with pytest.raises(StrangeLog):
        refuse_strange_log(filled)
    execute(filled, "PRAGMA user_version")  # why: SQLite would undo the making of the file
    assert filled.stat().st_size == 0


def test_a_journal_of_another_file_or_of_another_change_is_not_its_own(make: Make, tmp_path: Path, backup: Path):
    killed = left_by_a_kill(backup, "DELETE FROM work_items", tmp_path / "killed")
    with pytest.raises(StrangeLog, match="is not the log of") as refused:
        refuse_strange_log(killed)
    assert "If another program was killed while it changed this file, open it with that one again" in refused.value.hint
    file = make("b.db", 1).path
    for journal in (journal_of(3, bytes(4096)), journal_of(file.stat().st_size // 4096, b"x" * 4096)):
        beside(file, "-journal").write_bytes(journal)
        with pytest.raises(StrangeLog):
            refuse_strange_log(file)


def test_a_journal_that_has_ended_is_ignored(make: Make):
    file = make().path
    beside(file, "-journal").write_bytes(bytes(5000))
    refuse_strange_log(file)
