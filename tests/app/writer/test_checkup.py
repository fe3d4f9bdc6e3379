"""What is noticed of a database while the app runs: its names are taken away, and its file is not sound."""

import errno
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from app import create_app
from app.backup.copies.snapshot import snapshot
from app.backup.copies.verify import verify
from app.backup.restoring.restore import restore
from app.database import connections, long_log, migrations, sqlite_errors
from app.database.condition import damaged
from app.database.engine import Database
from app.database.sqlite import opened, sqlite_driver, unchanging
from app.domain.models import WorkItem
from app.errors import Damaged, Emptied, Locked, Replaced, StorageFull
from app.settings import load
from app.storage.mounts import Storage, beside
from app.web.context import WebApp
from app.writer import checkup, heartbeat
from app.writer.exclusive import exclusive_access
from app.writer.instance import Instance
from app.writer.lease import Lease
from app.writer.lease_files import Folder, folder_of
from app.writer.terms import Record
from tests.app.backup.databases import add_items, closed_database, titles, unfit_index
from tests.app.processes import eventually

PAGE = 4096


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path, monkeypatch) -> Storage:
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 0.05, "exclusive": 0.05})
    return closed_database(tmp_path / "a.db", 3, request.param)


@pytest.fixture
def app(storage: Storage) -> Iterator[WebApp]:
    path = str(storage.path)
    made = create_app(load({"DATABASE_PATH": path, "DATABASE_STORAGE": storage.profile, "AUTH_DISABLED": "true"}))
    yield made
    made.instance.stop()


# --- the file made shorter --------------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch) -> Iterator[WebApp]:
    """On a local disk, where nobody looks but the writes."""
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 3600})
    path = closed_database(tmp_path / "a.db", 200, "shared").path
    made = create_app(load({"DATABASE_PATH": str(path), "AUTH_DISABLED": "true"}))
    yield made
    made.instance.stop()


def create(app: WebApp) -> tuple[int, str]:
    answer = app.test_client().post("/api/v1/work-items", json={"title": "milk"})
    return answer.status_code, answer.get_json().get("error", {}).get("code", "")


@pytest.mark.parametrize("pages", [0, 1, 10])
def test_the_first_write_after_the_file_was_cut_short_is_refused_and_nothing_is_well_any_more(
    on_disk: WebApp, pages: int
):
    assert create(on_disk) == (201, "")
    os.truncate(on_disk.instance.storage.path, pages * PAGE)
    assert create(on_disk) == (500, "damaged")
    assert on_disk.test_client().get("/readyz").status_code == 503
    assert f"somebody made it {pages * PAGE:,}." in str(on_disk.instance.problem)


def test_a_file_that_was_cut_short_is_found_without_a_write(local: Storage):
    instance = Instance(local, migrations.upgrade)
    instance.start()
    eventually(lambda: instance.database.truncation._longest > 0)
    os.truncate(local.path, 10 * PAGE)
    eventually(lambda: instance.problem is not None)
    instance.stop()


def test_a_smaller_backup_that_was_copied_over_it_is_found(on_disk: WebApp, tmp_path: Path):
    assert create(on_disk) == (201, "")
    small = closed_database(tmp_path / "small.db", 1).path
    subprocess.run(["cp", small, on_disk.instance.storage.path], check=True)
    assert create(on_disk) == (500, "damaged")


def test_a_vacuum_beside_the_app_makes_it_shorter_and_is_no_damage(on_disk: WebApp):
    def rows(statement: str) -> None:
        with closing(sqlite_driver().connect(on_disk.instance.storage.path)) as other:
            other.execute(statement)
            other.commit()
            other.execute("VACUUM")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    assert create(on_disk) == (201, "")
    before = on_disk.instance.storage.path.stat().st_size
    rows("DELETE FROM work_items WHERE id > 1")
    assert on_disk.instance.storage.path.stat().st_size < before
    assert create(on_disk) == (201, "")
    assert on_disk.instance.problem is None


