"""Folds the WAL into the file when the writes pause, so that the file alone is whole as often as can be.

Who copies a database by hand takes the file alone (docker cp), and who puts a backup in its place leaves the -wal. What
is folded in is in the copy, and an empty -wal is nobody's.
"""

import threading
import time
from collections.abc import Callable

import structlog

PAUSE = 1.0
"""Seconds without a write."""
AT_LATEST = 10.0
"""Seconds, while the writes do not pause."""

log = structlog.get_logger()


class Checkpoints:
    """`fold` brings what it can into the file, and says whether that was all. It is called by one thread."""

    def __init__(self, fold: Callable[[], bool]) -> None:
        self._fold = fold
        self._wrote, self._ending = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Also again, after `stop()`, and then it looks at once whether something was left."""
        if self._thread is None:
            self._ending.clear()
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()

    def wrote(self) -> None:
        """There is something to fold in."""
        self._wrote.set()

    def stop(self) -> None:
        """Returns when it folds no more."""
        self._ending.set()
        self._wrote.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wrote.wait()
            self._wait_for_a_pause()
            if not self._ending.is_set() and not self._folded():
                self._ending.wait(AT_LATEST)
                self._wrote.set()

    def _folded(self) -> bool:
        try:
            return self._fold()
        except Exception as error:
            log.error("An unexpected error while the log was folded in.", exc_info=error)
            return False

    def _wait_for_a_pause(self) -> None:
        until = time.monotonic() + AT_LATEST
        while not self._ending.is_set() and time.monotonic() < until:
            self._wrote.clear()
            self._ending.wait(PAUSE)
            if not self._wrote.is_set():
                return
