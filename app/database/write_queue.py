"""A queue for one thing at a time: first come, first served, and no longer than is good for those who wait."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class QueueTimeout(Exception):
    """The wait for a turn took too long."""


class WriteQueue:
    """threading.Lock wakes any of its waiters."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Waits at most `seconds` for its turn, and has it until the block ends. Raises QueueTimeout."""
        self._wait(seconds)
        try:
            yield
        finally:
            self._pass_on()

    def _wait(self, seconds: float) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(seconds):
            return
        with self._mutex:
            if mine.is_set():  # it came at the last moment
                return
            self._waiting.remove(mine)
        raise QueueTimeout

    def _pass_on(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