# --- the file replaced or removed -------------------------------------------------------------------------


def test_after_a_backup_was_moved_over_it_nothing_is_acknowledged_and_all_that_was_is_kept(app: WebApp, tmp_path: Path):
    storage, client = app.instance.storage, app.test_client()
    snapshot(storage, tmp_path / "backup.db", held=app.instance.using())
    assert client.post("/api/v1/work-items", json={"title": "since the backup"}).status_code == 201
    (tmp_path / "backup.db").rename(storage.path)
    if storage.profile == "exclusive":  # there it is seen by the next look, not by the commit
        eventually(lambda: app.instance.problem is not None)
    refused = client.post("/api/v1/work-items", json={"title": "it would be lost"})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (503, "replaced")
    assert f"put in the place of {storage.path} " in refused.get_json()["error"]["message"]
    kept = kept_by(app)
    assert "since the backup" in titles(kept)
    assert verify(kept).proven
    ready = client.get("/readyz").get_json()["error"]
    assert f"task-assist restore {kept}" in ready["hint"] and "restart the app" in ready["hint"]


def test_on_a_local_disk_the_first_commit_after_it_is_refused_already(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 3600})
    storage = closed_database(tmp_path / "a.db", 3, "shared")
    instance = Instance(storage, migrations.upgrade)
    instance.start()
    storage.path.unlink()
    with pytest.raises(Replaced), instance.database.write():
        pass
    instance.stop()


def test_after_it_was_removed_the_way_back_that_is_told_brings_all_of_it_back(app: WebApp):
    storage = app.instance.storage
    storage.path.unlink()
    eventually(lambda: app.instance.problem is not None)
    assert f"Somebody removed {storage.path} " in str(app.instance.problem)
    assert app.test_client().get("/").status_code == 200  # what was there can still be read
    kept = kept_by(app)
    app.instance.stop()
    restore(kept, storage)
    assert titles(storage.path) == ["Item 0", "Item 1", "Item 2"]


def test_the_log_of_the_newest_changes_removed_is_the_same(app: WebApp):
    add_items(app.instance.database, 1, "In the log")
    beside(app.instance.storage.path, "-wal").unlink()
    eventually(lambda: app.instance.problem is not None)
    with pytest.raises(Replaced, match=r"removed .*a\.db-wal"):
        add_items(app.instance.database, 1)
    assert "In the log 0" in titles(kept_by(app))


def test_a_file_that_is_put_back_is_well_again(app: WebApp):
    path = app.instance.storage.path
    aside = path.rename(path.with_name("aside.db"))
    eventually(lambda: app.instance.problem is not None)
    aside.rename(path)
    eventually(lambda: app.instance.problem is None)
    add_items(app.instance.database, 1)


def test_a_copy_that_has_no_room_is_made_once_there_is(storage: Storage, monkeypatch):
    monkeypatch.setattr(checkup, "RETRY", 0.05)
    tries = []

    def keep(_database: Database) -> Path:
        tries.append(1)
        if len(tries) < 3:
            raise Damaged("No.")
        return Path("kept.db")

    instance = Instance(storage, migrations.upgrade, keep=keep)
    instance.start()
    storage.path.unlink()
    eventually(lambda: "kept.db" in str(instance.problem))
    assert len(tries) == 3
    instance.stop()


def test_after_all_of_the_folder_was_removed_all_is_kept_and_nobody_starts_anew(app: WebApp, monkeypatch):
    """`rm -rf data/*`: the lease's folder goes with it."""
    monkeypatch.setattr(heartbeat, "RENEW_EVERY", 0.05)
    storage, ended = app.instance.storage, threading.Event()
    app.instance.heartbeat.on_lease_lost = ended.set
    add_items(app.instance.database, 1, "The newest")
    eventually(lambda: app.instance.heartbeat.requested_by == frozenset())
    for each in storage.path.parent.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    kept = kept_by(app)
    assert {"The newest 0", "Item 0"} <= set(titles(kept))
    assert app.test_client().get("/readyz").status_code == 503
    assert not ended.is_set()
    if storage.profile == "shared":
        app.instance.stop()
        again = Instance(storage, migrations.upgrade)
        again.start()
        assert isinstance(again.problem, Emptied)
        again.stop()


