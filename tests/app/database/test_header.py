"""A file whose first bytes are damaged, or were set by somebody: what is refused, and what the app goes on with."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from app.backup.copies.inspect import facts_of
from app.backup.copies.other_databases import other_filled_databases
from app.backup.copies.upgrade import upgrade
from app.backup.copies.verify import verify
from app.backup.restoring.restore import restore
from app.database.engine import Database
from app.database.header import Header, header_of_open, read_header
from app.database.sqlite import APPLICATION_ID, sqlite_driver
from app.domain.accounts import list_accounts
from app.errors import Broken, Damaged, Foreign
from app.storage.mounts import Storage, storage_under
from app.writer.safe_acquire import why_refused
from tests.app.backup.databases import add_items, closed_database, execute, titles


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return closed_database(tmp_path / "a.db", 3)


def overwrite(file: Path, at: int, byte: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(bytes([byte]))


def test_what_a_header_says(storage: Storage):
    header = read_header(storage.path)
    assert (header.is_sqlite, header.mode, header.application_id) == (True, "wal", APPLICATION_ID)
    assert header.least_bytes == storage.path.stat().st_size
    assert header.fault is None
    assert Header(b"").least_bytes == 512
    assert Header(b"Something else" + bytes(100)).fault is None


@pytest.mark.parametrize(("at", "byte"), [(18, 9), (19, 9), (18, 0), (18, 1)])
def test_a_version_that_no_sqlite_writes_is_damage_and_a_restore_mends_it(storage: Storage, tmp_path, at, byte):
    good = closed_database(tmp_path / "good.db", 2).path
    overwrite(storage.path, at, byte)
    refused = why_refused(storage)
    assert isinstance(refused, Damaged)
    assert "bytes 18 and 19 of its header are" in refused.message
    assert "task-assist restore" in refused.hint
    with pytest.raises(Broken, match="bytes 18 and 19"):
        verify(storage.path)
    (file,) = (each for each in facts_of(tmp_path)["files"] if each["name"] == "a.db")
    assert file["database"]["problem"]["code"] == "damaged"
    restore(good, storage)
    assert why_refused(storage) is None
    assert len(titles(storage.path)) == 2


def test_one_that_is_overwritten_under_the_open_app_is_damage_and_not_read_only(storage: Storage):
    database = Database(storage)
    with database.read() as session:
        list_accounts(session)
    # So that the app reads the page again, and from the file.
    execute(storage.path, "PRAGMA user_version = 7", "PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(storage.path, 18, 9)
    with pytest.raises(Damaged, match="bytes 18 and 19 of its header are 9 and 2"):
        add_items(database, 1)
    assert isinstance(database.condition.problem, Damaged)
    database.close()


def test_only_a_file_that_this_process_has_open_is_read_by_its_descriptor(storage: Storage):
    assert header_of_open(storage.path) is None
    descriptor = os.open(storage.path, os.O_RDONLY)
    found = header_of_open(storage.path)
    os.close(descriptor)
    assert found == read_header(storage.path)


def test_an_own_database_without_its_mark_is_opened_and_marked_again(storage: Storage):
    execute(storage.path, "PRAGMA application_id = 0", "PRAGMA wal_checkpoint(TRUNCATE)")
    assert why_refused(storage) is None
    assert verify(storage.path).contents.rows["work_items"] == 3
    database = Database(storage)
    upgrade(database)
    database.close()
    assert read_header(storage.path).application_id == APPLICATION_ID


@pytest.mark.parametrize("mark", [0, 7])
def test_another_apps_database_is_not_taken_for_it(tmp_path: Path, mark: int):
    file = tmp_path / "other.db"
    execute(
        file, "CREATE TABLE users (id)", "CREATE TABLE alembic_version (version_num)", f"PRAGMA application_id={mark}"
    )
    with pytest.raises(Foreign):
        verify(file)


def test_one_of_its_tables_and_anothers_mark_is_anothers(storage: Storage):
    execute(storage.path, "PRAGMA application_id = 7", "PRAGMA wal_checkpoint(TRUNCATE)")
    with pytest.raises(Foreign):
        verify(storage.path)


@pytest.mark.parametrize("hours", [2_147_483_647, -1, 5_000_000])
def test_a_time_that_no_app_has_seen_is_not_believed(storage: Storage, hours: int):
    execute(storage.path, f"PRAGMA user_version = {hours}")
    database = Database(storage)
    add_items(database, 1)
    newest = database.seen_time.now()
    database.close()
    with closing(sqlite_driver().connect(str(storage.path))) as raw:
        (kept,) = raw.execute("PRAGMA user_version").fetchone()
        (row,) = raw.execute("SELECT unixepoch(max(created_at)) FROM work_items").fetchone()
    assert abs(newest.timestamp() - row) < 2 * 3600
    assert kept in (hours, int(newest.timestamp()) // 3600)


def test_a_filled_database_nearby_is_known_by_its_header(storage: Storage, tmp_path: Path):
    assert "a.db holds 6 items and tasks" in other_filled_databases(storage_under(tmp_path / "empty.db"))
