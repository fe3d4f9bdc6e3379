"""Threads for one kind of work: first come, first served, and the event loop hears of the end."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

Job = tuple[Callable[[], Any], asyncio.Future, float]


class Overdue(Exception):
    """The job's turn came too late, so it was not begun."""


class Threads:
    """`number` threads that do what `run()` gets, for as long as the process lives.

    concurrent.futures' pool does not know how long a job has waited, and at its end the process waits for all of them.
    """

    def __init__(self, name: str, number: int) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._ended: deque[tuple[asyncio.Future, Any, BaseException | None]] = deque()
        self._loop_is_woken = False
        for each in range(number):
            threading.Thread(target=self._work, name=f"{name}-{each}", daemon=True).start()

    def run(self, job: Callable[[], Any], *, within: float = float("inf")) -> asyncio.Future:
        """What `job` returns or raises; Overdue if it has waited more than `within` seconds when its turn comes."""
        future = asyncio.get_running_loop().create_future()
        self._jobs.put((job, future, time.monotonic() + within))
        return future

    def _work(self) -> None:
        while True:
            self._one(*self._jobs.get())

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
