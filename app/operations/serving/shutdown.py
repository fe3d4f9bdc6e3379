"""What happens at SIGTERM and where the lease is lost: how long requests may run, and when the database is let go."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from app.operations.serving.bridge import Bridge
    from app.writer.instance import Instance  # only the worker imports it, and SQLAlchemy with it

LAST_ANSWERS = 1.0
"""Seconds that a worker which lost the lease has to say so to those who wait."""
STOP_SECONDS = 8
"""How long running requests may take after SIGTERM. Docker kills after 10."""
RELEASE_SECONDS = 4
"""How long after SIGTERM the database is released though a request goes on outside it: its answer goes slowly, say."""
QUIET_SECONDS = 1
"""So long nothing came to be answered after SIGTERM: only connections are left, on which half a head has come, say."""
EXIT_SECONDS = 7
"""How long after SIGTERM the process ends though there are such connections, for which the server waits."""
ENDING = threading.Event()
"""Set in a process that was told to end, by `set_ending()`."""
OUTLIVES_TERMINAL = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
"""It was started with nohup."""

log = structlog.get_logger()


class Once:
    """True for the first who asks, False for all others. What a signal does must not be begun again by the next one
    that interrupts it: an Event's lock would be waited for by the thread that has it."""

    def __init__(self) -> None:
        self._taken = threading.Lock()

    def first(self) -> bool:
        return self._taken.acquire(blocking=False)


_ending_once = Once()


def on_stop(handler: Callable[..., None]) -> None:
    """Calls `handler` at SIGTERM, at Ctrl-C, and when the terminal is closed."""
    for each in (signal.SIGTERM, signal.SIGINT, *(() if OUTLIVES_TERMINAL else (signal.SIGHUP,))):
        signal.signal(each, handler)


def note_stop() -> None:
    """From now on a signal only sets ENDING, for who looks at it later."""
    on_stop(set_ending)


def set_ending(*_: object) -> None:
    if _ending_once.first():
        ENDING.set()


def end_server_on_stop(loop: Any, bridge: "Bridge") -> None:
    """Called once the loop runs: the server takes the signals before that. It hears of the first one all the same.

    Of a second one it must not: at times granian waits for ever then, with Python's lock in its hand. Ctrl-C is two of
    them, since the parent passes it on. And asyncio learns of a signal by a byte in the loop's wake-up pipe, which is
    dropped where that is full, and the server would go on until it is killed.
    """
    import asyncio  # late: before anything else a start sees to it that a signal ends it

    end_server = [loop._signal_handlers[signal.SIGTERM]]

    def end_in_loop() -> None:
        bridge.end()
        while end_server:
            end_server.pop()._run()

    def end(*_: object) -> None:
        set_ending()
        loop.call_soon_threadsafe(end_in_loop)

    on_stop(end)
    for each in loop._signal_handlers:  # what the byte leads to, also of a signal that came a moment ago
        loop._signal_handlers[each] = asyncio.Handle(end, (), loop)
    signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)  # full is no fault any more
    if ENDING.is_set():  # one came before the server listened to them
        signal.raise_signal(signal.SIGTERM)


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


def end_in_time(instance: "Instance", unanswered: Callable[[], int], end: Callable[[], None]) -> None:
    """Of the worker, which is killed after STOP_SECONDS, and then it can't release the database any more.

    `unanswered`: how many requests are. `end` is what the process does at its end.
    """
    ENDING.wait()
    told = time.monotonic()
    quiet_since = told
    while (now := time.monotonic()) < told + RELEASE_SECONDS and now < quiet_since + QUIET_SECONDS:
        if unanswered():
            quiet_since = now
        time.sleep(0.05)
    instance.stop(told + EXIT_SECONDS - now)
    time.sleep(max(0.0, told + EXIT_SECONDS - time.monotonic()))
    if not unanswered():
        end()
        os._exit(0)


def end_without_closing(lost: Event) -> None:
    """SQLite removes the -wal by its name when a file is closed, and by that name it is another instance's now."""
    lost.set()
    time.sleep(LAST_ANSWERS)
    os._exit(1)
