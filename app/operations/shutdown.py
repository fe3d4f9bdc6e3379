"""What happens at SIGTERM and where the lease is lost: how long requests may run, and when the database is let go."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from threading import Event as ThreadEvent
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from app.writer.instance import Instance  # only the worker imports it, and SQLAlchemy with it

LAST_ANSWERS = 1.0
"""Seconds that a worker which lost the lease has to say so to those who wait."""
STOP_SECONDS = 8
"""How long running requests may take after SIGTERM. Docker kills after 10."""
RELEASE_SECONDS = 4
"""How long after SIGTERM the database is released though a request goes on outside it: its answer goes slowly, say."""
ENDING = ThreadEvent()
"""Set in a process that was told to end."""

log = structlog.get_logger()


def on_stop(handler: Callable[..., None]) -> None:
    """Calls `handler` at SIGTERM and at Ctrl-C."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, handler)


def note_stop() -> None:
    """From now on a signal only sets ENDING, for who looks at it later."""
    on_stop(lambda *_: ENDING.set())


def exit_at_once(*_: object) -> None:
    """What a signal does before anything was begun. The first process of a container ignores it by default."""
    os._exit(0)


def end_with_parent() -> None:
    """Where the process that looks after the worker was killed, nobody else would end it."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def say_how_worker_ended(exit_code: int | None, *, stopped: bool) -> None:
    """`exit_code` is negative where a signal killed it: then it could not say anything itself."""
    if exit_code is None or exit_code >= 0:
        return
    name = signal.Signals(-exit_code).name
    if stopped and exit_code == -signal.SIGKILL:
        log.warning(f"A request did not end within {STOP_SECONDS} s of the stop, and was cut off.")
    elif not stopped:
        log.error(
            f"The app's process was killed from outside ({name}). If that was for want of memory, the kernel's log says"
            " so (dmesg): give it more."
        )


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