def test_of_a_database_that_went_with_its_folder_the_copy_is_kept_in_the_folder_made_again(app: WebApp):
    storage = app.instance.storage
    add_items(app.instance.database, 1, "The newest")
    shutil.rmtree(storage.path.parent)
    assert {"The newest 0", "Item 0"} <= set(titles(kept_by(app)))


def test_a_lease_folder_that_was_removed_alone_ends_a_writer_on_a_network_mount_and_says_why(
    storage: Storage, monkeypatch
):
    monkeypatch.setattr(heartbeat, "RENEW_EVERY", 0.05)
    ended = threading.Event()
    instance = Instance(storage, migrations.upgrade, on_lease_lost=ended.set)
    instance.start()
    with capture_logs() as lines:
        shutil.rmtree(folder_of(storage))
        if storage.profile == "exclusive":
            assert ended.wait(10)
            assert any(f"Somebody removed the folder {folder_of(storage)}" in line["event"] for line in lines)
        else:
            eventually(lambda: folder_of(storage).exists() and "schema" in "".join(written_in(folder_of(storage))))
            add_items(instance.database, 1)
    instance.stop()


def written_in(folder: Path) -> list[str]:
    return [term.read_text() for term in folder.glob("term-*")]


def kept_by(app: WebApp) -> Path:
    folder = app.instance.storage.path.parent
    eventually(lambda: "is kept in" in str(app.instance.problem))
    (kept,) = folder.glob("a-kept-*.db")
    return kept


# --- the file not sound -----------------------------------------------------------------------------------


def damage(file: Path) -> None:
    """Overwrites the root page of the table of tasks."""
    with opened(unchanging(file), file) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'tasks'").fetchone()
    with file.open("r+b") as whole:
        whole.seek((page - 1) * PAGE)
        whole.write(bytes(PAGE))


def record_of(storage: Storage) -> Record:
    record = Lease(Folder(folder_of(storage))).observe().record
    assert record
    return record


def end_without_closing(storage: Storage) -> None:
    """As a kill leaves it on a local disk."""
    folder_of(storage).mkdir()
    (folder_of(storage) / "term-000000000001").write_bytes(Record("killed").to_bytes())


@pytest.fixture
def local(tmp_path: Path, monkeypatch) -> Storage:
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 0.05})
    return closed_database(tmp_path / "a.db", 3)


def test_after_an_end_that_nobody_closed_it_at_damage_is_found_without_a_request(local: Storage):
    end_without_closing(local)
    damage(local.path)
    instance = Instance(local, migrations.upgrade)
    with capture_logs() as lines:
        instance.start()
        eventually(lambda: instance.problem is not None)
    assert "in the table tasks" in str(instance.problem)
    assert any("in the table tasks" in line["event"] and "restore" in line["event"] for line in lines)
    eventually(lambda: record_of(local).doubt == "damage")
    instance.stop()
    assert record_of(local).doubt == "damage"


def test_one_that_was_closed_is_not_checked(local: Storage, monkeypatch):
    monkeypatch.setattr(checkup, "fault_in_table", lambda *_, **__: pytest.fail("it was checked"))
    for _ in range(2):
        instance = Instance(local, migrations.upgrade)
        instance.start()
        instance.stop()
    assert record_of(local).doubt is None


def test_one_that_is_found_sound_is_not_checked_again(local: Storage):
    end_without_closing(local)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    eventually(lambda: record_of(local).doubt is None)
    instance.stop()
    assert instance.problem is None


