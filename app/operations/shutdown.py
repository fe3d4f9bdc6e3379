"""What happens at SIGTERM and where the lease is lost: how long requests may run, and when the database is let go."""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from threading import Event as ThreadEvent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.writer.instance import Instance  # only the worker imports it, and SQLAlchemy with it

LAST_ANSWERS = 1.0
"""Seconds that a worker which lost the lease has to say so to those who wait."""
STOP_SECONDS = 8
"""How long running requests may take after SIGTERM. Docker kills after 10."""
RELEASE_SECONDS = 4
"""How long after SIGTERM the database is released though a request goes on outside it: its answer goes slowly, say."""


def on_stop(handler: Callable[..., None]) -> None:
    """Calls `handler` at SIGTERM and at Ctrl-C."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, handler)


def release_in_time(instance: "Instance", ending: ThreadEvent) -> None:
    """The worker is killed when a request doesn't end, and then it can't release any more."""
    ending.wait()
    time.sleep(RELEASE_SECONDS)
    instance.stop()


def end_without_closing(lost: Event) -> None:
    """SQLite removes the -wal by its name when a file is closed, and by that name it is another instance's now."""
    lost.set()
    time.sleep(LAST_ANSWERS)
    os._exit(1)
