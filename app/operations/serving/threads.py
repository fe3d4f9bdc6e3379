"""Threads for one kind of work: first come, first served, and the event loop hears of the end."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from app.database import group_commit

Job = tuple[Callable[[], Any], asyncio.Future, float]
HELD_UP = 0.01
"""Seconds. A job that takes longer computes in SQLite or waits for the disk, and does not need Python's lock."""
TOGETHER, TOGETHER_SECONDS = 16, 0.02
"""So many jobs, begun within so many seconds, may have their changes committed together. The first of them waits for
the others. More together save little: a create costs SQLite two thirds with one other, a third with 7 or with 14."""


class Ended(NamedTuple):
    """`group`: that in which the job has a change. An error of it is the job's."""

    future: asyncio.Future
    result: Any
    error: Exception | None
    group: group_commit.Group | None


class Overdue(Exception):
    """The job's turn came too late, so it was not begun."""


class Threads:
    """`number` threads that do what `run()` gets, for as long as the process lives.

    The first does it alone, and the others help only while a job holds it up: two that run Python take its lock from
    each other again and again, which costs a third of a request. concurrent.futures' pool does not know how long a job
    has waited, and at its end the process waits for all of them.
    """

    def __init__(self, name: str, number: int, begin: Callable[[], None] = lambda: None) -> None:
        """Each thread calls `begin` first of all."""
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._ended: deque[Ended] = deque()
        self._loop_is_woken = False
        self._first_began = float("inf")
        self._first_is_watched = False
        self._helpers, self._calls = number - 1, SimpleQueue[None]()
        self._begin = begin
        for each in range(number):
            work = self._help if each else self._work
            threading.Thread(target=work, name=f"{name}-{each}", daemon=True).start()

    def run(self, job: Callable[[], Any], *, within: float = float("inf")) -> asyncio.Future:
        """What `job` returns or raises; Overdue if it has waited more than `within` seconds when its turn comes."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._jobs.put((job, future, time.monotonic() + within))
        if self._helpers and not self._first_is_watched:
            self._first_is_watched = True
            loop.call_later(HELD_UP, self._watch, loop)
        return future

    def _work(self) -> None:
        self._begin()
        while True:
            job = self._jobs.get()
            self._first_began = time.monotonic()
            self._do(job, is_first=True)
            self._first_began = float("inf")
            del job  # it has the request's body, which is not kept until the next one comes

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the loop, until all is done."""
        if self._is_held_up() and self._calls.empty():
            for _ in range(self._helpers):
                self._calls.put(None)
        if self._first_began == float("inf") and self._jobs.empty():
            self._first_is_watched = False
        else:
            loop.call_later(HELD_UP, self._watch, loop)

    def _help(self) -> None:
        self._begin()
        while True:
            self._calls.get()
            with suppress(Empty):
                while self._is_held_up():
                    self._do(self._jobs.get(timeout=HELD_UP))

    def _is_held_up(self) -> bool:
        return time.monotonic() - self._first_began > HELD_UP

    def _do(self, job: Job, *, is_first: bool = False) -> None:
        loop = job[1].get_loop()
        ended = [_one(*job)]
        if group_commit.is_waiting():
            self._do_those_behind(ended, is_first)
            group_commit.commit()
        self._ended.extend(ended)
        # An error's traceback leads to these frames: one that leads back to it keeps a body until the collector comes.
        del ended, job
        # Waking the loop takes longer than a short job, so it is woken once for all that end until it is awake.
        if not self._loop_is_woken:
            self._loop_is_woken = True
            with suppress(RuntimeError):  # the loop has ended before the job has
                loop.call_soon_threadsafe(self._tell)

    def _do_those_behind(self, ended: list[Ended], is_first: bool) -> None:
        """While there is a change that is not committed yet: what they change is committed with it."""
        job, until = None, time.monotonic() + TOGETHER_SECONDS
        with suppress(Empty):
            while group_commit.is_waiting() and len(ended) < TOGETHER and time.monotonic() <= until:
                job = self._jobs.get_nowait()
                if is_first:
                    self._first_began = time.monotonic()
                ended.append(_one(*job))
        del ended, job  # as in _do()

    def _tell(self) -> None:
        """In the loop. The mark goes first: what ends from now on wakes the loop again."""
        self._loop_is_woken = False
        while self._ended:
            future, result, error, group = self._ended.popleft()
            if future.done():
                continue
            if error := error or (group and group.error):
                future.set_exception(error)
            else:
                future.set_result(result)


def _one(job: Callable[[], Any], future: asyncio.Future, latest: float) -> Ended:
    result = error = None
    if not future.cancelled():
        try:
            if time.monotonic() > latest:
                raise Overdue
            result = job()
        except BaseException as raised:
            error = raised if isinstance(raised, Exception) else RuntimeError(repr(raised))
        if isinstance(error, StopIteration):  # which a future does not take
            error = RuntimeError(repr(error))
    try:
        return Ended(future, result, error, group_commit.take_own())
    finally:
        del future, error  # as in _do()
