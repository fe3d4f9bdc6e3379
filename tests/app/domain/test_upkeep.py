"""What is done every hour, by the time that the database has seen pass."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.database import base, seen_time
from app.database.engine import Database
from app.database.sqlite import sqlite_driver
from app.domain import trash, upkeep, work_items
from app.domain.history import record
from app.domain.models import Event, WorkItem
from app.domain.schemas import NewWorkItem
from app.domain.shown import list_events
from app.domain.upkeep import every_hour
from app.storage.mounts import Storage
from tests.app.backup.databases import closed_database, execute

DAY = 24 * 3600


class Clocks:
    """The machine's clock, which may be set, and the one that never jumps."""

    def __init__(self) -> None:
        self.of_day, self.steady = time.time(), 1000.0

    def pass_by(self, seconds: float) -> None:
        self.of_day += seconds
        self.steady += seconds


@pytest.fixture
def clocks(monkeypatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(seen_time.time, "time", lambda: clocks.of_day)

    class OfDay(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(clocks.of_day, tz)

    monkeypatch.setattr(base, "datetime", OfDay)
    monkeypatch.setattr(seen_time, "_never_jumps", lambda: clocks.steady)
    return clocks


@pytest.fixture
def storage(tmp_path, clocks: Clocks) -> Storage:
    return closed_database(tmp_path / "a.db", 0)


@pytest.fixture
def database(storage: Storage):
    opened = Database(storage)
    yield opened
    opened.close()


def delete_one(database: Database) -> None:
    with database.write() as session:
        item = work_items.add_item(session.connection(), None, NewWorkItem(title="milk"))
        work_items.delete_item(session, None, item.id)


def in_trash(database: Database) -> int:
    every_hour(database)
    with database.read() as session:
        return trash.count_trash(session.connection())


def run_for(database: Database, clocks: Clocks, days: int) -> None:
    for _ in range(days * 24):
        clocks.pass_by(3600)
        every_hour(database)


def test_a_jump_forward_and_a_delete_leave_in_the_trash_what_was_deleted_minutes_ago(database, clocks: Clocks):
    delete_one(database)
    clocks.of_day += 3650 * DAY
    delete_one(database)
    assert in_trash(database) == 2


def test_a_jump_over_a_restart_counts_an_hour(storage: Storage, clocks: Clocks):
    first = Database(storage)
    delete_one(first)
    every_hour(first)
    first.close()
    clocks.of_day += 3650 * DAY
    second = Database(storage)
    assert in_trash(second) == 1
    second.close()


def test_a_clock_that_is_set_right_in_the_first_seconds_purges_nothing_that_was_deleted_before(
    tmp_path: Path, clocks: Clocks
):
    """As of a machine without a clock of its own, which has its time from the network a moment after the start."""
    clocks.of_day -= 3650 * DAY
    storage = closed_database(tmp_path / "new.db", 0)
    first = Database(storage)
    delete_one(first)
    clocks.of_day += 3650 * DAY
    with first.write() as session:
        work_items.add_item(session.connection(), None, NewWorkItem(title="its time is of the right clock"))
    first.close()  # before anything hourly was done
    second = Database(storage)
    assert in_trash(second) == 1
    second.close()


def test_a_jump_back_does_not_keep_it_longer_and_what_is_deleted_then_stays_as_long(database, clocks: Clocks):
    every_hour(database)
    clocks.of_day -= 3650 * DAY
    delete_one(database)
    run_for(database, clocks, 29)
    clocks.of_day += 3650 * DAY  # it is set right again
    assert in_trash(database) == 1
    run_for(database, clocks, 2)
    assert in_trash(database) == 0


def test_what_it_has_seen_is_kept_over_restarts_of_a_machine_whose_clock_begins_anew(storage: Storage, clocks: Clocks):
    at_boot = clocks.of_day
    for boot in range(32):
        database = Database(storage)
        if boot == 0:
            delete_one(database)
        run_for(database, clocks, 1)
        database.close()
        clocks.of_day, clocks.steady = at_boot, 5.0
    database = Database(storage)
    assert in_trash(database) == 0
    database.close()


@pytest.mark.parametrize("wrong_by", [3650 * DAY, -3650 * DAY])
def test_a_file_without_a_time_of_its_own_goes_on_from_its_newest_row_whatever_the_clock_says(
    storage: Storage, clocks: Clocks, wrong_by: int
):
    """As older versions of the app leave it, or a backup that one of them made."""
    first = Database(storage)
    delete_one(first)
    first.close()
    execute(storage.path, "PRAGMA user_version = 0")
    clocks.of_day += wrong_by
    second = Database(storage)
    assert in_trash(second) == 1
    second.close()


def test_a_row_of_a_wrong_clock_does_not_empty_the_trash_of_such_a_file(storage: Storage, clocks: Clocks):
    first = Database(storage)
    delete_one(first)
    clocks.of_day += 3650 * DAY
    delete_one(first)
    first.close()
    execute(storage.path, "PRAGMA user_version = 0")
    clocks.of_day -= 3650 * DAY
    second = Database(storage)
    assert in_trash(second) == 2
    second.close()


def test_a_damaged_table_of_such_a_file_keeps_nobody_from_reading_the_others(tmp_path, clocks: Clocks):
    old = closed_database(tmp_path / "old.db", 60)
    connection = sqlite_driver().connect(old.path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").fetchone()
    connection.close()
    with old.path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    clocks.of_day += 3650 * DAY
    database = Database(old)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(WorkItem)) == 60
        assert seen_time.seen_time(session).now() < datetime.fromtimestamp(clocks.of_day - 3649 * DAY, UTC)
    database.close()


def test_the_time_it_has_seen_is_the_time_of_day_where_no_clock_was_wrong(database, clocks: Clocks):
    run_for(database, clocks, 1)
    with database.read() as session:
        seen = seen_time.seen_time(session).now()
    assert abs(seen - datetime.fromtimestamp(clocks.of_day, UTC)) < timedelta(seconds=1)


def test_the_history_of_an_item_has_a_bound_and_the_latest_stay(database, monkeypatch):
    monkeypatch.setattr(upkeep, "EVENTS_KEPT", 5)
    with database.write() as session:
        connection = session.connection()
        long, short = (
            work_items.add_item(connection, None, NewWorkItem(title=title)).id for title in ("long", "short")
        )
        for number in range(20):
            record(connection, None, long, "renamed", f"{number}")
    every_hour(database)
    with database.read() as session:
        assert [event.detail for event in list_events(session.connection(), long)] == ["19", "18", "17", "16", "15"]
        assert len(list_events(session.connection(), short)) == 1
        assert session.scalar(select(func.count()).select_from(Event)) == 6
