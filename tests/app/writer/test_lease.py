"""One writer at a time: what each step of the lease does, and what a hostile world can't make it do."""

import errno
import os
import shutil
from itertools import product
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.writer import lease
from app.writer.lease import EXPIRES_AFTER, RESERVED, WRITE_DEADLINE, Lease, Lost, Removed
from app.writer.lease_files import SIZE, Folder, LocalLock
from app.writer.terms import Observation, Record
from tests.app.writer.lease_world import Instance, Violation, World


class SetClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept += seconds


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def one(tmp_path: Path, clock: SetClock) -> Lease:
    return Lease(Folder(tmp_path), clock=clock, owner="one")


@pytest.fixture
def two(tmp_path: Path, clock: SetClock) -> Lease:
    return Lease(Folder(tmp_path), clock=clock, owner="two")


def acquire(of: Lease):
    return of.acquire(of.observe())


def test_the_first_one_holds_and_the_second_does_not(one: Lease, two: Lease):
    acquired = acquire(one)
    assert acquired and acquired.term == 1 and not acquired.forced
    assert one.holds()
    assert acquire(two) is None
    assert not two.holds()


def test_of_two_that_saw_the_same_one_wins(one: Lease, two: Lease):
    observation = two.observe()
    assert acquire(one)
    assert two.acquire(observation) is None


def test_a_released_term_is_followed_at_once_and_without_a_copy(one: Lease, two: Lease):
    acquire(one)
    one.release()
    assert not one.holds()
    acquired = acquire(two)
    assert acquired and acquired.term == 2 and not acquired.forced


def test_a_term_without_heartbeat_is_followed_when_stale_and_not_before(one: Lease, two: Lease, clock: SetClock):
    acquire(one)
    two.observe()
    clock.time += EXPIRES_AFTER - 0.1
    assert acquire(two) is None
    clock.time += 0.2
    acquired = acquire(two)
    assert acquired and acquired.forced
    assert not one.holds()
    with pytest.raises(Lost):
        one.renew()


def test_each_heartbeat_begins_the_wait_anew(one: Lease, two: Lease, clock: SetClock):
    acquire(one)
    for _ in range(5):
        two.observe()
        clock.time += WRITE_DEADLINE - 1
        one.renew()
        assert acquire(two) is None


def test_who_does_not_renew_in_time_may_not_write_and_may_again_when_it_renews(one: Lease, clock: SetClock):
    acquire(one)
    clock.time += WRITE_DEADLINE - 0.1
    assert one.holds()
    clock.time += 0.2
    assert not one.holds()
    one.renew()
    assert one.holds()


def test_the_fence_counts_from_the_start_of_the_renewal(tmp_path: Path, clock: SetClock):
    class Slow(Folder):
        def rewrite(self, name: str, content: bytes) -> None:
            super().rewrite(name, content)
            clock.time += WRITE_DEADLINE - 1

    slow = Lease(Slow(tmp_path), clock=clock)
    acquire(slow)
    clock.time += 1.1
    assert not slow.holds()


def test_who_decided_while_the_holder_renewed_waits_until_its_fence_has_closed(one: Lease, two: Lease, clock: SetClock):
    acquire(one)
    two.observe()
    clock.time += EXPIRES_AFTER + 1
    observation = two.observe()
    one.renew()
    acquired = two.acquire(observation)
    assert acquired and acquired.forced
    assert clock.slept > WRITE_DEADLINE
    assert not one.holds()


def test_a_term_handed_to_one_that_asked_is_kept_for_it(one: Lease, two: Lease, tmp_path: Path, clock: SetClock):
    third = Lease(Folder(tmp_path), clock=clock, owner="third")
    acquire(one)
    assert two.request_handover(two.observe()) and not two.request_handover(two.observe())
    assert one.renew() == {"two"}
    one.release(successor="two")
    assert acquire(third) is None
    assert acquire(two)


def test_a_term_handed_to_one_that_is_gone_is_free_after_a_while(one: Lease, two: Lease, clock: SetClock):
    acquire(one)
    one.release(successor="gone")
    assert acquire(two) is None
    clock.time += RESERVED
    assert acquire(two)


def test_one_that_asked_the_last_holder_asks_the_next_one_too(one: Lease, two: Lease, tmp_path: Path, clock: SetClock):
    third = Lease(Folder(tmp_path), clock=clock, owner="third")
    acquire(one)
    third.request_handover(third.observe())
    one.release()
    acquire(two)
    assert two.renew() == frozenset()
    assert third.request_handover(third.observe())
    assert two.renew() == {"third"}


