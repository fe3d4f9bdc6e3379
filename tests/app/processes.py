"""The app as processes of its own, on free ports of this machine."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

WITHIN = 60
"""Seconds after which a test gives up; what it waits for takes 20 at most on a quiet machine."""


def eventually(happens: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.05)


class Serving(subprocess.Popen):
    """The app as a process. Its log goes into a file: a pipe that nobody reads is full after 500 requests, and then
    they hang."""

    def __init__(
        self, folder: Path, port: int, *, before: str = "", host: str = "127.0.0.1", **environment: str
    ) -> None:
        """`before`: Python that runs in it before the app."""
        self._log = folder / f"{port}.log"
        where = ("--host", host, "--port", str(port))
        with self._log.open("ab") as log:
            super().__init__(
                [sys.executable, "-c", f"{before}\nfrom app.cli import main\nmain()", "serve", *where],
                env={**os.environ, "DATABASE_PATH": str(folder / "a.db"), "AUTH_DISABLED": "true", **environment},
                stderr=log,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()


def ask(port: int, method: str, path: str, body: dict | None = None) -> http.client.HTTPResponse:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer


def told(port: int, path: str) -> tuple[int, dict]:
    """The status of the answer, and the JSON in it."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def exchange(port: int, *parts: bytes, pause: float = 0, hang_up: bool = False) -> bytes:
    """What comes back when the parts are sent as they are, until the server closes; nothing if it only breaks off.

    `hang_up`: the client ends its side behind the last part, as one does whose connection breaks.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection, suppress(ConnectionError):
        answer = b""
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(1 << 16):
            answer += more
        return answer
    return b""


def wait_until_ready(port: int, process: Serving) -> None:
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        try:
            if ask(port, "GET", "/readyz").status == 200:
                return
        except OSError:
            assert process.poll() is None, process.said
        time.sleep(0.1)
    raise AssertionError(f"not ready after {WITHIN} s\n{process.said[-4000:]}")


def all_of(process: subprocess.Popen) -> list[int]:
    """The process and its workers."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [process.pid, *map(int, children)]


def signal_all(process: subprocess.Popen, number: signal.Signals) -> None:
    for each in all_of(process):
        os.kill(each, number)
