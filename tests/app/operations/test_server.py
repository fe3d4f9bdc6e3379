"""The process: it starts, says what stops it from starting, and ends cleanly on SIGTERM."""

import http.client
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from granian.constants import HTTPModes, Interfaces

from app.errors import CannotStart
from app.operations.serving import server, shutdown
from app.settings import load
from app.storage.mounts import storage_under
from app.writer.gate import MAX_DRAIN_WAIT
from app.writer.lease import lease_of
from tests.app.processes import (
    WITHIN,
    Serving,
    all_of,
    ask,
    eventually,
    exchange,
    signal_all,
    wait_until_ready,
)
from tests.ports import free_port

FULL_PIPE = """
import os, signal, time
from app.operations.serving import bridge, shutdown
made = bridge.Bridge.__init__
def stop_with_a_full_pipe(loop):
    try:
        while True:
            loop._csock.send(bytes(4096))
    except BlockingIOError:
        os.kill(os.getppid(), signal.SIGTERM)
    until = time.monotonic() + 3
    while not shutdown.ENDING.is_set() and time.monotonic() < until:
        time.sleep(0.01)
def made_and_full_soon(self, app, instance, loop):
    made(self, app, instance, loop)
    loop.call_later(0.5, stop_with_a_full_pipe, loop)
bridge.Bridge.__init__ = made_and_full_soon
"""
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


def test_a_write_whose_client_has_gone_is_waited_for(running, tmp_path: Path, port: int):
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with closing(socket.create_connection(("127.0.0.1", port))) as asking:
            asking.sendall(post(b'{"title": "late"}'))
            time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        time.sleep(MAX_DRAIN_WAIT + 0.5)
        other.execute("ROLLBACK")
    assert running.wait(timeout=20) == 0
    assert is_released(tmp_path) and "was not released" not in running.said
    with closing(sqlite3.connect(tmp_path / "a.db")) as left:
        assert left.execute("SELECT title FROM work_items").fetchall() == [("late",)]


def test_half_a_head_does_not_hold_a_stop_up_until_it_is_killed(running, tmp_path: Path, port: int):
    with closing(socket.create_connection(("127.0.0.1", port))) as asking:
        asking.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
    assert is_released(tmp_path) and "cut off" not in running.said


def test_a_stop_leaves_no_traceback_in_the_log(tmp_path: Path):
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        port = free_port()
        process = Serving(tmp_path, port)
        wait_until_ready(port, process)
        signal_all(process, each)  # as Ctrl-C on a terminal does, and closing it
        assert process.wait(timeout=20) == 0
        assert is_released(tmp_path)
        assert "Traceback" not in process.said and "ignored" not in process.said, process.said


