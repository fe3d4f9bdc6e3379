"""Two instances of the app as processes on one database: redeployed, killed, suspended, and nothing is lost."""

import http.client
import json
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.app.backup.databases import titles
from tests.app.processes import WITHIN, Serving, ask, eventually, signal_all, wait_until_ready
from tests.ports import free_port

pytestmark = pytest.mark.long


class Running:
    """An instance of the app as a process on a port of its own."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.port = free_port()
        self.process = Serving(folder, self.port, DATABASE_STORAGE=profile)

    def status(self, path: str = "/readyz") -> int | None:
        try:
            return ask(self.port, "GET", path).status
        except (OSError, http.client.HTTPException):
            return None

    def health(self) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=30) as answer:
            return json.load(answer)

    def end(self) -> None:
        if self.process.poll() is None:
            signal_all(self.process, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    started: list[Running] = []

    def run(profile: str) -> Running:
        started.append(Running(tmp_path, profile))
        return started[-1]

    yield run
    for each in started:
        each.end()


class Load:
    """Writes one item after another to whatever `target` gives, and keeps what was acknowledged and what failed."""

    def __init__(self, target: Callable[[], Running]) -> None:
        self.acknowledged: list[str] = []
        self.failed: list[object] = []
        self._target, self._over = target, threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            try:
                answer = ask(self._target().port, "POST", "/api/v1/work-items", {"title": f"item {number}"})
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(error)
                continue
            if answer.status == 201:
                self.acknowledged.append(f"item {number}")
            else:
                self.failed.append(answer.status)

    def end(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize("profile", ["shared", "exclusive"])
def test_a_redeploy_fails_no_request(run, tmp_path: Path, profile: str):
    instances = [run(profile)]
    wait_until_ready(instances[0].port, instances[0].process)
    load = Load(lambda: instances[-1])
    for _ in range(3):
        new = run(profile)
        eventually(lambda new=new: new.status("/healthz") == 200)
        instances.append(new)
        eventually(lambda new=new: new.status() == 200)
        old = instances[-2]
        assert old.health()["status"] == "standby" and not old.health()["database"]["writer"]
        old.process.terminate()
        assert old.process.wait(WITHIN) == 0
    load.end()
    assert load.failed == []
    instances[-1].process.terminate()
    assert instances[-1].process.wait(WITHIN) == 0
    assert set(load.acknowledged) == set(titles(tmp_path / "a.db"))


@pytest.mark.parametrize("profile", ["shared", "exclusive"])
def test_after_kill_9_the_standby_goes_on_with_all_that_was_acknowledged(run, tmp_path: Path, profile: str):
    standby = run(profile)
    wait_until_ready(standby.port, standby.process)
    writer = run(profile)
    wait_until_ready(writer.port, writer.process)
    load = Load(lambda: writer)
    time.sleep(1)
    signal_all(writer.process, signal.SIGKILL)
    load.end()
    eventually(lambda: standby.status() == 200)
    assert ask(standby.port, "POST", "/api/v1/work-items", {"title": "after"}).status == 201
    standby.process.terminate()
    assert standby.process.wait(WITHIN) == 0
    assert load.acknowledged and {*load.acknowledged, "after"} <= set(titles(tmp_path / "a.db"))


def test_a_writer_that_was_suspended_finds_itself_fenced_and_comes_back_as_a_standby(run, tmp_path: Path):
    standby = run("exclusive")
    wait_until_ready(standby.port, standby.process)
    writer = run("exclusive")
    wait_until_ready(writer.port, writer.process)
    assert ask(writer.port, "POST", "/api/v1/work-items", {"title": "before"}).status == 201
    signal_all(writer.process, signal.SIGSTOP)
    eventually(lambda: standby.status() == 200)
    assert ask(standby.port, "POST", "/api/v1/work-items", {"title": "meanwhile"}).status == 201
    signal_all(writer.process, signal.SIGCONT)
    assert ask(writer.port, "POST", "/api/v1/work-items", {"title": "too late"}).status == 503
    eventually(lambda: writer.status("/healthz") == 200 and writer.status() == 503)
    assert writer.process.poll() is None
    standby.process.terminate()
    assert standby.process.wait(WITHIN) == 0
    eventually(lambda: writer.status() == 200)
    writer.process.terminate()
    assert writer.process.wait(WITHIN) == 0
    assert titles(tmp_path / "a.db") == ["before", "meanwhile"]
