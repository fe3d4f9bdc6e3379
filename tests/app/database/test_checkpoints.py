"""The file alone is whole soon after a write, and no writer waits for that."""

import shutil
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from app.database import checkpoints, engine, migrations
from app.database.checkpoints import Checkpoints
from app.database.engine import Database
from app.errors import Standby
from app.storage.mounts import beside, storage_under
from tests.app.backup.databases import add_items, titles
from tests.app.processes import WITHIN, eventually


@pytest.fixture(params=["shared", "exclusive"])
def database(request, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PAUSE", 0.05)
    monkeypatch.setattr(checkpoints, "AT_LATEST", 0.3)
    opened = Database(storage_under(tmp_path / "a.db", request.param))
    migrations.upgrade(opened)
    opened.checkpoint_in_pauses()
    yield opened
    opened.close()


def copied(database: Database, tmp_path: Path) -> Path:
    """The file alone, as `docker cp` takes it."""
    return Path(shutil.copy(database.storage.path, tmp_path / "copy.db"))


def wal_of(database: Database) -> int:
    return beside(database.storage.path, "-wal").stat().st_size


def test_a_copy_of_the_file_alone_is_whole_soon_after_the_last_write(database: Database, tmp_path: Path):
    add_items(database, 3)
    eventually(lambda: wal_of(database) == 0)
    assert titles(copied(database, tmp_path)) == ["Item 0", "Item 1", "Item 2"]


def test_it_folds_again_after_each_write(database: Database, tmp_path: Path):
    for count in (1, 2):
        add_items(database, 1)
        eventually(lambda: wal_of(database) == 0)
        assert len(titles(copied(database, tmp_path))) == count


def test_beside_a_reader_the_file_is_whole_and_the_log_is_emptied_when_he_has_gone(database: Database, tmp_path: Path):
    add_items(database, 1)
    with database.read() as session:
        session.execute(text("SELECT count(*) FROM work_items"))
        add_items(database, 1)  # which this reader does not see
        time.sleep(0.5)
        assert wal_of(database) > 0
        add_items(database, 1)  # and no writer waits for him
    eventually(lambda: wal_of(database) == 0)
    assert len(titles(copied(database, tmp_path))) == 3


def test_while_the_writes_do_not_pause_it_folds_all_the_same(database: Database, monkeypatch):
    folds = []
    monkeypatch.setattr(database._checkpoints, "_fold", lambda: folds.append(1) or True)
    until = time.monotonic() + WITHIN
    while not folds:
        assert time.monotonic() < until
        add_items(database, 1)


def test_it_waits_for_its_turn_among_the_writers(database: Database, monkeypatch):
    """Beside one of them an older SQLite can damage the file."""
    add_items(database, 1)
    folded: list[bool] = []
    thread = threading.Thread(target=lambda: folded.append(database._checkpoint_all()))
    with database.write() as session:
        session.execute(text("UPDATE work_items SET title = 'Changed'"))
        thread.start()
        thread.join(0.3)
        assert folded == []
    thread.join(WITHIN)
    assert folded == [True]
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.05)
    with database.write():
        assert database._checkpoint_all() is False


def test_an_unexpected_error_does_not_end_it(monkeypatch):
    tries: list[int] = []

    def fold() -> bool:
        tries.append(1)
        raise RuntimeError("unexpected")

    monkeypatch.setattr(checkpoints, "PAUSE", 0.01)
    monkeypatch.setattr(checkpoints, "AT_LATEST", 0.01)
    made = Checkpoints(fold)
    made.start()
    made.wrote()
    eventually(lambda: len(tries) > 2)
    made.stop()


def test_behind_a_closed_fence_nothing_is_folded_in(tmp_path: Path):
    def fence() -> None:
        if closed:
            raise Standby("The time is up.")

    closed = False
    database = Database(storage_under(tmp_path / "a.db"), fence=fence)
    migrations.upgrade(database)
    before = database.storage.path.read_bytes()
    closed = True
    assert database._checkpoint_all() is False
    assert database.storage.path.read_bytes() == before
    closed = False
    assert database._checkpoint_all() is True
    assert database.storage.path.read_bytes() != before
    database.close()


def test_it_does_not_fold_after_it_was_stopped():
    folding_now, may_end = threading.Event(), threading.Event()
    folds = []

    def fold() -> bool:
        folding_now.set()
        assert may_end.wait(WITHIN)
        folds.append(1)
        return False

    made = Checkpoints(fold)
    made.start()
    made.wrote()
    assert folding_now.wait(WITHIN)
    threading.Timer(0.2, may_end.set).start()
    made.stop()
    assert folds == [1]
    made.wrote()
    made.stop()
    assert folds == [1]
