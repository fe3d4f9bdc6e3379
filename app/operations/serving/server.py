"""The web server around the app: one process, threads, a clean end on SIGTERM."""

import asyncio
import gc
import multiprocessing
import os
import resource
import socket
import sys
import threading
from contextlib import ExitStack
from functools import partial
from multiprocessing.synchronize import Event
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # pyright: ignore[reportPrivateImportUsage]
from granian.server import MPServer

from app import logs
from app.errors import CannotStart, Problem
from app.operations.serving.listening import bound, cant_listen, url
from app.operations.serving.loop import loop_of_server
from app.operations.serving.memory import release_free_memory
from app.operations.serving.shutdown import (
    ENDING,
    OUTLIVES_TERMINAL,
    RELEASE_SECONDS,
    STOP_SECONDS,
    Once,
    end_in_time,
    end_server_on_stop,
    end_with_parent,
    end_without_closing,
    note_stop,
    say_how_worker_ended,
)
from app.settings import Settings
from app.storage.cant_open import MORE_FOR_PROCESS

if TYPE_CHECKING:
    from app.operations.serving.bridge import Bridge
    from app.web.context import WebApp
    from app.writer.instance import Instance

BACKLOG = 4096
MAX_CONNECTIONS, FEWEST_CONNECTIONS = 6144, 64
"""Before anything is counted, each takes up to 55 KB: with 8,192 of them half bodies killed a container of 512 MB."""
SPARE_FILES = 256
"""Files and sockets that the process needs beside its connections."""
FEWEST_FILES = 128
"""With which an app starts at all. Before its first connection it has 53 open."""
IDLE_SECONDS, IDLE_SECONDS_BEHIND_PROXY = 15, 620
"""After these a connection without a request, or with half a head of one, is closed. A proxy that keeps connections to
the app must be the one that closes them, or it sends a request into one that is just being closed, and answers 502.
Google's load balancers keep them for 600 s, which is the longest of all that the stacks put in front
(https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries). Why one for all: docs/decisions.md."""
MAX_HEAD = 16 << 10
"""Bytes of a request's head, and of what is read ahead of a body. Each connection may have as much in memory before
anything is counted: with 64 KB the process took 430 MB for 4,000 heads that don't end (test_bodies.py). Node.js has the
same limit (https://nodejs.org/api/http.html#httpmaxheadersize)."""
WHILE_STARTING = 100_000
"""New objects after which the collector looks for what can go; Python's own 700 take a tenth of a start."""
SWITCH_SECONDS = 0.001
"""After these one thread makes room for another that wants to run. Python's own 5 ms let /healthz and a short request
wait for all of those that compute a page: with 64 connections that create, the 99th percentile of /healthz was 136 ms
and that of the list 1,640; with 1 ms they were 96 and 308, in turns on the same busy machine."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises CannotStart if the port is taken, exits with 1 if the app can't start."""
    # What the app writes, password hashes among it, is for its own user alone.
    os.umask(0o077)
    logs.init(settings.log_level)
    os.register_at_fork(after_in_child=note_stop)
    first = True
    while _serve_once(settings, host, port, requests_handover=first):
        first = False


def _serve_once(settings: Settings, host: str, port: int, *, requests_handover: bool) -> bool:
    """Runs a worker until SIGTERM. True if it ended because it lost the lease; exits with 1 on any other end."""
    lost = multiprocessing.Event()
    server = granian(settings, host, port)
    load = partial(_app_in_worker, settings, server.listening, (host, port), requests_handover, lost)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit:
        if not lost.is_set():
            raise
    finally:
        if not lost.is_set():
            say_how_worker_ended(server.exit_code, stopped=server.interrupt_signal)
    return lost.is_set() and not server.interrupt_signal


class Server(MPServer):
    """granian on a socket that is bound already. Its own is one a worker, and others may bind the same port then: two
    apps would share the requests without a word."""

    def __init__(self, listening: socket.socket, **given: Any) -> None:
        super().__init__("app", **given)
        self.listening = listening
        self._interrupted = Once()
        self.exit_code: int | None = None
        """The worker's, once it has ended; negative if a signal killed it."""

    def signal_handler_interrupt(self, *_: Any, **__: Any) -> None:
        if self._interrupted.first():
            super().signal_handler_interrupt()

    def signal_handler_reload(self, *_: Any, **__: Any) -> None:
        """SIGHUP: the terminal was closed. granian would start another worker."""
        if not OUTLIVES_TERMINAL:
            self.signal_handler_interrupt()

    def _init_shared_socket(self) -> None:
        self._ssp, self._sso = None, self.listening
        self._shd = SocketHolder(self.listening.fileno(), False, BACKLOG)  # pyright: ignore[reportCallIssue]

    def _stop_workers(self) -> None:
        processes = [worker.inner for worker in self.wrks]
        super()._stop_workers()
        self.exit_code = processes[0].exitcode if processes else None


