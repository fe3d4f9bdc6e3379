"""An instance as writer and standby, in this process: hand-over, take-over, and what ends either."""

import errno
import os
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.database import migrations
from app.database.engine import Database
from app.database.sqlite import sqlite_driver
from app.errors import CannotStart, Standby, StorageFull
from app.settings import CONNECTIONS
from app.storage.mounts import Storage, storage_under
from app.writer import gate, heartbeat, takeover, watch
from app.writer.instance import Instance
from app.writer.lease import Lease
from app.writer.lease_files import Folder, folder_of
from tests.app.backup.databases import add_items, titles
from tests.app.processes import WITHIN, eventually


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path) -> Storage:
    return storage_under(tmp_path / "a.db", request.param)


def test_the_first_one_writes_and_the_second_stands_by(start):
    first, second = start(), start(requests_handover=False)
    assert first.writes and not second.writes
    with pytest.raises(Standby):
        second.database  # noqa: B018


def test_no_request_opens_the_database_once_it_is_ready(start, storage: Storage):
    instance = start()
    before = descriptors_of(storage.path)
    with ExitStack() as requests:
        for _ in range(CONNECTIONS):
            requests.enter_context(instance.database.read()).connection()
        assert descriptors_of(storage.path) == before


def descriptors_of(file: Path) -> set[str]:
    return {each.name for each in Path("/proc/self/fd").iterdir() if os.path.realpath(each) == str(file)}


def test_a_standby_takes_over_when_the_writer_stops(start):
    first, second = start(), start(requests_handover=False)
    first.stop()
    eventually(lambda: second.writes)


def test_one_that_ends_does_not_end_in_the_middle_of_a_look(start, monkeypatch):
    start()
    second = start(requests_handover=False)
    looks = Lease.observe
    looking, looked = threading.Event(), threading.Event()

    def slow(self):
        looking.set()
        time.sleep(0.5)
        observation = looks(self)
        looked.set()
        return observation

    monkeypatch.setattr(Lease, "observe", slow)
    assert looking.wait(WITHIN)
    looked.clear()
    second.stop()
    assert looked.is_set()


def test_one_that_starts_asks_and_the_writer_hands_over_and_does_not_ask_back(start):
    first, second = start(), start()
    add_items(first.database, 1)
    second.probe()
    eventually(lambda: second.writes)
    assert not first.writes
    time.sleep(3)
    assert second.writes and not first.writes
    assert titles(second.storage.path) == ["Item 0"]
    second.stop()
    eventually(lambda: first.writes)


def test_running_requests_end_before_the_hand_over(start):
    first, second = start(), start()
    database = first.enter()
    second.probe()
    time.sleep(4)
    add_items(database, 1)
    assert first.writes and not second.writes
    first.leave()
    eventually(lambda: second.writes)


def test_a_request_waits_for_a_hand_over_instead_of_failing(start):
    start()
    second = start()
    second.probe()
    second.enter()
    assert second.writes
    second.leave()


def test_a_request_waits_from_the_first_probe_on(start, monkeypatch):
    monkeypatch.setattr(watch, "OBSERVE_EVERY", 3600)
    start()
    second = start()
    second.gate._handover_expected_until = 0.0
    with pytest.raises(Standby):
        second.enter()
    second.probe()
    monkeypatch.setattr(gate, "MAX_HANDOVER_WAIT", 0.5)
    began = time.monotonic()
    with pytest.raises(Standby):
        second.enter()
    assert time.monotonic() - began >= 0.5


def test_a_request_does_not_wait_for_ever(start, monkeypatch):
    monkeypatch.setattr(gate, "MAX_HANDOVER_WAIT", 0.1)
    start()
    second = start(requests_handover=False)
    with pytest.raises(Standby) as refused:
        second.enter()
    assert refused.value.retry_after


def test_what_fails_to_open_is_left_to_others(start, storage: Storage):
    def refuse(_database: Database) -> None:
        raise CannotStart("Not this one.")

    broken = Instance(storage, refuse)
    with pytest.raises(CannotStart):
        broken.start()
    assert start().writes


def test_code_that_does_not_know_the_schema_does_not_start_and_names_the_way_back(start, storage: Storage):
    first = start()
    first.lease.note(schema="9999")
    with pytest.raises(
        CannotStart, match=r"schema 9999.*\n.*newer version again, or restore a backup made by this one.$"
    ):
        start()
    for schema in ("0001", "9999", "8888"):  # the second is of an upgrade that this code doesn't know either
        storage.path.with_name(f"{storage.path.stem}-before-upgrade-to-{schema}.db").touch()
    with pytest.raises(CannotStart, match=r"a-before-upgrade-to-8888\.db$"):
        start()
    assert first.writes


