"""The web server around the app: one process, threads, a clean end on SIGTERM."""

import os
import socket
import sys
from multiprocessing.util import Finalize

import structlog
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app import logs
from app.problems import CannotStart, Problem
from app.settings import THREADS, Settings

STOP_SECONDS = 8
"""How long running requests may take after SIGTERM. Docker kills after 10."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises CannotStart if the port is taken, exits with 1 if the app can't start."""
    # What the app writes, password hashes among it, is for its own user alone.
    os.umask(0o077)
    logs.init(settings.log_level)
    _refuse_taken_port(host, port)
    server = Granian(
        "app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        workers_kill_timeout=STOP_SECONDS,
        websockets=False,
        log_enabled=False,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=lambda: _app_in_worker(settings, host, port), wrap_loader=False)


def _refuse_taken_port(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise CannotStart(
            f"Can't listen on {host}:{port}: {error.strerror}.", "Choose another port:  task-assist serve --port 8080"
        ) from None


def _app_in_worker(settings: Settings, host: str, port: int):
    """Runs in the worker process, which is the only one that opens the database."""
    from app import create_app

    try:
        app = create_app(settings)
    except Problem as problem:
        print(f"task-assist: {problem}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)
    # The worker ends without atexit; finalizers are what multiprocessing runs.
    Finalize(app, app.extensions["database"].close, exitpriority=10)
    structlog.get_logger().info(f"Task Assist answers on http://{'localhost' if host == '127.0.0.1' else host}:{port}")
    return app