def granian(settings: Settings, host: str, port: int) -> Server:
    """The server with its limits; what it serves is an ASGI app.

    Raises CannotStart if the port is taken, or it may not have the files that it needs.
    """
    most = _most_connections()
    idle = IDLE_SECONDS_BEHIND_PROXY if settings.trusted_proxies else IDLE_SECONDS
    return Server(
        bound(host, port),
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        loop=loop_of_server(),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=idle * 1000, max_buffer_size=MAX_HEAD),
        workers=1,
        backlog=BACKLOG,
        backpressure=most,
        workers_kill_timeout=STOP_SECONDS,
        websockets=False,
        log_enabled=False,
        log_level=LogLevels.warning,
    )


def _most_connections() -> int:
    """Each takes a file descriptor, of which a process may have 1024 only, unless it asks for more.

    Raises CannotStart where it may not have FEWEST_FILES.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft != resource.RLIM_INFINITY and soft < FEWEST_FILES:
        raise CannotStart(
            f"This process may have {soft} files and connections open, and needs {FEWEST_FILES} at least.",
            MORE_FOR_PROCESS,
        )
    most = MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft - SPARE_FILES)
    return max(most, FEWEST_CONNECTIONS)


def _app_in_worker(
    settings: Settings, listening: socket.socket, where: tuple[str, int], requests_handover: bool, lost: Event
):
    """Runs in the worker process, which is the only one that opens the database."""
    note_stop()  # first: what follows takes a second, and before that the signals would be the parent's
    release_free_memory()
    usual = gc.get_threshold()
    gc.set_threshold(WHILE_STARTING)
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    sys.setswitchinterval(SWITCH_SECONDS)
    app = _app_on_database(settings, requests_handover, lost)
    _listen(listening, where, app.instance)
    bridge = _serving(app)
    gc.freeze()  # what a start makes stays, to a few objects: the collector need not look through it at all
    gc.set_threshold(*usual)
    structlog.get_logger().info(f"Task Assist answers on {url(*where)}")
    return bridge


def _app_on_database(settings: Settings, requests_handover: bool, lost: Event) -> "WebApp":
    """Ends the process where it can't be, or where that was told to end meanwhile."""
    from app import create_app

    try:
        app = create_app(
            settings, requests_handover=requests_handover, on_lease_lost=partial(end_without_closing, lost)
        )
    except Problem as problem:
        print(f"task-assist: {problem}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)
    if ENDING.is_set():
        app.instance.stop()
        os._exit(0)
    return app


def _listen(listening: socket.socket, where: tuple[str, int], instance: "Instance") -> None:
    """Ends the process where another one listens there."""
    try:
        listening.listen(BACKLOG)
    except OSError as error:
        print(f"task-assist: {cant_listen(*where, error)}", file=sys.stderr, flush=True)  # noqa: T201
        instance.stop()
        os._exit(1)


def _serving(app: "WebApp") -> "Bridge":
    """With what goes on beside its requests, and ends with the process: the control socket and the backups."""
    from app.operations.control.control_commands import listen
    from app.operations.serving.bridge import Bridge

    loop, instance = asyncio.get_event_loop(), app.instance
    bridge = Bridge(app, instance, loop)
    end = ExitStack()  # the last first
    # A request may go on in its thread though its client has gone, and with it what the server waits for.
    end.callback(instance.stop, RELEASE_SECONDS)
    if control := listen(instance):
        end.callback(control.close)
    if app.settings.backup_url:
        from app.operations.backups.backup_runner import run_backups

        end.callback(run_backups(app.settings, instance).stop)
    # The worker ends without atexit; finalizers are what multiprocessing runs.
    Finalize(app, end.close, exitpriority=10)
    threading.Thread(target=end_in_time, args=(instance, lambda: bridge.unanswered, end.close), daemon=True).start()
    loop.call_soon(end_server_on_stop, loop, bridge)
    return bridge
