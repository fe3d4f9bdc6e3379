"""The web server around the app: one process, threads, a clean end on SIGTERM."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from multiprocessing.synchronize import Event
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

import structlog
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app import logs
from app.errors import CannotStart, Problem
from app.settings import THREADS, Settings

if TYPE_CHECKING:
    from app.writer.instance import Instance  # only the worker imports it, and SQLAlchemy with it

SERVER_THREADS = 3 * THREADS
"""Answer at once. THREADS of them are in the database at most; the others may wait for a hand-over."""
LAST_ANSWERS = 1.0
"""Seconds that a worker which lost the lease has to say so to those who wait."""
STOP_SECONDS = 8
"""How long running requests may take after SIGTERM. Docker kills after 10."""
RELEASE_SECONDS = 4
"""How long after SIGTERM the database is released though a request goes on outside it: its body comes slowly, say."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises CannotStart if the port is taken, exits with 1 if the app can't start."""
    # What the app writes, password hashes among it, is for its own user alone.
    os.umask(0o077)
    logs.init(settings.log_level)
    _refuse_taken_port(host, port)
    first = True
    while _serve_once(settings, host, port, asks=first):
        first = False


def _serve_once(settings: Settings, host: str, port: int, *, asks: bool) -> bool:
    """Runs a worker until SIGTERM. True if it ended because it lost the lease; exits with 1 on any other end."""
    lost = multiprocessing.Event()
    server = Granian(
        "app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=SERVER_THREADS,
        workers_kill_timeout=STOP_SECONDS,
        websockets=False,
        log_enabled=False,
        log_level=LogLevels.warning,
    )
    try:
        server.serve(target_loader=partial(_app_in_worker, settings, host, port, asks, lost), wrap_loader=False)
    except SystemExit:
        if not lost.is_set():
            raise
    return lost.is_set() and not server.interrupt_signal


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # Bound but not listening: whoever looks whether the app is there yet is refused, and not cut off.
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise CannotStart(
            f"Can't listen on {host}:{port}: {error.strerror}.", "Choose another port:  task-assist serve --port 8080"
        ) from None


def _app_in_worker(settings: Settings, host: str, port: int, asks: bool, lost: Event):
    """Runs in the worker process, which is the only one that opens the database."""
    from app import create_app
    from app.operations.control_commands import listen

    ending = _told_to_end()
    try:
        app = create_app(settings, asks=asks, lost=partial(_end_without_closing, lost))
    except Problem as problem:
        print(f"task-assist: {problem}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)
    # The worker ends without atexit; finalizers are what multiprocessing runs.
    instance = app.extensions["instance"]
    if ending.is_set():
        instance.stop()
        os._exit(0)
    threading.Thread(target=_release_in_time, args=(instance, ending), daemon=True).start()
    Finalize(app, instance.stop, exitpriority=10)
    if control := listen(instance):
        Finalize(control, control.close, exitpriority=20)
    structlog.get_logger().info(f"Task Assist answers on http://{'localhost' if host == '127.0.0.1' else host}:{port}")
    return app


def _told_to_end() -> threading.Event:
    """Set by SIGTERM and Ctrl-C from now on, whoever handles them: the server does so only when the app is there."""
    ending = threading.Event()
    hearing, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno())

    def hear(_kept_open: socket.socket) -> None:
        while hearing.recv(1)[0] not in (signal.SIGTERM, signal.SIGINT):
            pass
        ending.set()

    threading.Thread(target=hear, args=(told,), daemon=True).start()
    return ending


def _release_in_time(instance: "Instance", ending: threading.Event) -> None:
    """The worker is killed when a request doesn't end, and then it can't release any more."""
    ending.wait()
    time.sleep(RELEASE_SECONDS)
    instance.stop()


def _end_without_closing(lost: Event) -> None:
    """SQLite removes the -wal by its name when a file is closed, and by that name it is another instance's now."""
    lost.set()
    time.sleep(LAST_ANSWERS)
    os._exit(1)
