"""Threads of one kind: in order, with an end to the wait, and nothing lost where a job fails."""

import asyncio
import threading
import time

import pytest

from app.operations.threads import Overdue, Threads
from tests.app.operations.loops import run_in_a_loop


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
        await asyncio.gather(*(three.run(lambda: together.wait(timeout=5)) for _ in range(3)))

    run_in_a_loop(main())


def test_one_runs_alone_while_nothing_holds_it_up():
    ran_in: set[str] = set()

    async def main() -> None:
        three = Threads("alone", 3)
        await asyncio.gather(*(three.run(lambda: ran_in.add(threading.current_thread().name)) for _ in range(100)))

    run_in_a_loop(main())
    assert ran_in == {"alone-0"}


def test_what_comes_later_overtakes_a_job_that_takes_long():
    async def main() -> None:
        two, free = Threads("test", 2), threading.Event()
        held_up = two.run(lambda: free.wait(5))
        for number in range(3):
            assert await asyncio.wait_for(two.run(lambda number=number: number), 2) == number
        free.set()
        assert await held_up

    run_in_a_loop(main())


def test_what_has_waited_too_long_is_refused_when_its_turn_comes_and_not_before():
    begun = []

    async def main() -> None:
        one = Threads("test", 1)
        running = one.run(lambda: time.sleep(0.3))
        late = one.run(lambda: begun.append("late"), within=0.1)
        patient = one.run(lambda: begun.append("patient"), within=10)
        await asyncio.sleep(0.2)
        assert not late.done()
        with pytest.raises(Overdue):
            await late
        await patient
        await running

    run_in_a_loop(main())
    assert begun == ["patient"]


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


def test_what_nobody_waits_for_any_more_is_not_begun():
    begun = []

    async def main() -> None:
        one = Threads("test", 1)
        running = one.run(lambda: time.sleep(0.1))
        one.run(lambda: begun.append("given up")).cancel()
        await one.run(lambda: None)
        await running

    run_in_a_loop(main())
    assert begun == []
