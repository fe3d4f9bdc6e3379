"""The process: it starts, says what stops it from starting, and ends cleanly on SIGTERM."""

import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from app.operations import server, shutdown
from app.settings import load
from app.storage.mounts import storage_under
from app.writer.lease import lease_of
from tests.app.processes import WITHIN, Serving, ask, eventually, exchange, free_port, signal_all, wait_until_ready

DOCKER_KILLS_AFTER = 10
"""Seconds after `docker stop`, unless it is told otherwise."""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def running(tmp_path: Path, port: int):
    process = Serving(tmp_path, port)
    wait_until_ready(port, process)
    yield process
    process.kill()
    process.wait()


def post(body: bytes, length: int | None = None) -> bytes:
    """A request that adds a work item; with `length` it promises more than there is."""
    return (
        b"POST /api/v1/work-items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % (length or len(body))
    ) + body


def test_sigterm_lets_running_requests_end_closes_the_database_and_exits_with_0(running, tmp_path: Path, port: int):
    answers = []
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # the request waits for it, as for a slow disk
        asking = threading.Thread(target=lambda: answers.append(exchange(port, post(b'{"title": "late"}'))))
        asking.start()
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        time.sleep(1)
        other.execute("ROLLBACK")
    asking.join()
    assert answers[0].startswith(b"HTTP/1.1 201")
    assert running.wait(timeout=20) == 0
    left = sorted(file.name for file in tmp_path.glob("a.*"))
    assert left == ["a.db", "a.db.lease", "a.secret"], "the WAL is folded in"
    assert "Traceback" not in running.said and "ignored" not in running.said


def test_a_body_that_is_still_on_its_way_at_sigterm_is_told_to_come_back(running, tmp_path: Path, port: int):
    answers = []
    asking = threading.Thread(target=lambda: answers.append(exchange(port, post(b"{", 99))))
    asking.start()
    time.sleep(0.5)
    began = time.monotonic()
    running.send_signal(signal.SIGTERM)
    asking.join()
    assert answers[0].startswith(b"HTTP/1.1 503") and b"retry-after: 2" in answers[0]
    assert running.wait(timeout=20) == 0
    assert time.monotonic() - began < shutdown.RELEASE_SECONDS, "nothing was left to wait for"
    assert not (tmp_path / "a.db-wal").exists()
    assert is_released(tmp_path)


def test_a_stop_leaves_no_traceback_in_the_log(tmp_path: Path):
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        port = free_port()
        process = Serving(tmp_path, port)
        wait_until_ready(port, process)
        signal_all(process, each)  # as Ctrl-C on a terminal does
        assert process.wait(timeout=20) == 0
        assert "Traceback" not in process.said and "ignored" not in process.said, process.said


def test_a_connection_without_a_request_is_closed_and_so_is_one_with_half_a_head(tmp_path: Path, port: int):
    process = Serving(tmp_path, port, before="from app.operations import server; server.IDLE_SECONDS = 1")
    wait_until_ready(port, process)
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for sent in (b"", whole, whole[:20]):
        began = time.monotonic()
        answer = exchange(port, sent)  # returns when the server has closed
        assert 0.9 < time.monotonic() - began < 10
        assert answer.startswith(b"HTTP/1.1 200") == (sent == whole)
    process.terminate()
    assert process.wait(20) == 0


def test_behind_proxies_a_connection_is_kept_longer_than_they_keep_it():
    def kept(**environment: str) -> float:
        settings = server.granian(load(environment), "127.0.0.1", 1).http1_settings
        assert settings
        return settings.header_read_timeout / 1000

    assert kept() == server.IDLE_SECONDS
    assert kept(TRUSTED_PROXIES="1") == server.IDLE_SECONDS_BEHIND_PROXY > 600


def test_as_many_connections_are_taken_as_there_may_be_open_files(tmp_path: Path, port: int):
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))"
    process = Serving(tmp_path, port, before=few)
    wait_until_ready(port, process)
    with ExitStack() as opened:
        for _ in range(200):
            opened.enter_context(socket.create_connection(("127.0.0.1", port)))
        time.sleep(0.5)
    assert ask(port, "POST", "/api/v1/work-items", {"title": "still"}).status == 201
    process.terminate()
    assert process.wait(20) == 0
    assert "Traceback" not in process.said, process.said