def test_a_standby_of_older_code_does_not_take_over(start):
    first, second = start(), start(requests_handover=False)
    first.lease.note(schema="9999")
    first.stop()
    eventually(lambda: "schema 9999" in second.gate.why_standby)
    assert not second.writes
    with pytest.raises(Standby, match="schema 9999"):
        second.database  # noqa: B018


def test_without_room_for_the_copy_it_stands_by_and_says_so(tmp_path: Path, monkeypatch):
    storage = storage_under(tmp_path / "a.db", "exclusive")
    database = Database(storage)
    migrations.upgrade(database)
    database.close()
    folder_of(storage).mkdir()
    lost = Lease(Folder(folder_of(storage)))
    assert lost.acquire(lost.observe())
    lost.release("abandoned")
    monkeypatch.setattr(takeover, "SPARE", 1 << 60)
    made = Instance(storage, migrations.upgrade)
    made.start()
    assert not made.writes
    with pytest.raises(StorageFull, match="no room"):
        made.database  # noqa: B018
    monkeypatch.undo()
    made.watch.retry_at = 0.0
    eventually(lambda: made.writes)
    made.stop()


def test_the_database_is_opened_when_the_last_of_those_that_called_a_lease_back_has_closed_it(storage: Storage):
    """Closing it later would drop the locks that SQLite has on it (app/storage/delegations.py)."""
    answered, at_opening = threading.Event(), list[bool]()
    opening = threading.Thread(target=answered.wait)
    opening.start()

    def prepare(database: Database) -> None:
        at_opening.append(opening.is_alive())
        migrations.upgrade(database)

    made = Instance(storage, prepare)
    made.watch._calling_back.append(opening)
    threading.Timer(0.2, answered.set).start()
    made.start()
    assert at_opening == [False]
    made.stop()


def test_one_that_is_overtaken_ends_without_closing_the_file(storage: Storage):
    lost = threading.Event()
    made = Instance(storage, migrations.upgrade, on_lease_lost=lost.set)
    made.start()
    add_items(made.database, 1)
    (folder_of(storage) / "term-000000000009").touch()
    assert lost.wait(WITHIN)
    assert not made.writes
    assert storage.path.with_name("a.db-wal").exists()
    made.stop()
    assert storage.path.with_name("a.db-wal").exists()


def test_one_whose_storage_stops_answering_while_it_ends_leaves_the_log_in_place(storage: Storage, monkeypatch):
    """Closing removes the log by its name, which would be that of the next writer's by then."""
    ends = threading.Event()
    instance = Instance(storage, migrations.upgrade, on_lease_lost=ends.set)
    instance.start()
    add_items(instance.database, 1, "acknowledged")
    checkpoint = Database.checkpoint

    def for_longer_than_the_lease(database: Database) -> None:
        checkpoint(database)
        monkeypatch.setattr(Lease, "holds", lambda _: False)

    monkeypatch.setattr(Database, "checkpoint", for_longer_than_the_lease)
    instance.stop()
    assert storage.path.with_name("a.db-wal").exists()
    assert ends.wait(WITHIN)


def test_a_database_that_a_request_is_still_in_is_not_released(start, monkeypatch):
    monkeypatch.setattr(gate, "MAX_DRAIN_WAIT", 0.2)
    instance = start()
    with instance.using():
        instance.stop()
        assert instance.lease.holds() and instance.lease.observe().state == "held"
    instance.stop()
    assert instance.lease.observe().state == "released"


def test_a_network_mount_that_answers_with_errors_is_told_and_nothing_is_confirmed(tmp_path: Path):
    ends = threading.Event()
    instance = Instance(storage_under(tmp_path / "a.db", "exclusive"), migrations.upgrade, on_lease_lost=ends.set)
    instance.start()
    database = instance.database
    with pytest.raises(Standby, match="Nothing is confirmed"), database.write():
        raise sqlite_driver().OperationalError("disk I/O error")
    with pytest.raises(Standby, match="answers with errors"):
        instance.enter()
    assert ends.wait(WITHIN)
    instance.stop()