def test_an_abandoned_term_is_followed_at_once_but_with_a_copy(one: Lease, two: Lease):
    acquire(one)
    one.release("abandoned")
    acquired = acquire(two)
    assert acquired and acquired.forced


def test_a_descriptor_that_the_server_forgot_is_replaced(two: Lease, tmp_path: Path, clock: SetClock):
    folder = Folder(tmp_path)
    one = Lease(folder, clock=clock, owner="one")
    acquire(one)
    first = two.observe()
    assert folder._kept
    _, descriptor = folder._kept
    reading = os.open(tmp_path, os.O_RDONLY)
    os.dup2(reading, descriptor)  # it can't be written to any more
    os.close(reading)
    with pytest.raises(OSError, match="Bad file descriptor"):
        one.renew()
    one.renew()
    assert two.observe().content != first.content


def test_whose_term_was_swept_away_under_it_has_lost(tmp_path: Path, clock: SetClock):
    class Nfs(Folder):
        def rewrite(self, name: str, content: bytes) -> None:
            super().rewrite(name, content)
            if name not in os.listdir(self.path):
                raise OSError(errno.ESTALE, "Stale file handle", name)

    one = Lease(Nfs(tmp_path), clock=clock)
    acquire(one)
    (tmp_path / "term-000000000001").rename(tmp_path / "term-000000000002")
    with pytest.raises(Lost):
        one.renew()
    one.release()
    assert os.listdir(tmp_path) == ["term-000000000002"]


def test_a_release_of_a_term_that_was_swept_away_changes_nothing(tmp_path: Path, clock: SetClock):
    class Nfs(Folder):
        def rewrite(self, name: str, content: bytes) -> None:
            if name not in os.listdir(self.path):
                raise OSError(errno.ESTALE, "Stale file handle", name)
            super().rewrite(name, content)

    one = Lease(Nfs(tmp_path), clock=clock)
    acquire(one)
    (tmp_path / "term-000000000001").unlink()
    one.release()
    assert os.listdir(tmp_path) == []


def test_whose_folder_was_removed_on_a_network_mount_may_not_write_and_has_not_lost_to_another(
    one: Lease, two: Lease, tmp_path: Path
):
    acquire(one)
    shutil.rmtree(tmp_path)
    for _ in range(2):
        with pytest.raises(Removed):
            one.renew()
        assert not one.holds()
    tmp_path.mkdir()
    assert acquire(two)
    with pytest.raises(Lost) as lost:
        one.renew()
    assert not isinstance(lost.value, Removed)


@pytest.mark.parametrize("removed", ["all of it", "the terms"])
def test_a_folder_that_was_removed_on_a_local_disk_is_made_again_with_all_the_next_start_must_know(
    tmp_path: Path, removed: str
):
    folder = tmp_path / "lease"
    folder.mkdir()

    def local() -> Lease:
        return Lease(Folder(folder), lock=LocalLock(folder / "lock"))

    one, two = local(), local()
    acquire(one)
    one.note(schema="0007")
    if removed == "the terms":
        (folder / "term-000000000001").unlink()
    else:
        shutil.rmtree(folder)
    one.renew()
    assert one.holds() and two.observe().schema == "0007"
    assert acquire(two) is None
    shutil.rmtree(folder)
    one.release()
    assert (two.observe().state, two.observe().schema) == ("released", "0007")
    acquired = acquire(two)
    assert acquired and acquired.term == 2


def test_who_came_after_the_folder_was_removed_on_a_local_disk_keeps_the_database(tmp_path: Path):
    folder = tmp_path / "lease"
    one, two = (Lease(Folder(folder), lock=LocalLock(folder / "lock")) for _ in range(2))
    for each in (one, two):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        assert acquire(each)
    (folder / "term-000000000001").unlink()  # as if it had come to its lock, and not yet to its term
    with pytest.raises(Lost):
        one.renew()
    two.renew()
    assert two.holds()


def test_what_the_next_one_must_know_goes_from_term_to_term(one: Lease, two: Lease):
    acquire(one)
    one.note(schema="0007")
    one.note(pending=1)
    one.release("abandoned")
    assert two.observe().schema == "0007"
    acquired = acquire(two)
    assert acquired and acquired.pending == 1
    assert two.observe().schema == "0007"


def test_what_the_next_one_must_know_outlives_one_that_died_before_its_first_word(
    one: Lease, two: Lease, tmp_path: Path, clock: SetClock
):
    acquire(one)
    one.note(schema="0007")
    one.note(pending=1)
    (tmp_path / "term-000000000002").touch()
    two.observe()
    clock.time += EXPIRES_AFTER + 1
    acquired = acquire(two)
    assert acquired and acquired.forced and (acquired.term, acquired.pending) == (3, 1)
    assert two.observe().schema == "0007"