def test_an_index_that_does_not_fit_its_rows_stays_damage_over_starts(local: Storage):
    index = unfit_index(local.path, "events")
    end_without_closing(local)
    for _ in range(2):
        instance = Instance(local, migrations.upgrade)
        instance.start()
        eventually(lambda: index in str(instance.problem))  # noqa: B023
        instance.stop()
        assert record_of(local).doubt == "damage"


def test_a_sound_file_that_was_called_damaged_is_well_and_the_log_says_of_what(local: Storage):
    first = Instance(local, migrations.upgrade)
    first.start()
    first.database.condition.report(damaged(local.path, "a fault of the memory, say"))
    first.stop()
    second = Instance(local, migrations.upgrade)
    with capture_logs() as lines:
        second.start()
        eventually(lambda: any("is sound" in line["event"] for line in lines))
    assert second.problem is None
    second.stop()
    (told,) = [line["event"] for line in lines if "is sound" in line["event"]]
    assert told.startswith(f"{local.path} was called damaged, and is sound")


def test_damage_that_is_met_while_the_file_is_checked_is_not_mended_by_its_end(local: Storage, monkeypatch):
    end_without_closing(local)
    checking, may_end = threading.Event(), threading.Event()
    real = checkup.fault_in_table

    def slowly(*what, **how):
        checking.set()
        may_end.wait(10)
        return real(*what, **how)

    monkeypatch.setattr(checkup, "fault_in_table", slowly)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    assert checking.wait(10)
    instance.database.condition.report(damaged(local.path, "a request has met it"))
    may_end.set()
    eventually(lambda: not any(thread.name == "check-of-file" for thread in threading.enumerate()))
    assert "a request has met it" in str(instance.problem)
    instance.stop()
    assert record_of(local).doubt == "damage"


def test_damage_that_a_request_meets_is_red_and_stays_known_over_a_stop(local: Storage):
    damage(local.path)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    with pytest.raises(Damaged, match="malformed"):
        add_items(instance.database, 1)
    assert isinstance(instance.problem, Damaged)
    instance.stop()
    second = Instance(local, migrations.upgrade)
    second.start()
    assert isinstance(second.problem, Damaged)  # at once, not when the check has come to it
    eventually(lambda: "in the table tasks" in str(second.problem))
    second.stop()
    assert record_of(local).doubt == "damage"


def test_after_a_restore_it_is_green(local: Storage, tmp_path: Path):
    snapshot(local, tmp_path / "backup.db")
    damage(local.path)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    with pytest.raises(Damaged):
        add_items(instance.database, 1)
    instance.stop()
    with exclusive_access(local, replaces=True) as alone:
        restore(tmp_path / "backup.db", local, sure=alone.sure)
    second = Instance(local, migrations.upgrade)
    second.start()
    assert second.problem is None and record_of(local).doubt is None
    add_items(second.database, 1)
    second.stop()


def test_a_check_that_takes_long_does_not_hinder_a_stop_and_is_made_at_the_next_start(local: Storage, monkeypatch):
    end_without_closing(local)
    began = threading.Event()

    def for_ever(connection, _table, **_how) -> None:
        began.set()
        connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    monkeypatch.setattr(checkup, "fault_in_table", for_ever)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    assert began.wait(10)
    with capture_logs() as lines:
        instance.stop()
    assert (record_of(local).state, record_of(local).doubt) == ("released", "unclean end")
    assert not beside(local.path, "-wal").exists()
    assert [line["event"] for line in lines if line["log_level"] == "error"] == []


def test_a_place_that_the_disk_cannot_read_is_damage_and_does_not_end_the_app_again_and_again(
    local: Storage, monkeypatch
):
    def fails(*_: object, **__: object) -> None:
        raise sqlite_driver().OperationalError("disk I/O error")

    end_without_closing(local)
    monkeypatch.setattr(checkup, "fault_in_table", fails)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    eventually(lambda: isinstance(instance.problem, Damaged))
    assert instance.writes
    instance.stop()


