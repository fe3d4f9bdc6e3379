"""How SQLite is opened, how transactions queue, and what a person reads when it refuses."""

import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from app.database import connections, deadline, migrations
from app.database.deadline import waits_until
from app.database.engine import Database
from app.database.sqlite import WAIT_SECONDS
from app.errors import Busy, CannotStart, Damaged, Standby, StorageFull
from app.storage.mounts import storage_under

ADD_USER = text(
    "INSERT INTO users (email, password_hash, role, created_at) VALUES ('a', 'b', 'admin', '2026-01-01 00:00:00')"
)


@pytest.fixture(params=["shared", "exclusive"])
def opened(request, tmp_path: Path):
    database = Database(storage_under(tmp_path / "a.db", request.param))
    migrations.upgrade(database)
    yield database
    database.close()


def test_an_acknowledged_write_is_on_disk_and_keys_are_checked(opened: Database):
    with opened.read() as session:
        answers = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in connections.PRAGMAS}
    assert answers == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_only_the_exclusive_profile_works_without_a_shm_file(opened: Database):
    with opened.read() as session:
        session.execute(text("SELECT 1 FROM users")).all()
    has_shm = opened.storage.path.with_name("a.db-shm").exists()
    assert has_shm == (opened.storage.profile == "shared")


def test_a_pragma_that_sqlite_refuses_stops_the_start(monkeypatch, tmp_path: Path):
    monkeypatch.setitem(connections.PRAGMAS, "journal_mode", ("memory", "wal"))
    with (
        pytest.raises(CannotStart, match="journal_mode = memory instead of wal"),
        Database(storage_under(tmp_path / "a.db")).connection(),
    ):
        pass


@pytest.mark.parametrize("name", ["a b.db", "a#b.db", "a?mode=memory.db", "a%41.db", "ä&vfs=none.db", "a'b\"c.db"])
def test_no_character_in_the_path_opens_another_file(tmp_path: Path, name: str):
    database = Database(storage_under(tmp_path / name))
    migrations.upgrade(database)
    database.close()
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_failed_write_leaves_nothing_behind(opened: Database):
    with pytest.raises(ZeroDivisionError), opened.write() as session:
        session.execute(ADD_USER)
        raise ZeroDivisionError
    with opened.read() as session:
        assert session.execute(text("SELECT count(*) FROM users")).scalar() == 0


def test_a_reader_sees_one_moment_while_others_write(opened: Database):
    count = text("SELECT count(*) FROM users")
    with opened.read() as session:
        assert session.execute(count).scalar() == 0
        with opened.write() as writing:
            writing.execute(ADD_USER)
        assert session.execute(count).scalar() == 0
    with opened.read() as session:
        assert session.execute(count).scalar() == 1


def test_writers_of_many_threads_queue_without_an_error(opened: Database):
    with opened.write() as session:
        session.execute(text("CREATE TABLE counter (n)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))

    def add() -> None:
        for _ in range(25):
            with opened.write() as session:
                n = session.execute(text("SELECT n FROM counter")).scalar_one()
                session.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened.read() as session:
        assert session.execute(text("SELECT n FROM counter")).scalar() == 200


def test_a_writer_that_waits_too_long_is_told_to_come_back(monkeypatch, opened: Database):
    monkeypatch.setattr(deadline, "WAIT_SECONDS", 0.01)
    refused: list[Busy] = []

    def second() -> None:
        try:
            with opened.write():
                pass
        except Busy as busy:
            refused.append(busy)

    with opened.write():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert refused[0].retry_after
    with opened.write():
        pass


def test_all_waits_of_a_request_together_end_at_one_moment(monkeypatch, tmp_path: Path):
    """Its turn among the writers, and the lock, which somebody else has."""
    opened = Database(storage_under(tmp_path / "a.db", "shared"))
    migrations.upgrade(opened)
    asked = []
    monkeypatch.setattr(opened._queue, "turn", lambda seconds: asked.append(seconds) or nullcontext())
    with opened.beside() as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with waits_until(began + 0.3), pytest.raises(Busy), opened.write():
            pass
        assert 0.3 <= time.monotonic() - began < WAIT_SECONDS and asked[0] <= 0.3
        with waits_until(began), pytest.raises(Busy), opened.write_columns():
            pass
        assert asked[1] == 0
        other.execute("ROLLBACK")
    with waits_until(began), opened.write_columns() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == WAIT_SECONDS * 1000, "as it was"
    opened.close()


def test_a_full_disk_is_told_and_nothing_is_damaged(opened: Database):
    with opened.write() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StorageFull, match="no room left"), opened.write() as session:
        session.execute(text("PRAGMA max_page_count = 1"))  # not below the size that the file has
        session.execute(text("CREATE TABLE large AS SELECT randomblob(100000) AS bytes"))
    with opened.write() as session:
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"


@pytest.mark.parametrize("content", [b"shopping: milk, bread" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path, content: bytes):
    (tmp_path / "a.db").write_bytes(content)
    database = Database(storage_under(tmp_path / "a.db"))
    with pytest.raises(Damaged, match="not an SQLite database"):
        migrations.upgrade(database)
    assert isinstance(database.condition.problem, Damaged)
    database.close()
    assert (tmp_path / "a.db").read_bytes() == content


def test_closing_folds_the_log_into_the_file(opened: Database):
    with opened.write() as session:
        session.execute(ADD_USER)
    opened.close()
    assert [file.name for file in opened.storage.path.parent.iterdir()] == ["a.db"]


def test_a_write_after_which_the_fence_has_closed_is_not_acknowledged(tmp_path: Path):
    """The commit took too long: it is on disk, but another instance may have copied the file before it was."""
    may_write = True

    def fence() -> None:
        if not may_write:
            raise Standby("The time is up.")

    database = Database(storage_under(tmp_path / "a.db"), fence=fence)
    migrations.upgrade(database)

    def time_is_up(_connection: object) -> None:
        nonlocal may_write
        may_write = False

    event.listen(database._engine, "commit", time_is_up)
    with pytest.raises(Standby, match=r"The time is up\."), database.write() as session:
        session.execute(ADD_USER)
    may_write = True
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM users")).scalar() == 1
    database.close()


def test_an_error_of_the_database_says_nothing_of_what_was_written(opened: Database):
    with pytest.raises(IntegrityError) as refused, opened.write() as session:
        session.execute(
            text("INSERT INTO users (email, password_hash, role) VALUES (:email, :hash, :role)"),
            {"email": "ann@example.com", "hash": "$argon2id$secret", "role": None},
        )
    assert "secret" not in str(refused.value)
    assert "ann@example.com" not in str(refused.value)