def test_a_writer_that_cannot_renew_on_a_full_share_says_that(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(heartbeat, "RENEW_EVERY", 0.05)
    instance = Instance(storage_under(tmp_path / "a.db", "exclusive"), migrations.upgrade)
    instance.start()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as filled:
        filled.setattr(Folder, "rewrite", full)
        eventually(lambda: isinstance(instance.problem, StorageFull))
        filled.setattr(Lease, "holds", lambda _: False)
        with pytest.raises(StorageFull, match="no room left"):
            instance.enter()
    instance.stop()


def test_one_that_is_overtaken_while_it_opens_ends_without_closing_the_file(storage: Storage, monkeypatch):
    closed: list[Database] = []
    monkeypatch.setattr(Database, "close", closed.append)
    lost = threading.Event()

    def overtaken(database: Database) -> None:
        migrations.upgrade(database)
        (folder_of(storage) / "term-000000000009").touch()

    made = Instance(storage, overtaken, on_lease_lost=lost.set)
    made.start()
    assert lost.wait(WITHIN)
    assert not made.writes and made.gate.opened
    made.stop()
    assert closed == []
    made.gate.opened._engine.dispose()


def test_one_that_is_stopped_while_it_takes_over_releases_it(start, storage: Storage):
    preparing = threading.Event()

    def slowly(database: Database) -> None:
        preparing.set()
        time.sleep(1)
        migrations.upgrade(database)

    first = start()
    second = Instance(storage, slowly, requests_handover=False)
    second.start()
    first.stop()
    assert preparing.wait(WITHIN)
    second.stop()
    assert second.gate.state == "ended"
    assert Lease(Folder(folder_of(storage))).observe().state == "released"


def test_one_that_cannot_open_the_database_asks_once(start, storage: Storage, monkeypatch):
    monkeypatch.setattr(watch, "RETRY", 0.5)
    tries = []

    def refuse(_database: Database) -> None:
        tries.append(1)
        raise CannotStart("Its migration fails.")

    first = start()
    second = Instance(storage, refuse)
    second.start()
    second.probe()
    eventually(lambda: bool(tries))
    eventually(lambda: first.writes)
    time.sleep(3)
    assert tries == [1] and first.writes
    second.stop()


def test_who_cannot_renew_just_now_does_not_hand_over_and_goes_on_afterwards(storage: Storage, monkeypatch):
    lost = threading.Event()
    made = Instance(storage, migrations.upgrade, on_lease_lost=lost.set)
    made.start()
    with monkeypatch.context() as standing_still:
        standing_still.setattr(Lease, "holds", lambda _: False)
        made.releaser.hand_over("another")
        with pytest.raises(Standby, match=r"has not answered.*\n.*doctor"):
            made.database  # noqa: B018
    assert made.writes and not lost.is_set()
    made.stop()


def test_its_heart_goes_on_after_a_refusal(tmp_path: Path, monkeypatch):
    """A folder of the lease that root made anew, and could not give to whom it should belong."""
    monkeypatch.setattr(heartbeat, "RENEW_EVERY", 0.05)
    instance = Instance(storage_under(tmp_path / "a.db", "exclusive"), migrations.upgrade)
    instance.start()
    beats, renew = [], Lease.renew

    def refused_once(lease: Lease) -> frozenset[str]:
        beats.append(lease)
        if len(beats) == 1:
            raise CannotStart("It could not be given to user 1000.")
        return renew(lease)

    monkeypatch.setattr(Lease, "renew", refused_once)
    eventually(lambda: len(beats) > 2)
    assert instance.writes
    instance.stop()


def test_its_heart_beats_until_the_database_is_closed(tmp_path: Path, monkeypatch):
    """A large log takes long to fold in, and nobody may follow meanwhile."""
    monkeypatch.setattr(heartbeat, "RENEW_EVERY", 0.05)
    storage = storage_under(tmp_path / "a.db", "exclusive")
    made = Instance(storage, migrations.upgrade)
    made.start()
    beats = []

    def slowly(database: Database, close=Database.close) -> None:
        for _ in range(2):
            record = Lease(Folder(folder_of(storage))).observe().record
            assert record
            beats.append(record.beat)
            time.sleep(1)
        close(database)

    monkeypatch.setattr(Database, "close", slowly)
    made.stop()
    assert beats[1] > beats[0]


def test_one_that_stops_during_a_hand_over_waits_for_it_and_closes_once(start, monkeypatch):
    def slowly(database: Database, close=Database.close) -> None:
        closed.append(database)
        closing.set()
        time.sleep(0.5)
        close(database)

    closed, closing = [], threading.Event()
    monkeypatch.setattr(Database, "close", slowly)
    made = start()
    handing_over = threading.Thread(target=made.releaser.hand_over, args=("another",))
    handing_over.start()
    assert closing.wait(WITHIN)
    made.stop()
    assert made.lease.observe().state == "released"
    assert len(closed) == 1
    handing_over.join()
