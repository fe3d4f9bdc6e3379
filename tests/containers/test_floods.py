"""Everything at once in a container of 512 MB, as the smallest machines of the clouds have: it answers, and forgets
nothing that it acknowledged."""

import re
import resource
import socket
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from tests.app.operations.watching import Health
from tests.containers.conftest import Run
from tests.containers.running import WITHOUT_SIGN_IN, Container, Site, docker
from tests.ports import free_port

pytestmark = pytest.mark.long

FAT = b"&".join(b"%d=" % number for number in range(150_000))
IDLE, HALF = 5000, 1060
SECONDS = 12
"""Longer than a body may take, so that the slow ones are cut off meanwhile."""
RECOVERS_WITHIN = 15


def peak_mb(container: Container) -> float:
    """The most memory that its processes had, each by itself."""
    said = docker("exec", container.name, "sh", "-c", "cat /proc/[0-9]*/status").stdout
    processes = [process for process in said.split("Name:") if "task-assist" in process or "python" in process]
    return sum(int(kilobytes) for process in processes for kilobytes in re.findall(r"VmHWM:\s+(\d+)", process)) / 1024


def request(path: str, body: bytes, length: int) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + body


def send(port: int, whole: bytes) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(whole)
        connection.recv(1 << 16)


def writers(site: Site, until: float, acknowledged: list[str]) -> list[threading.Thread]:
    def write(number: int) -> None:
        own, count = Site(site.port), 0
        while time.monotonic() < until:
            title = f"{number}-{count}"
            if own.post("/api/v1/work-items", json={"title": title}).status_code == 201:
                acknowledged.append(title)
            count += 1

    return [threading.Thread(target=write, args=(number,)) for number in range(16)]


def send_slowly(port: int, answers: list[bytes]) -> None:
    """A byte a second, until there is an answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request("/work-items", b"t", 100))
        connection.settimeout(1)
        answer = b""
        while not answer:
            try:
                answer = connection.recv(1 << 16)
            except TimeoutError:
                connection.sendall(b"x")
        answers.append(answer)


@pytest.fixture
def many_files():
    """Each connection is an open file of this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("many_files")
def test_half_and_slow_bodies_idle_connections_fat_forms_and_writers_at_once(run: Run, volume: str):
    port, acknowledged, slow = free_port(), [], []
    # In the host's network: the engine's own proxy for a published port gives up at 4,000 connections.
    given = ("--network", "host", "--memory", "512m", "--volume", f"{volume}:/app/data")
    container = run(*WITHOUT_SIGN_IN, *given, command=("task-assist", "serve", "--port", str(port)))
    container.site.port = port
    container.wait_until_ready()
    with Health(port) as health, ExitStack() as opened:
        for number in range(IDLE + HALF):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            if number < HALF:
                connection.sendall(request("/work-items", b"t", 100))
        until = time.monotonic() + SECONDS
        threads = writers(container.site, until, acknowledged)
        threads += [threading.Thread(target=send_slowly, args=(port, slow)) for _ in range(20)]
        threads += [threading.Thread(target=send, args=(port, request("/sign-in", FAT, len(FAT)))) for _ in range(20)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        ended = time.monotonic()
        # The idle connections and those of the half bodies are still there.
        assert container.site.post("/api/v1/work-items", json={"title": "afterwards"}).status_code == 201
        assert time.monotonic() - ended < RECOVERS_WITHIN
    assert len(slow) == 20 and all(answer.startswith(b"HTTP/1.1 408") for answer in slow)
    health.assert_quick()
    assert acknowledged and set(acknowledged) <= container.site.item_titles()
    assert container.state("OOMKilled") == "false"
    assert peak_mb(container) < 300
