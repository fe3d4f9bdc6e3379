"""Threads for one kind of work: first come, first served, and the event loop hears of the end."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

Job = tuple[Callable[[], Any], asyncio.Future, float]
HELD_UP = 0.01
"""Seconds. A job that takes longer computes in SQLite or waits for the disk, and does not need Python's lock."""


class Overdue(Exception):
    """The job's turn came too late, so it was not begun."""


class Threads:
    """`number` threads that do what `run()` gets, for as long as the process lives.

    The first does it alone, and the others help only while a job holds it up: two that run Python take its lock from
    each other again and again, which costs a third of a request. concurrent.futures' pool does not know how long a job
    has waited, and at its end the process waits for all of them.
    """

    def __init__(self, name: str, number: int) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._ended: deque[tuple[asyncio.Future, Any, BaseException | None]] = deque()
        self._loop_is_woken = False
        self._first_began = float("inf")
        self._first_is_watched = False
        self._helpers, self._calls = number - 1, SimpleQueue[None]()
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
        while True:
            job = self._jobs.get()
            self._first_began = time.monotonic()
            self._one(*job)
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
        while True:
            self._calls.get()
            with suppress(Empty):
                while self._is_held_up():
                    self._one(*self._jobs.get(timeout=HELD_UP))

    def _is_held_up(self) -> bool:
        return time.monotonic() - self._first_began > HELD_UP

    def _one(self, job: Callable[[], Any], future: asyncio.Future, latest: float) -> None:
        if future.cancelled():
            return
        try:
            if time.monotonic() > latest:
                raise Overdue
            result, error = job(), None
        except BaseException as raised:
            result, error = None, raised if isinstance(raised, Exception) else RuntimeError(repr(raised))
        if isinstance(error, StopIteration):  # which a future does not take
            error = RuntimeError(repr(error))
        self._ended.append((future, result, error))
        # Waking the loop takes longer than a short job, so it is woken once for all that end until it is awake.
        if not self._loop_is_woken:
            self._loop_is_woken = True
            with suppress(RuntimeError):  # the loop has ended before the job has
                future.get_loop().call_soon_threadsafe(self._tell)
        # An error's traceback leads to this frame: one that led back would keep the body until the collector comes.
        del future, error

    def _tell(self) -> None:
        """In the loop. The mark goes first: what ends from now on wakes the loop again."""
        self._loop_is_woken = False
        while self._ended:
            future, result, error = self._ended.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
