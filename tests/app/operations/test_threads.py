"""Threads of one kind: in order, with an end to the wait, helped while held up, and nothing lost where a job fails."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest

from app.database import group_commit
from app.database.group_commit import group_commits
from app.errors import NotFound, Problem, StorageFull
from app.operations.serving import threads as module
from app.operations.serving.threads import HELD_UP, TOGETHER, TOGETHER_SECONDS, Overdue, Threads
from tests.app.operations.loops import run_in_a_loop


def name_of_this_thread() -> str:
    return threading.current_thread().name


async def come_true(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not fact():
            await asyncio.sleep(0.001)


def test_first_come_first_served():
    done: list[int] = []

    async def main() -> None:
        one = Threads("test", 1)
        await asyncio.gather(*(one.run(lambda number=number: done.append(number)) for number in range(100)))

    run_in_a_loop(main())
    assert done == list(range(100))


def test_as_many_run_at_once_as_there_are_threads():
    together = threading.Barrier(3)

    async def main() -> None:
        three = Threads("test", 3)
        await asyncio.gather(*(three.run(lambda: together.wait(timeout=30)) for _ in range(3)))

    run_in_a_loop(main())


# --- the first one and its helpers ------------------------------------------------------------------------


class Clock:
    """Time that goes on when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


class Watched(SimpleQueue):
    """Knows how many threads wait at it."""

    def __init__(self) -> None:
        self.waiting = 0
        self._counting = threading.Lock()

    def get(self, block: bool = True, timeout: float | None = None):
        with self._counting:
            self.waiting += 1
        try:
            return super().get(block, timeout)
        finally:
            with self._counting:
                self.waiting -= 1


class Held:
    """A job that goes on until the test lets it go."""

    def __init__(self) -> None:
        self.begun, self._free = threading.Event(), threading.Event()
        self.thread = ""

    def __call__(self) -> None:
        self.thread = name_of_this_thread()
        self.begun.set()
        self._free.wait(30)

    def let_go(self) -> None:
        self._free.set()


async def several_looks_at_the_first() -> None:
    await asyncio.sleep(5 * HELD_UP)


def test_short_jobs_are_done_by_one_thread(clock: Clock):
    async def main() -> set[str]:
        three = Threads("test", 3)
        return set(await asyncio.gather(*(three.run(name_of_this_thread) for _ in range(1000))))

    assert run_in_a_loop(main()) == {"test-0"}


def test_a_helper_comes_when_a_job_has_held_the_first_up_and_not_before(clock: Clock):
    async def main() -> None:
        two, long = Threads("test", 2), Held()
        held, behind = two.run(long), two.run(name_of_this_thread)
        await come_true(long.begun.is_set)
        clock.now += HELD_UP / 2
        await several_looks_at_the_first()
        assert not behind.done()
        clock.now += HELD_UP
        assert await asyncio.wait_for(behind, 30) == "test-1"
        assert long.thread == "test-0"
        long.let_go()
        await held

    run_in_a_loop(main())


def test_helpers_are_quiet_again_when_the_first_is_free_and_come_again_when_it_is_not(clock: Clock, monkeypatch):
    monkeypatch.setattr(module, "SimpleQueue", Watched)

    async def main() -> None:
        three: Any = Threads("test", 3)

        async def all_are_idle() -> None:
            await come_true(lambda: three._calls.waiting == 2 and three._jobs.waiting == 1)
            await come_true(lambda: not three._first_is_watched)

        for _ in range(3):
            await all_are_idle()
            assert set(await asyncio.gather(*(three.run(name_of_this_thread) for _ in range(100)))) == {"test-0"}
            await all_are_idle()
            long = Held()
            held = three.run(long)
            await come_true(long.begun.is_set)
            clock.now += 2 * HELD_UP
            assert await asyncio.wait_for(three.run(name_of_this_thread), 30) in {"test-1", "test-2"}
            long.let_go()
            await held

    run_in_a_loop(main())


def test_helpers_find_nothing_to_do_and_are_called_again_while_the_job_still_holds_it_up(clock: Clock, monkeypatch):
    monkeypatch.setattr(module, "SimpleQueue", Watched)

    async def main() -> None:
        two, long = Threads("test", 2), Held()
        held = two.run(long)
        await come_true(long.begun.is_set)
        clock.now += 2 * HELD_UP
        for _ in range(3):
            assert await asyncio.wait_for(two.run(name_of_this_thread), 30) == "test-1"
            await several_looks_at_the_first()  # the helper has given up by then, and was called, and again
        long.let_go()
        await held

    run_in_a_loop(main())


