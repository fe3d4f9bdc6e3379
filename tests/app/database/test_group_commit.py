"""Group commit: many changes, one commit; and whatever goes wrong, nobody is told of a change that is not on disk."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import column, event, select, table, text

from app.database import group_commit, migrations
from app.database.engine import Database
from app.database.group_commit import Group, commit, commit_own, group_commits, is_waiting, take_own, when_committed
from app.database.kept import Kept
from app.database.sqlite import sqlite_driver
from app.errors import Busy, Damaged, NotFound, StorageFull
from app.storage.mounts import storage_under

ADD = text("INSERT INTO alembic_version (version_num) VALUES (:name)")
VERSIONS = table("alembic_version", column("version_num"))
NAMES = text("SELECT version_num FROM alembic_version")


class Thread:
    """This thread, as one that asks for group commits; what it knows is gone at the end of the test."""

    def __init__(self, database: Database) -> None:
        self.database, self.commits = database, 0
        event.listen(database._engine, "commit", self._committed)

    def _committed(self, _connection: object) -> None:
        self.commits += 1

    def add(self, name: str) -> None:
        with self.database.write_columns() as connection:
            connection.execute(ADD, {"name": name})

    def add_by_session(self, name: str) -> None:
        with self.database.write() as session:
            session.execute(ADD, {"name": name})

    def request(self, name: str) -> Group | None:
        """A whole one, as operations/serving/threads.py does it."""
        self.add(name)
        return take_own()

    @property
    def on_disk(self) -> set[str]:
        """As another thread sees it."""
        found: set[str] = set()

        def look() -> None:
            with self.database.read_columns() as connection:
                found.update(name for (name,) in connection.execute(NAMES) if not name.startswith("0"))

        other = threading.Thread(target=look)
        other.start()
        other.join()
        return found


@pytest.fixture(params=["shared", "exclusive"])
def thread(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Thread]:
    database = Database(storage_under(tmp_path / "a.db", request.param))
    migrations.upgrade(database)
    monkeypatch.setattr(group_commit, "_thread", group_commit._OfThread())
    group_commits()
    yield Thread(database)
    commit()
    database.close()


def test_many_changes_have_one_commit_and_are_on_disk_after_it(thread: Thread):
    groups = [thread.request(name) for name in "abc"]
    assert (thread.on_disk, thread.commits, is_waiting()) == (set(), 0, True)
    commit()
    assert (thread.on_disk, thread.commits, is_waiting()) == ({"a", "b", "c"}, 1, False)
    assert len(set(map(id, groups))) == 1
    assert groups[0]
    assert groups[0].error is None


def test_a_thread_that_did_not_ask_for_it_commits_each_change(thread: Thread):
    seen: list[tuple[set[str], bool]] = []

    def other() -> None:
        thread.add("a")
        seen.append((thread.on_disk, is_waiting()))

    started = threading.Thread(target=other)
    started.start()
    started.join()
    assert seen == [({"a"}, False)]


def fails(_connection: object) -> None:
    raise ZeroDivisionError


def test_a_commit_that_fails_is_told_to_all_and_nothing_is_there(thread: Thread):
    groups = [thread.request(name) for name in "ab"]
    event.listen(thread.database._engine, "commit", fails)
    commit()
    event.remove(thread.database._engine, "commit", fails)
    assert [type(group.error) for group in groups if group] == [ZeroDivisionError] * 2
    assert thread.on_disk == set()
    thread.request("c")
    commit()
    assert thread.on_disk == {"c"}


def test_whoever_may_not_write_any_more_tells_nobody_that_it_was_saved(thread: Thread):
    """The fence is asked again after the commit."""
    group = thread.request("a")
    thread.database._fence = lambda: fails(None)
    commit()
    thread.database._fence = lambda: None
    assert group
    assert isinstance(group.error, ZeroDivisionError)


def test_a_full_disk_at_the_second_undoes_the_first_too_and_both_hear_why(thread: Thread):
    first = thread.request("a")
    with thread.database.beside() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    with pytest.raises(StorageFull), thread.database.write_columns() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (hex(zeroblob(1000000)))")
    assert first
    assert isinstance(first.error, StorageFull)
    assert (thread.on_disk, take_own(), is_waiting()) == (set(), None, False)


@pytest.mark.parametrize("second", [False, True])
def test_damage_that_a_change_meets_is_told_and_known_also_in_a_group(thread: Thread, second: bool):
    first = thread.request("a") if second else None
    with pytest.raises(Damaged), thread.database.write_columns():
        raise sqlite_driver().DatabaseError("database disk image is malformed")
    commit()
    assert thread.database.condition.knows(Damaged)
    assert (not first or isinstance(first.error, Damaged)) and thread.on_disk == set()


def test_another_write_inside_a_change_is_refused_and_all_of_it_undone(thread: Thread):
    group = thread.request("a")
    told: list[bool] = []
    assert group
    group.when_ended(told.append)
    with pytest.raises(RuntimeError, match="is not made yet"), thread.database.write_columns() as connection:
        connection.execute(ADD, {"name": "b"})
        thread.add_by_session("c")
    assert (thread.on_disk, told, is_waiting()) == (set(), [False], False)


def test_a_fault_in_one_change_undoes_what_it_has_begun_with_all_before_it(thread: Thread):
    first = thread.request("a")
    with pytest.raises(ZeroDivisionError), thread.database.write_columns() as connection:
        connection.execute(ADD, {"name": "half"})
        raise ZeroDivisionError
    thread.request("c")
    commit()
    assert first
    assert isinstance(first.error, Busy)
    assert thread.on_disk == {"c"}


def test_a_refusal_before_anything_was_changed_harms_nobody_else(thread: Thread):
    first = thread.request("a")
    with pytest.raises(NotFound), thread.database.write_columns():
        raise NotFound("There is no such item.", "")
    commit()
    assert first
    assert (first.error, thread.on_disk, thread.commits) == (None, {"a"}, 1)


def test_a_refusal_of_the_first_leaves_no_transaction_open(thread: Thread):
    with pytest.raises(NotFound), thread.database.write_columns():
        raise NotFound("There is no such item.", "")
    assert (is_waiting(), take_own()) == (False, None)


def test_what_sqlite_has_undone_by_itself_is_told_to_nobody_as_saved(thread: Thread):
    group = thread.request("a")
    with thread.database.write_columns() as connection:
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does where the disk is full
    own = take_own()
    commit()
    assert own is group
    assert group
    assert isinstance(group.error, RuntimeError)
    assert thread.on_disk == set()


def test_a_request_sees_what_it_has_changed_and_that_is_on_disk_then(thread: Thread):
    thread.add("a")
    with thread.database.read_columns() as connection:
        assert "a" in {name for (name,) in connection.execute(NAMES)}
    assert thread.on_disk == {"a"}


def test_a_request_that_asks_for_one_row_sees_what_it_has_changed(thread: Thread):
    thread.add("1")
    found = thread.database.first_row(Kept(select(VERSIONS.c.version_num).order_by(VERSIONS.c.version_num.desc())))
    assert found.version_num == "1"


def test_a_request_that_only_reads_ends_no_group(thread: Thread):
    thread.request("a")
    with thread.database.read_columns() as connection:
        assert "a" not in {name for (name,) in connection.execute(NAMES)}
    assert is_waiting()


def test_who_looks_at_a_change_that_was_not_saved_hears_why(thread: Thread):
    thread.add("a")
    event.listen(thread.database._engine, "commit", fails)
    with pytest.raises(ZeroDivisionError), thread.database.read_columns():
        pass
    event.remove(thread.database._engine, "commit", fails)
    with pytest.raises(ZeroDivisionError):
        commit_own()


def test_a_request_whose_change_was_not_saved_changes_nothing_more(thread: Thread):
    thread.add("a")
    event.listen(thread.database._engine, "commit", fails, once=True)
    with pytest.raises(ZeroDivisionError):
        thread.add_by_session("b")
    assert thread.on_disk == set()


def test_another_kind_of_write_comes_after_the_group_and_not_in_it(thread: Thread):
    thread.request("a")
    thread.add_by_session("b")
    assert (thread.on_disk, thread.commits) == ({"a", "b"}, 2)


def test_a_group_that_was_not_saved_is_no_fault_of_the_write_after_it(thread: Thread):
    group = thread.request("a")
    event.listen(thread.database._engine, "commit", fails, once=True)
    thread.add_by_session("b")
    assert group
    assert isinstance(group.error, ZeroDivisionError)
    assert thread.on_disk == {"b"}


@pytest.mark.parametrize("saved", [True, False])
def test_what_is_to_be_done_when_it_is_committed_waits_for_that(thread: Thread, saved: bool):
    told: list[bool] = []
    thread.add("a")
    when_committed(told.append)
    take_own()
    assert told == []
    if not saved:
        event.listen(thread.database._engine, "commit", fails, once=True)
    commit()
    assert told == [saved]


def test_what_is_to_be_done_is_done_at_once_by_who_has_changed_nothing(thread: Thread):
    told: list[bool] = []
    thread.request("a")
    when_committed(told.append)
    assert told == [True]
    assert is_waiting()


def test_a_group_that_can_not_begin_leaves_the_thread_as_it_was(thread: Thread):
    thread.database._fence = lambda: fails(None)
    with pytest.raises(ZeroDivisionError):
        thread.add("a")
    thread.database._fence = lambda: None
    assert (is_waiting(), take_own()) == (False, None)
    thread.request("b")
    commit()
    assert thread.on_disk == {"b"}