def test_sigterm_in_the_middle_of_a_start_is_not_lost(tmp_path: Path, port: int):
    process = Serving(tmp_path, port, DATABASE_STORAGE="exclusive")
    while not (tmp_path / "a.db.lease/term-000000000001").exists():
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert is_released(tmp_path)


def test_nor_is_one_that_comes_before_the_server_listens_to_signals(tmp_path: Path, port: int):
    slowly = """
import os, signal, time
from app.operations import bridge
made = bridge.Bridge.__init__
def slowly_made(*given):
    made(*given)
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(1)  # until the worker has it
bridge.Bridge.__init__ = slowly_made
"""
    process = Serving(tmp_path, port, before=slowly)
    eventually(lambda: "Task Assist answers" in process.said)
    began = time.monotonic()
    assert process.wait(timeout=20) == 0
    assert time.monotonic() - began < shutdown.RELEASE_SECONDS - 1, "it ended by itself, and was not killed"
    assert is_released(tmp_path) and "Traceback" not in process.said


def is_released(folder: Path) -> bool:
    return lease_of(storage_under(folder / "a.db")).observe().state == "released"


def test_the_process_beside_the_worker_loads_nothing_of_the_database():
    loaded = "import sys, app.operations.server; print('sqlalchemy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_a_request_that_does_not_end_is_cut_off_before_docker_kills(tmp_path: Path, port: int):
    endless = """
import time
from app.operations import bridge
real = bridge.call
def call(wsgi, environ):
    if environ["PATH_INFO"] == "/endless":
        time.sleep(60)
    return real(wsgi, environ)
bridge.call = call
"""
    process = Serving(tmp_path, port, before=endless)
    wait_until_ready(port, process)
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(exchange(port, b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"))
    )
    asking.start()
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    eventually(lambda: is_released(tmp_path))
    assert time.monotonic() - began < shutdown.STOP_SECONDS, "the database was not released before the end"
    process.wait(timeout=WITHIN)
    assert time.monotonic() - began < DOCKER_KILLS_AFTER
    asking.join()
    assert answers == [b""]


def test_what_was_acknowledged_is_there_after_kill_9(running, tmp_path: Path, port: int):
    acknowledged = []

    def write() -> None:
        for number in range(10_000):
            try:
                if ask(port, "POST", "/api/v1/work-items", {"title": f"item {number}"}).status == 201:
                    acknowledged.append(f"item {number}")
            except (OSError, http.client.HTTPException):
                return

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(1)
    signal_all(running, signal.SIGKILL)
    writer.join()
    assert acknowledged
    import sqlite3

    with sqlite3.connect(tmp_path / "a.db") as database:
        titles = {title for (title,) in database.execute("SELECT title FROM work_items")}
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert set(acknowledged) <= titles


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TRUSTED_PROXIES": "many", "TZ": "Mars"}, "2 settings are wrong"),
        ({"APP_ENV": "production"}, "is not on a mount of its own"),
        ({"DATABASE_PATH": "/nowhere/a.db"}, "mkdir -p /nowhere"),
        ({"DATABASE_PATH": "/"}, "is a folder"),
    ],
)
def test_a_start_that_is_refused_says_why_in_words(tmp_path: Path, port: int, environment, sentence: str):
    process = Serving(tmp_path, port, **environment)
    process.wait(30)
    said = process.said
    assert process.returncode == 1
    assert said.startswith("task-assist: ") and sentence in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("*.db"))


def test_a_taken_port_is_one_clear_line(tmp_path: Path, port: int):
    with socket.create_server(("127.0.0.1", port)):
        process = Serving(tmp_path, port)
        process.wait(30)
    assert process.returncode == 1
    assert f"Can't listen on 127.0.0.1:{port}" in process.said and "--port" in process.said


def test_the_log_of_a_container_is_json(tmp_path: Path, port: int):
    process = Serving(tmp_path, port)
    wait_until_ready(port, process)
    ask(port, "GET", "/?q=private")
    process.terminate()
    process.wait(20)
    said = process.said
    lines = [json.loads(line) for line in said.splitlines()]
    assert "GET /" in [line["event"] for line in lines]
    assert "private" not in said
    assert "/readyz" not in said