def test_a_helper_that_is_held_up_itself_keeps_nobody_from_the_first(clock: Clock):
    async def main() -> None:
        two, first, second = Threads("test", 2), Held(), Held()
        held = [two.run(first), two.run(second)]
        await come_true(first.begun.is_set)
        clock.now += 2 * HELD_UP
        await come_true(second.begun.is_set)
        behind = two.run(name_of_this_thread)
        first.let_go()
        assert await asyncio.wait_for(behind, 30) == "test-0"
        second.let_go()
        await asyncio.gather(*held)

    run_in_a_loop(main())


def test_one_that_is_alone_watches_nothing():
    async def main() -> None:
        one = Threads("test", 1)
        await one.run(lambda: None)
        assert not one._first_is_watched

    run_in_a_loop(main())


# --- the end of a wait ------------------------------------------------------------------------------------


def test_what_has_waited_too_long_is_refused_when_its_turn_comes_and_not_before(clock: Clock):
    begun = []

    async def main() -> None:
        one, long = Threads("test", 1), Held()
        running = one.run(long)
        late = one.run(lambda: begun.append("late"), within=5)
        patient = one.run(lambda: begun.append("patient"), within=6)
        await come_true(long.begun.is_set)
        clock.now += 5.5
        await several_looks_at_the_first()
        assert not late.done()
        long.let_go()
        with pytest.raises(Overdue):
            await late
        await asyncio.gather(running, patient)

    run_in_a_loop(main())
    assert begun == ["patient"]


def test_what_nobody_waits_for_any_more_is_not_begun():
    begun = []

    async def main() -> None:
        one, long = Threads("test", 1), Held()
        running = one.run(long)
        one.run(lambda: begun.append("given up")).cancel()
        long.let_go()
        await one.run(lambda: None)
        await running

    run_in_a_loop(main())
    assert begun == []


# --- jobs that fail ---------------------------------------------------------------------------------------


