"""The database is closed and released for another instance or at the end; where it can't be, the writer goes on."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.backup.copies.rescue import copy_open_database, kept_copies
from app.database import checkpoints, migrations
from app.database.engine import Database
from app.errors import Busy, Emptied, Replaced, StorageFull
from app.storage.mounts import Storage, beside
from app.writer import checkup, gate, instance
from app.writer.checkup import Checkup
from app.writer.instance import Instance
from app.writer.lease import Lease
from app.writer.lease_files import Folder, folder_of
from app.writer.terms import Record
from tests.app.backup.databases import add_items, closed_database, titles
from tests.app.processes import WITHIN, eventually
from tests.app.writer.test_instance import descriptors_of


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path, monkeypatch) -> Storage:
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 0.05, "exclusive": 0.05})
    monkeypatch.setattr(checkpoints, "PAUSE", 0.05)
    return closed_database(tmp_path / "a.db", 1, request.param)


def state_of(storage: Storage) -> str:
    return Lease(Folder(folder_of(storage))).observe().state


def looked_after() -> bool:
    return any(thread.name in ("checkup", "check-of-file", "checkpoints") for thread in threading.enumerate())


def events(lines: list) -> list[str]:
    return [line["event"] for line in lines]


# --- a hand-over that can't be ----------------------------------------------------------------------------


def close_is_busy(patch: pytest.MonkeyPatch) -> None:
    def busy(_database: Database) -> None:
        raise Busy("The writers before it take long.")

    patch.setattr(Database, "close", busy)


def close_fails_in_a_way_nobody_thought_of(patch: pytest.MonkeyPatch) -> None:
    def fail(_database: Database) -> None:
        raise RuntimeError("a fault of the app")

    patch.setattr(Database, "close", fail)


def the_lease_runs_out_while_the_log_is_folded_in(patch: pytest.MonkeyPatch) -> None:
    checkpoint = Database.checkpoint

    def slowly(database: Database) -> None:
        checkpoint(database)
        patch.setattr(Lease, "holds", lambda _: False)

    patch.setattr(Database, "checkpoint", slowly)


def the_checkup_does_not_end(patch: pytest.MonkeyPatch) -> None:
    end = Checkup.end

    def late(self: Checkup) -> bool:
        end(self)
        return False

    patch.setattr(Checkup, "end", late)


HINDRANCES = [
    close_is_busy,
    close_fails_in_a_way_nobody_thought_of,
    the_lease_runs_out_while_the_log_is_folded_in,
    the_checkup_does_not_end,
]


@pytest.mark.parametrize("hinder", HINDRANCES)
def test_who_cannot_close_goes_on_as_the_writer_and_does_not_say_that_it_stands_by(start, monkeypatch, hinder):
    lost = threading.Event()
    made = start(on_lease_lost=lost.set)
    with monkeypatch.context() as hindered, capture_logs() as lines:
        hinder(hindered)
        made.releaser.hand_over("another")
    assert made.writes and not lost.is_set()
    assert not [event for event in events(lines) if "stands by" in event or "released it" in event]
    add_items(made.database, 1)


@pytest.mark.parametrize("hinder", HINDRANCES)
def test_and_its_database_is_looked_after_as_before(start, storage: Storage, monkeypatch, hinder):
    made = start()
    with monkeypatch.context() as hindered:
        hinder(hindered)
        made.releaser.hand_over("another")
    add_items(made.database, 1)
    eventually(lambda: beside(storage.path, "-wal").stat().st_size == 0)
    storage.path.unlink()
    eventually(lambda: isinstance(made.problem, Replaced))


def test_what_was_open_is_not_copied_again_after_a_hand_over_that_was_put_off(start, storage: Storage, monkeypatch):
    """Not even where the first copy still goes on."""
    monkeypatch.setattr(checkup, "END_WITHIN", 0.1)
    copying, may_end, copies = threading.Event(), threading.Event(), []

    def keep(_database: Database) -> Path:
        copies.append(1)
        copying.set()
        may_end.wait(WITHIN)
        return Path("kept.db")

    made = start(keep=keep)
    aside = storage.path.rename(storage.path.with_name("aside.db"))
    assert copying.wait(WITHIN)
    made.releaser.hand_over("another")
    assert made.writes
    time.sleep(0.5)  # ten looks of one that did not wait for the first
    may_end.set()
    eventually(lambda: "kept.db" in str(made.problem))
    aside.rename(storage.path)
    eventually(lambda: made.problem is None)  # it is looked after again
    assert copies == [1]


COUNTS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n"
"""Takes a moment, and can be interrupted."""


def slow_keep(copying: threading.Event) -> Callable[[Database], Path]:
    """Sets `copying` when it has begun."""

    def keep(database: Database) -> Path:
        with database.beside() as connection:
            copying.set()
            connection.execute(COUNTS).fetchone()
        return Path("kept.db")

    return keep


def test_what_was_removed_is_not_handed_over_before_it_is_kept(start, storage: Storage):
    copying = threading.Event()
    made = start(keep=slow_keep(copying))
    storage.path.unlink()
    assert copying.wait(WITHIN)
    made.releaser.hand_over("another")
    assert made.writes
    eventually(lambda: "kept.db" in str(made.problem))
    made.releaser.hand_over("another")
    assert state_of(storage) == "released"


def remove(file: Path) -> None:
    file.unlink()


def replace_by_another(file: Path) -> None:
    closed_database(file.with_name("backup.db"), 0).path.rename(file)


@pytest.mark.parametrize("lose", [remove, replace_by_another])
def test_what_is_lost_just_before_a_stop_is_kept_by_it(start, storage: Storage, monkeypatch, lose):
    """The next look would come when all is gone."""
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 3600, "exclusive": 3600})
    monkeypatch.setattr(checkup, "KEEP_WITHIN", WITHIN)
    made = start(keep=copy_open_database)
    add_items(made.database, 1, "The newest")
    lose(storage.path)
    made.stop()
    (kept,) = kept_copies(storage)
    assert titles(kept) == ["Item 0", "The newest 0"]
    assert state_of(storage) == "released"


@pytest.mark.parametrize("lose", [remove, replace_by_another])
def test_what_is_lost_just_before_a_hand_over_is_kept_first(start, storage: Storage, monkeypatch, lose):
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 3600, "exclusive": 3600})
    made = start(keep=copy_open_database)
    add_items(made.database, 1, "The newest")
    lose(storage.path)
    made.releaser.hand_over("another")
    assert made.writes
    eventually(lambda: "is kept in" in str(made.problem))
    made.releaser.hand_over("another")
    assert state_of(storage) == "released"
    (kept,) = kept_copies(storage)
    assert titles(kept) == ["Item 0", "The newest 0"]


def test_what_is_lost_while_a_hand_over_waits_for_requests_is_kept_first(start, storage: Storage, monkeypatch):
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 3600, "exclusive": 3600})
    made = start(keep=copy_open_database)
    drained = made.gate.drained
    monkeypatch.setattr(made.gate, "drained", lambda *_: storage.path.unlink(missing_ok=True) or drained())
    made.releaser.hand_over("another")
    assert made.writes
    eventually(lambda: "is kept in" in str(made.problem))
    assert len(kept_copies(storage)) == 1
    made.releaser.hand_over("another")
    assert state_of(storage) == "released"


# --- lost while it is prepared ----------------------------------------------------------------------------


@pytest.mark.parametrize("lose", [remove, replace_by_another])
def test_what_is_lost_while_it_is_prepared_is_kept_and_all_of_it_is_one_file(start, storage: Storage, lose):
    """An upgrade of a large file takes minutes."""

    def prepare(database: Database) -> None:
        migrations.upgrade(database)
        if "Item 0" in titles(storage.path):
            lose(storage.path)

    with capture_logs() as lines:
        made = start(prepare, keep=copy_open_database)
    assert isinstance(made.problem, Replaced) and not made.writes
    (kept,) = kept_copies(storage)
    assert titles(kept) == ["Item 0"]
    assert f"task-assist restore {kept}" in made.problem.hint
    assert any(f"is kept in {kept}" in event for event in events(lines))
    assert state_of(storage) == "released" and descriptors_of(storage.path) == set()
    made.watch.retry_at = 0.0
    eventually(lambda: made.writes or isinstance(made.problem, Emptied))
    assert made.writes == (lose is replace_by_another)  # as if it had been put there before the start


def test_a_removal_that_an_upgrade_itself_meets_is_kept_as_well(start, storage: Storage):
    def prepare(database: Database) -> None:
        storage.path.unlink()
        with database.write() as session:
            session.execute(text("UPDATE work_items SET title = 'Changed'"))
        database.look_at_name()

    made = start(prepare, keep=copy_open_database)
    assert isinstance(made.problem, Replaced)
    (kept,) = kept_copies(storage)
    assert titles(kept) == ["Changed"]


def test_of_what_is_lost_while_it_is_prepared_and_has_no_room_it_is_said(start, storage: Storage):
    def full(_database: Database) -> Path:
        raise StorageFull("There is no room left.")

    made = start(lambda _database: storage.path.unlink(), keep=full)
    assert isinstance(made.problem, Replaced)
    assert "could not be copied: There is no room left." in made.problem.hint


def test_a_stop_waits_for_the_copy_of_what_was_removed(start, storage: Storage, monkeypatch):
    monkeypatch.setattr(checkup, "KEEP_WITHIN", WITHIN)
    copying = threading.Event()
    made = start(keep=slow_keep(copying))
    storage.path.unlink()
    assert copying.wait(WITHIN)
    with capture_logs() as lines:
        made.stop()
    assert any("is kept in kept.db" in event for event in events(lines))
    assert not any("was not kept" in event for event in events(lines))


def test_a_stop_that_comes_before_a_copy_says_that_nothing_was_kept(start, storage: Storage, monkeypatch):
    monkeypatch.setattr(checkup, "KEEP_WITHIN", 0.1)

    def full(_database: Database) -> Path:
        raise StorageFull("There is no room.")

    made = start(keep=full)
    storage.path.unlink()
    eventually(lambda: made.problem is not None)
    with capture_logs() as lines:
        made.stop()
    assert any(f"{storage.path} was not kept" in event for event in events(lines))


def test_a_hand_over_that_fails_is_nothing_that_a_standby_would_tell(start, monkeypatch):
    """It would be told to requests after the next hand-over."""
    made = start()
    tried = threading.Event()

    def full(_database: Database) -> None:
        tried.set()
        raise StorageFull("There is no room left.")

    with monkeypatch.context() as hindered, capture_logs() as lines:
        hindered.setattr(Database, "close", full)
        made.heartbeat.requested_by = frozenset(["another"])
        assert tried.wait(WITHIN)
        eventually(lambda: made.gate.state == "writer")
        made.heartbeat.requested_by = frozenset()
    assert (made.gate.refused, made.gate.why_standby) == (None, "")
    assert not [event for event in events(lines) if "can't take over" in event]
    assert any("no room left" in event and "not released" in event for event in events(lines))


class Seconds:
    """A clock that the test moves."""

    at = 0.0

    def now(self) -> float:
        return self.at


def test_one_long_request_does_not_hold_the_others_back_all_the_time(start, storage: Storage, monkeypatch):
    monkeypatch.setattr(gate, "MAX_DRAIN_WAIT", 0.0)
    made = start()
    clock = made.releaser._clock = Seconds()
    tries = []
    drained = made.gate.drained
    monkeypatch.setattr(made.gate, "drained", lambda *_: tries.append(clock.at) or drained())
    with made.using():
        while clock.at < 20:
            made.heartbeat.requested_by = frozenset(["another"])
            made.releaser.hand_over_if_asked()
            clock.at += 0.25
    assert tries == [0], "they wait for it once"
    made.heartbeat.requested_by = frozenset(["another"])
    made.releaser.hand_over_if_asked()
    assert state_of(storage) == "released"


# --- a stop during an opening -----------------------------------------------------------------------------


def test_one_that_takes_longer_to_open_than_the_stop_waits_closes_and_releases_at_its_end(
    start, storage: Storage, monkeypatch
):
    monkeypatch.setattr(instance, "OPENS_WITHIN", 0.1)
    preparing, stopped = threading.Event(), threading.Event()

    def slowly(database: Database) -> None:
        migrations.upgrade(database)
        preparing.set()
        stopped.wait(WITHIN)

    first, second = start(), start(slowly, requests_handover=False)
    first.stop()
    assert preparing.wait(WITHIN)
    second.stop()
    stopped.set()
    eventually(lambda: state_of(storage) == "released")
    second.watch.join(WITHIN)
    assert second.gate.opened is None and second.gate.state == "ended"
    assert descriptors_of(storage.path) == set()


def test_a_stop_waits_longer_for_an_opening_than_for_a_look(start, storage: Storage, monkeypatch):
    monkeypatch.setattr(gate, "MAX_DRAIN_WAIT", 0.05)
    preparing = threading.Event()

    def slowly(database: Database) -> None:
        preparing.set()
        second.heartbeat.stopping.wait(WITHIN)
        time.sleep(0.5)
        migrations.upgrade(database)

    first, second = start(), start(slowly, requests_handover=False)
    first.stop()
    assert preparing.wait(WITHIN)
    second.stop()
    assert state_of(storage) == "released"


def test_one_that_stops_just_when_it_begins_to_write_leaves_nothing_open(storage: Storage, monkeypatch):
    """A check that began after the close would open the file again, which may be another one's by then."""
    folder_of(storage).mkdir()
    (folder_of(storage) / "term-000000000001").write_bytes(
        Record("killed", doubt="damage", state="released").to_bytes()
    )
    monkeypatch.setattr(gate, "MAX_DRAIN_WAIT", 0.1)
    begin = Checkup.start
    made = Instance(storage, migrations.upgrade)
    stop = threading.Thread(target=made.stop)

    def start_after_a_stop(self: Checkup) -> None:
        stop.start()
        stop.join(1)
        begin(self)

    monkeypatch.setattr(Checkup, "start", start_after_a_stop)
    made.start()
    stop.join(WITHIN)
    assert state_of(storage) == "released"
    assert not looked_after()
    assert descriptors_of(storage.path) == set()