def test_a_place_that_the_disk_cannot_read_and_a_request_comes_to_is_red_and_the_rest_is_read_on(local: Storage):
    ended = threading.Event()
    instance = Instance(local, migrations.upgrade, on_lease_lost=ended.set)
    instance.start()
    database = instance.database
    for _ in range(2):
        with pytest.raises(Damaged, match="disk I/O error, says the disk"), database.read():
            raise sqlite_driver().OperationalError("disk I/O error")
    told = instance.problem
    assert isinstance(told, Damaged) and "dmesg" in told.hint and "task-assist restore" in told.hint
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(WorkItem)) == 3
    with pytest.raises(Damaged):
        add_items(database, 1)
    assert instance.writes and not ended.is_set()
    eventually(lambda: record_of(local).doubt == "damage")
    instance.stop()


def test_once_the_disk_is_well_again_a_restart_checks_the_file_and_goes_on(local: Storage):
    first = Instance(local, migrations.upgrade)
    first.start()
    with pytest.raises(Damaged), first.database.read():
        raise sqlite_driver().OperationalError("disk I/O error")
    first.stop()
    second = Instance(local, migrations.upgrade)
    second.start()
    eventually(lambda: second.problem is None)
    add_items(second.database, 1)
    second.stop()


def test_a_quota_that_is_used_up_is_no_damage(local: Storage, monkeypatch):
    """Of that SQLite says the same as of a broken disk (unixWrite in its src/os_unix.c knows ENOSPC alone)."""
    refused = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
    monkeypatch.setattr(sqlite_errors, "refusal_of_writes", lambda _: refused)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    with pytest.raises(StorageFull), instance.database.write():
        raise sqlite_driver().OperationalError("disk I/O error")
    instance.stop()


# --- the log ------------------------------------------------------------------------------------------------

READS = """
import sys
from app.database.sqlite import sqlite_driver
connection = sqlite_driver().connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
print(connection.execute("SELECT count(*) FROM tasks").fetchone(), flush=True)
sys.stdin.read()
"""


def test_a_log_that_another_program_keeps_growing_is_told_with_its_name_and_at_each_doubling(
    local: Storage, monkeypatch
):
    monkeypatch.setattr(long_log, "LONG", 1 << 16)
    instance = Instance(local, migrations.upgrade)
    instance.start()

    def told() -> list[str]:
        return [line["event"] for line in lines if "has grown to" in line["event"]]

    with (
        capture_logs() as lines,
        subprocess.Popen(
            [sys.executable, "-c", READS, local.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as reader,
    ):
        assert reader.stdout and reader.stdout.readline()
        for _ in range(3):
            seen = len(told())
            while len(told()) == seen:
                add_items(instance.database, 5)
        assert reader.stdin
        reader.stdin.close()
    assert f"process {reader.pid} (python" in told()[0]
    sizes = [int(re.findall(r"grown to ([0-9,]+) bytes", text)[0].replace(",", "")) for text in told()]
    assert all(later >= 2 * earlier for earlier, later in pairwise(sizes))
    instance.stop()


LOCKS = """
import sys
from app.database.sqlite import sqlite_driver
connection = sqlite_driver().connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_program_that_has_the_database_locked_is_named_while_it_runs_and_at_a_start(local: Storage, monkeypatch):
    monkeypatch.setitem(connections.PRAGMAS, "busy_timeout", (50, 50))
    instance = Instance(local, migrations.upgrade)
    instance.start()
    with subprocess.Popen(
        [sys.executable, "-c", LOCKS, local.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin and other.stdout and other.stdout.readline()
        with pytest.raises(Locked, match=rf"Another process has .*\n.*process {other.pid} \(python"):
            add_items(instance.database, 1)
        instance.stop()
        at_start = Instance(local, migrations.upgrade)
        at_start.start()
        assert f"process {other.pid} (python" in str(at_start.problem)
        at_start.stop()
        other.stdin.close()