def test_a_job_that_fails_tells_who_waits_and_the_thread_goes_on():
    async def main() -> int:
        one = Threads("test", 1)
        with pytest.raises(ZeroDivisionError):
            await one.run(lambda: 1 // 0)
        return await one.run(lambda: 7)

    assert run_in_a_loop(main()) == 7


@pytest.mark.parametrize("raised", [StopIteration, SystemExit, KeyboardInterrupt])
def test_what_is_no_error_of_a_job_is_told_as_one(raised: type[BaseException]):
    def job() -> None:
        raise raised

    async def main() -> None:
        with pytest.raises(RuntimeError, match=raised.__name__):
            await asyncio.wait_for(Threads("test", 1).run(job), 10)

    run_in_a_loop(main())


class Body(SimpleNamespace):
    """What a job works with, which a test can look for afterwards."""


def fails_with(_body: Body) -> None:
    raise ZeroDivisionError


def fits(_body: Body) -> None:
    pass


@pytest.mark.parametrize(("job", "within"), [(fits, 9), (fails_with, 9), (fits, -1)], ids=["done", "failed", "overdue"])
def test_nothing_keeps_what_a_job_has_worked_with(job: Callable[[Body], None], within: float):
    """Not even until the collector comes: the bodies of refused requests would be more than are counted."""

    async def main() -> None:
        one, body = Threads("test", 1), Body()
        still = weakref.ref(body)
        with suppress(ZeroDivisionError, Overdue):
            await one.run(partial(job, body), within=within)
        del body
        await come_true(lambda: still() is None)

    gc.disable()
    try:
        run_in_a_loop(main())
    finally:
        gc.enable()


# --- changes that are committed together ------------------------------------------------------------------


class Disk:
    """Commits when the test lets it."""

    def __init__(self) -> None:
        self.may_commit = threading.Event()
        self.commits = 0
        self.error: Exception | None = None
        sqlite = SimpleNamespace(in_transaction=True, total_changes=0)
        self._connection: Any = SimpleNamespace(connection=SimpleNamespace(driver_connection=sqlite))

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        try:
            yield self._connection
        except ZeroDivisionError as error:  # in the words of a person (app/database/refusals.py)
            raise StorageFull("No room.", "") from error
        self.may_commit.wait(30)
        self.commits += 1
        if self.error:
            raise self.error

    def change(self) -> str:
        with group_commit.change(self.transaction):
            return "changed"


def together(jobs: Callable[[Threads], Iterable[asyncio.Future]], disk: Disk) -> list[Any]:
    """What each job's future holds at the end, after it was seen that none had anything before the commit."""

    async def main() -> list[Any]:
        threads = Threads("test", 1, group_commits)
        held, release = threading.Event(), threading.Event()
        first = threads.run(lambda: (held.set(), release.wait(30)))  # until all the others wait
        await asyncio.to_thread(held.wait, 30)
        futures = list(jobs(threads))
        release.set()
        await first
        await asyncio.sleep(0.05)
        assert not any(future.done() for future in futures)
        disk.may_commit.set()
        return await asyncio.gather(*futures, return_exceptions=True)

    return run_in_a_loop(main())


def test_changes_that_wait_are_committed_together_and_told_after_that():
    disk = Disk()
    told = together(lambda threads: [threads.run(disk.change) for _ in range(5)], disk)
    assert (told, disk.commits) == (["changed"] * 5, 1)


def test_what_changed_nothing_among_them_is_told_its_own_end():
    disk = Disk()
    disk.error = ZeroDivisionError()
    told = together(
        lambda threads: [threads.run(disk.change), threads.run(lambda: "read"), threads.run(disk.change)], disk
    )
    assert [told[0], told[2]] == [disk.error] * 2
    assert told[1] == "read"


def test_so_many_are_committed_together_and_the_others_after_them():
    disk = Disk()
    told = together(lambda threads: [threads.run(disk.change) for _ in range(2 * TOGETHER)], disk)
    assert (len(told), disk.commits) == (2 * TOGETHER, 2)


def test_one_that_takes_long_is_the_last_of_those_that_are_committed_together(clock: Clock):
    disk = Disk()

    def long() -> str:
        clock.now += 2 * TOGETHER_SECONDS
        return disk.change()

    together(lambda threads: [threads.run(disk.change), threads.run(long), threads.run(disk.change)], disk)
    assert disk.commits == 2


def test_a_change_that_is_alone_waits_for_no_other():
    disk = Disk()
    disk.may_commit.set()

    async def main() -> str:
        return await Threads("test", 1, group_commits).run(disk.change)

    assert (run_in_a_loop(main()), disk.commits) == ("changed", 1)


def test_those_that_are_done_behind_a_change_hold_nobody_up_together(clock: Clock):
    """Each by itself is short: no helper need come."""
    disk, seen = Disk(), []

    async def main() -> None:
        threads = Threads("test", 1, group_commits)
        held, release = threading.Event(), threading.Event()
        first = threads.run(lambda: (held.set(), release.wait(30)))
        await asyncio.to_thread(held.wait, 30)

        def change() -> None:
            clock.now += 0.7 * HELD_UP
            seen.append(threads._is_held_up())
            disk.change()

        futures = [threads.run(change) for _ in range(2)]
        release.set()
        disk.may_commit.set()
        await asyncio.gather(first, *futures)

    run_in_a_loop(main())
    assert (seen, disk.commits) == ([False, False], 1)


def refused(_body: Body, disk: Disk) -> None:
    with group_commit.change(disk.transaction):
        raise NotFound("There is no such item.", "")


def broken(_body: Body, disk: Disk) -> None:
    with group_commit.change(disk.transaction):
        raise ZeroDivisionError


def full(_body: Body, disk: Disk) -> None:
    with group_commit.change(disk.transaction) as connection:
        sqlite: Any = connection.connection.driver_connection
        sqlite.total_changes += 1
        raise StorageFull("No room.", "")


def changed(_body: Body, disk: Disk) -> None:
    disk.change()


def fails_behind(_body: Body, _disk: Disk) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("job", [changed, fails_behind, refused, broken, full])
@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("within", [9, -1])
def test_nothing_keeps_what_a_job_behind_a_change_has_worked_with(
    job: Callable[[Body, Disk], None], committed: bool, within: float
):
    disk = Disk()
    disk.may_commit.set()
    disk.error = None if committed else NotFound("It is gone.", "")

    async def main() -> None:
        one = Threads("test", 1, group_commits)
        held, release = threading.Event(), threading.Event()
        first = one.run(lambda: (held.set(), release.wait(30)))
        await asyncio.to_thread(held.wait, 30)
        bodies = [Body(), Body()]
        still = [weakref.ref(body) for body in bodies]
        futures = [
            one.run(partial(changed, bodies[0], disk)),
            one.run(partial(job, bodies[1], disk), within=within),
        ]
        release.set()
        await first
        while futures:
            with suppress(ZeroDivisionError, Overdue, Problem):
                await futures.pop()
        del bodies
        await come_true(lambda: [each() for each in still] == [None, None])

    gc.disable()
    try:
        run_in_a_loop(main())
    finally:
        gc.enable()