@pytest.mark.parametrize("failing", ["list", "rewrite"])
def test_one_whose_storage_fails_while_it_takes_has_nothing_and_stops_nobody(
    two: Lease, tmp_path: Path, clock: SetClock, failing: str
):
    class Flaky(Folder):
        calls = 0

    def fail_once(self: Flaky, *arguments: object) -> object:
        self.calls += 1
        if self.calls == 2:
            raise OSError(errno.EIO, "Input/output error")
        return getattr(Folder, failing)(self, *arguments)

    setattr(Flaky, failing, fail_once)
    one = Lease(Flaky(tmp_path), clock=clock, owner="one")
    with pytest.raises(OSError, match="Input/output"):
        acquire(one)
    assert one.term is None and not one.holds()
    one.renew()
    acquired = acquire(two)
    assert acquired and not acquired.forced


@pytest.mark.parametrize("failing", ["create", "rewrite", "list"])
def test_what_the_next_one_must_know_outlives_one_whose_local_disk_fails_while_it_takes(tmp_path: Path, failing: str):
    def local(names: Folder) -> Lease:
        return Lease(names, lock=LocalLock(tmp_path / "lock"))

    first = local(Folder(tmp_path))
    assert acquire(first)
    first.note(schema="0007")
    first.release()

    class Broken(Folder):
        pass

    def fail(self: Broken, *arguments: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    second = local(Broken(tmp_path))
    observation = second.observe()
    setattr(Broken, failing, fail)
    with pytest.raises(OSError, match="No space"):
        second.acquire(observation)
    acquired = acquire(local(Folder(tmp_path)))
    assert acquired and acquired.schema == "0007"


def test_what_a_newer_version_says_besides_is_passed_over(one: Lease, tmp_path: Path):
    newer = b'{"owner": "newer", "beat": 3, "state": "released", "schema": "0009", "colour": "red"}'
    (tmp_path / "term-000000000004").write_bytes(newer.ljust(SIZE))
    assert one.observe().schema == "0009"
    acquired = acquire(one)
    assert acquired and not acquired.forced


def test_old_terms_and_what_was_asked_of_them_are_swept(one: Lease, two: Lease, tmp_path: Path):
    acquire(one)
    two.request_handover(two.observe())
    one.release()
    acquire(two)
    assert [file.name for file in tmp_path.iterdir()] == ["term-000000000002"]


def test_a_term_file_that_nobody_wrote_yet_counts_as_held(one: Lease, tmp_path: Path, clock: SetClock):
    (tmp_path / "term-000000000004").touch()
    assert acquire(one) is None
    clock.time += EXPIRES_AFTER + 1
    acquired = acquire(one)
    assert acquired and acquired.term == 5 and acquired.forced


def test_other_files_in_the_folder_are_nothing_to_it(one: Lease, tmp_path: Path):
    for name in ("term-", "term-x", "term-00000000000³", ".nfs0001", "ask-", "ask-x", "lock"):
        (tmp_path / name).touch()
    acquired = acquire(one)
    assert acquired and acquired.term == 1


def test_the_longest_record_fits():
    record = Record("h" * 24 + "-12345678", 10**9, "abandoned", "0001" * 2, "h" * 24 + "-12345678", 10**9)
    assert len(record.to_bytes()) == SIZE
    assert Record.from_bytes(record.to_bytes()) == record


def test_on_a_local_file_system_a_dead_holder_is_followed_at_once(tmp_path: Path, clock: SetClock):
    def local(owner: str) -> Lease:
        return Lease(Folder(tmp_path), lock=LocalLock(tmp_path / "lock"), clock=clock, owner=owner)

    one, two = local("one"), local("two")
    assert acquire(one)
    clock.time += 10 * EXPIRES_AFTER
    assert one.holds() and acquire(two) is None
    one._lock.release()  # type: ignore[union-attr]  # as the system does when a process is killed
    acquired = acquire(two)
    assert acquired and not acquired.forced


def test_a_look_says_for_how_long_nothing_was_heard(one: Lease, two: Lease, clock: SetClock):
    acquire(one)
    first: Observation = two.observe()
    clock.time += 3
    assert (first.silent_for, two.observe().silent_for) == (0, 3)
    one.renew()
    assert two.observe().silent_for == 0


# --- the hostile world ------------------------------------------------------------------------------------


class HostileWorld(RuleBasedStateMachine):
    """Hypothesis looks for an order of events in which an acknowledged write is lost, or two write into one file."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.asleep: set[Instance] = set()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.end()

    def _some(self, number: int) -> Instance:
        return self.world.instances[number % len(self.world.instances)]

    @precondition(lambda self: len(self.world.instances) < 4)
    @rule(speed=st.sampled_from([0.91, 1.0, 1.09]), offset=st.sampled_from([0.0, 1e6]))
    def start(self, speed: float, offset: float) -> None:
        self.world.start(speed, offset)

    @precondition(lambda self: self.world.instances)
    @rule(seconds=st.sampled_from([1, 3, 9, 11, 21, 40]))
    def go_on(self, seconds: int) -> None:
        self.world.run(seconds, [each for each in self.world.instances if each not in self.asleep])

    @precondition(lambda self: self.world.instances)
    @rule(number=st.integers(0, 3), part=st.integers(0, 1), steps=st.integers(1, 12), stalls=st.booleans())
    def one_goes_on(self, number: int, part: int, steps: int, stalls: bool) -> None:
        for _ in range(steps):
            self._some(number).step_one(part)
        if stalls:
            self.asleep.add(self._some(number))

    @rule(seconds=st.sampled_from([0.1, 2.0, 9.5, 10.5, 19.5, 20.5, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.time += seconds

    @precondition(lambda self: self.world.instances)
    @rule(number=st.integers(0, 3))
    def fall_asleep_or_wake(self, number: int) -> None:
        self.asleep ^= {self._some(number)}

    @precondition(lambda self: self.world.instances)
    @rule(number=st.integers(0, 3))
    def hand_over(self, number: int) -> None:
        self._some(number).told_to_release = True

    @precondition(lambda self: self.world.instances)
    @rule(number=st.integers(0, 3))
    def crash(self, number: int) -> None:
        self._some(number).crash()

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        self.world.check()


def test_no_order_of_events_loses_an_acknowledged_write_or_lets_two_write():
    run_state_machine_as_test(
        HostileWorld,
        settings=settings(max_examples=200, stateful_step_count=30, deadline=None, phases=[Phase.generate]),
    )


def a_holder_comes_back_at_every_step_of_its_successor() -> None:
    """Whatever the one has just done when the other wakes up, and wherever that one had fallen asleep."""
    for nap, renews, asleep_at, back_at in product((4.0, EXPIRES_AFTER - 1.5), (False, True), range(4), range(40)):
        _come_back(nap, renews, asleep_at, back_at)


def _come_back(nap: float, renews: bool, asleep_at: int, back_at: int) -> None:
    world = World()
    first, second = world.start(1.0, 0.0), world.start(1.0, 50.0)
    world.run(5, [first])
    world.run(1, [second])
    world.time += 0.5
    for _ in range(asleep_at):
        first.step_one(0)
    world.time += nap
    for _ in range(back_at):
        world.time += 0.1
        second.step_one(0)
    for _ in range(12 if renews else 0):
        first.step_one(1)
    for _ in range(12):
        second.step_one(0)
    for _ in range(12):
        first.step_one(0)
    world.run(3, [first, second])
    world.check()
    world.end()


def test_a_holder_that_comes_back_at_any_moment_does_no_harm():
    a_holder_comes_back_at_every_step_of_its_successor()


def no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "WRITE_DEADLINE", 1e9)


def taken_over_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "EXPIRES_AFTER", 3.0)


def no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Instance, "_open", lambda self, *, forced, real=Instance._open: real(self, forced=False))


def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "DRIFT", -1.0)


def no_look_after_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    def believing(self: Lease, term: int, began: float) -> frozenset[str]:
        self._renewed = began
        return frozenset()

    monkeypatch.setattr(Lease, "_still_highest", believing)


@pytest.mark.parametrize(
    "breaking", [no_fence, taken_over_too_early, no_copy, no_second_look, no_look_after_the_heartbeat]
)
def test_a_broken_lease_is_caught(monkeypatch: pytest.MonkeyPatch, breaking):
    breaking(monkeypatch)
    with pytest.raises(Violation):
        a_holder_comes_back_at_every_step_of_its_successor()


def test_the_world_is_not_one_in_which_nothing_happens():
    world = World()
    first, second = world.start(1.0, 0.0), world.start(1.0, 0.0)
    world.run(5, [first, second])
    written = len(world.acknowledged)
    assert written > 5
    world.run(60, [second])
    assert world.takeovers == 1 and len(world.acknowledged) > written
    world.run(60, [first, second])
    world.check()
    world.end()