# --- a stop that fails ------------------------------------------------------------------------------------


@pytest.mark.parametrize("hinder", [close_is_busy, close_fails_in_a_way_nobody_thought_of])
def test_a_stop_that_cannot_close_says_so_in_one_line_and_ends(storage: Storage, monkeypatch, hinder):
    made = Instance(storage, migrations.upgrade)
    made.start()
    with monkeypatch.context() as hindered, capture_logs() as lines:
        hinder(hindered)
        made.stop()
    assert made.heartbeat.ended.is_set()
    (told,) = [line for line in lines if line["log_level"] == "error"]
    assert "not released" in told["event"] and "\n" not in told["event"] and "exc_info" not in told
    assert state_of(storage) == "held"
    assert not looked_after()
    made.stop()
    assert state_of(storage) == "released"


def test_a_release_that_cannot_be_written_down_is_told_in_one_line_and_nothing_stays_open(storage, monkeypatch):
    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    made = Instance(storage, migrations.upgrade)
    made.start()
    with monkeypatch.context() as failing, capture_logs() as lines:
        failing.setattr(Folder, "rewrite", fails)
        made.stop()
    assert made.heartbeat.ended.is_set() and made.gate.opened is None
    (told,) = [line for line in lines if line["log_level"] == "error"]
    assert "could not be written down" in told["event"] and "exc_info" not in told
    assert descriptors_of(storage.path) == set()


# --- those who wait ---------------------------------------------------------------------------------------


def test_who_waits_for_the_database_hears_at_once_that_it_is_refused(start, monkeypatch):
    monkeypatch.setattr(gate, "MAX_HANDOVER_WAIT", 3600)
    start()
    standby = start(requests_handover=False)
    standby.gate.expect_handover()
    told: list[Exception] = []

    def ask() -> None:
        try:
            standby.enter()
        except Emptied as refused:
            told.append(refused)

    asking = threading.Thread(target=ask, daemon=True)
    waits = standby.gate.changed.wait_for
    waiting = threading.Event()
    monkeypatch.setattr(standby.gate.changed, "wait_for", lambda *now: waiting.set() or waits(*now))
    asking.start()
    assert waiting.wait(WITHIN)
    standby.watch.retry_later(Emptied("It held something."))
    asking.join(WITHIN)
    assert [str(each) for each in told] == ["It held something."]