def test_ctrl_c_again_and_again_ends_it_all_the_same(tmp_path: Path):
    for _ in range(3):
        port = free_port()
        process = Serving(tmp_path, port)
        wait_until_ready(port, process)
        for _ in range(20):
            with suppress(ProcessLookupError):
                signal_all(process, signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert is_released(tmp_path), process.said


def test_what_a_stop_begins_is_not_begun_again_by_the_next_signal(monkeypatch):
    begun = []
    monkeypatch.setattr(server.MPServer, "signal_handler_interrupt", lambda *_: begun.append(1))
    made = server.granian(load({}), "127.0.0.1", free_port())
    made.listening.close()
    for _ in range(3):
        made.signal_handler_interrupt()
    assert begun == [1]


def test_one_that_was_started_with_nohup_outlives_its_terminal(tmp_path: Path, port: int):
    process = Serving(tmp_path, port, before="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    wait_until_ready(port, process)
    signal_all(process, signal.SIGHUP)
    time.sleep(0.5)
    assert ask(port, "GET", "/readyz").status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_a_connection_without_a_request_is_closed_and_so_is_one_with_half_a_head(tmp_path: Path, port: int):
    process = Serving(tmp_path, port, before="from app.operations.serving import server; server.IDLE_SECONDS = 1")
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
        made = server.granian(load(environment), "127.0.0.1", free_port())
        made.listening.close()
        assert made.http1_settings
        return made.http1_settings.header_read_timeout / 1000

    assert kept() == server.IDLE_SECONDS
    assert kept(TRUSTED_PROXIES="1") == server.IDLE_SECONDS_BEHIND_PROXY > 600


def test_it_speaks_http_1_alone_and_takes_as_many_connections_as_are_measured():
    made = server.granian(load({}), "127.0.0.1", free_port())
    made.listening.close()
    assert (made.http, made.interface) == (HTTPModes.http1, Interfaces.ASGINL)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert made.backpressure == min(server.MAX_CONNECTIONS, files - server.SPARE_FILES)


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


def test_with_too_few_files_it_does_not_start_and_says_how_to_give_it_more(monkeypatch):
    given, most = [20, 20], []
    monkeypatch.setattr(server.resource, "getrlimit", lambda _: tuple(given))
    monkeypatch.setattr(server.resource, "setrlimit", lambda _, limits: most.append(limits))
    with pytest.raises(CannotStart, match=r"may have 20 files and connections open, and needs 128") as refused:
        server.granian(load({}), "127.0.0.1", free_port())
    assert "ulimit -n" in refused.value.hint and "--ulimit nofile=" in refused.value.hint
    given[:] = [20, 128]
    server.granian(load({}), "127.0.0.1", free_port()).listening.close()
    assert most[-1] == (128, 128)


def test_a_stop_is_heard_though_the_pipe_that_wakes_the_loop_is_full(tmp_path: Path, port: int):
    """Under load it is: each request wakes the loop through it, and the signal's own byte finds no room."""
    process = Serving(tmp_path, port, before=FULL_PIPE, LOG_LEVEL="warning")
    wait_until_ready(port, process)
    began = time.monotonic()
    assert process.wait(20) == 0
    assert time.monotonic() - began < shutdown.STOP_SECONDS, "it was killed"
    assert is_released(tmp_path) and process.said == ""


@pytest.mark.parametrize("after", [0.3, 0.6, 0.9, 1.2])
def test_a_stop_at_any_moment_of_a_start_is_heard(tmp_path: Path, port: int, after: float):
    process = Serving(tmp_path, port)
    eventually(lambda: is_hearing(process))  # before that it is Python that starts
    time.sleep(after)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "was cut off" not in process.said, "it ended by itself, and was not killed"
    assert not (tmp_path / "a.db-wal").exists()
    assert not (tmp_path / "a.db.lease").exists() or is_released(tmp_path)


def is_hearing(process: Serving) -> bool:
    """Does it do something of its own at SIGTERM? proc_pid_status(5)"""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def test_the_worker_ends_when_the_process_that_looks_after_it_was_killed(running, tmp_path: Path, port: int):
    running.kill()
    eventually(lambda: is_released(tmp_path))
    with pytest.raises(ConnectionError):
        ask(port, "GET", "/healthz")


def test_a_worker_that_was_killed_is_told_in_the_log(running):
    os.kill(all_of(running)[1], signal.SIGKILL)
    assert running.wait(20) == 1
    assert "killed from outside (SIGKILL)" in running.said and "memory" in running.said


def test_who_reads_nothing_of_an_answer_is_cut_off(tmp_path: Path, port: int):
    soon = "from app.operations.serving import listening; listening.READS_WITHIN = 1"
    process = Serving(tmp_path, port, before=soon)
    wait_until_ready(port, process)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        eventually(lambda: connections(process) == 1)
        eventually(lambda: connections(process) == 0)
    assert ask(port, "GET", "/").status == 200
    process.terminate()
    assert process.wait(20) == 0


def connections(process: Serving) -> int:
    """TCP connections that the worker has open. proc_pid_net(5), whose state 01 is established"""
    worker = all_of(process)[1]
    lines = Path(f"/proc/{worker}/net/tcp").read_text().splitlines()[1:]
    established = {line.split()[9] for line in lines if line.split()[3] == "01"}
    opened = []
    for file in Path(f"/proc/{worker}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            opened.append(str(file.readlink()))
    return sum(name.startswith("socket:[") and name[8:-1] in established for name in opened)


@pytest.mark.parametrize(("host", "shown"), [("localhost", "localhost"), ("::1", "[::1]"), ("127.0.0.2", "127.0.0.2")])
def test_a_host_may_be_a_name_and_what_the_log_says_can_be_opened(tmp_path: Path, port: int, host: str, shown: str):
    process = Serving(tmp_path, port, host=host)
    eventually(lambda: f"http://{shown}:{port}" in process.said or process.poll() is not None)
    assert http_get(f"http://{shown}:{port}/healthz") == 200
    process.terminate()
    assert process.wait(20) == 0


def http_get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status


def test_a_host_that_is_no_address_of_this_machine_is_told(tmp_path: Path, port: int):
    process = Serving(tmp_path, port, host="nowhere.invalid")
    assert process.wait(30) == 1
    assert "There is no address nowhere.invalid" in process.said and "--host" in process.said


def test_of_two_that_start_at_once_on_one_port_one_says_that_it_is_taken(tmp_path: Path, port: int):
    folders = [tmp_path / name for name in ("first", "second")]
    for each in folders:
        each.mkdir()
    processes = [Serving(each, port) for each in folders]
    eventually(lambda: any(each.poll() is not None for each in processes))
    (loser,) = (each for each in processes if each.poll() is not None)
    (winner,) = (each for each in processes if each is not loser)
    assert loser.returncode == 1 and "Can't listen on" in loser.said and "--port" in loser.said
    wait_until_ready(port, winner)
    winner.terminate()
    assert winner.wait(20) == 0


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
from app.operations.serving import bridge
made = bridge.Bridge.__init__
def slowly_made(*given):
    made(*given)
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(1)  # until the worker has it
bridge.Bridge.__init__ = slowly_made
"""
    process = Serving(tmp_path, port, before=slowly)
    eventually(lambda: "Task Assist answers" in process.said)
    assert process.wait(timeout=20) == 0
    assert "was cut off" not in process.said, "it ended by itself, and was not killed"
    assert is_released(tmp_path) and "Traceback" not in process.said


def is_released(folder: Path) -> bool:
    return lease_of(storage_under(folder / "a.db")).observe().state == "released"


def test_the_process_beside_the_worker_loads_nothing_of_the_database():
    loaded = "import sys, app.operations.serving.server; print('sqlalchemy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_a_request_that_does_not_end_is_cut_off_before_docker_kills(tmp_path: Path, port: int):
    endless = """
import time
from app.operations.serving import bridge
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
    assert f"Can't listen on http://localhost:{port}" in process.said and "--port" in process.said


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
