"""Many who change something at once: they wait for their turn instead of being refused, and nobody else waits."""

import http.client
import json
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.operations.serving.bridge import TURN_SECONDS
from tests.app.operations.watching import Health
from tests.app.processes import Serving, ask, wait_until_ready
from tests.ports import free_port

pytestmark = pytest.mark.long

SLOW_COMMITS = """
import time
from sqlalchemy import Engine, event

@event.listens_for(Engine, "commit")
def _as_on_a_slow_mount(connection):
    time.sleep(0.03)
"""


class Writers:
    """`number` connections that add work items, one after the other, for some seconds."""

    def __init__(self, port: int, number: int, seconds: float) -> None:
        self._port, self._until = port, time.monotonic() + seconds
        self.answers: list[tuple[int, float]] = []
        self._threads = [threading.Thread(target=self._write) for _ in range(number)]
        for each in self._threads:
            each.start()

    def _write(self) -> None:
        while time.monotonic() < self._until:
            began = time.monotonic()
            status = ask(self._port, "POST", "/api/v1/work-items", {"title": "one of many"}).status
            self.answers.append((status, time.monotonic() - began))

    def join(self) -> None:
        for each in self._threads:
            each.join()

    @property
    def added(self) -> int:
        return sum(status == 201 for status, _ in self.answers)


def count(port: int) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", "/api/v1/work-items?limit=1")
        return json.loads(connection.getresponse().read())["total"]


@pytest.mark.parametrize(
    ("number", "before"), [(16, ""), (64, ""), (200, SLOW_COMMITS)], ids=["16", "64", "slow mount"]
)
def test_none_is_refused_that_has_not_waited_and_health_is_quick(tmp_path: Path, number: int, before: str):
    port = free_port()
    process = Serving(tmp_path, port, before=before, LOG_LEVEL="warning")
    wait_until_ready(port, process)
    with Health(port) as health:
        writers = Writers(port, number, 4)
        writers.join()
    refused = [seconds for status, seconds in writers.answers if status != 201]
    assert writers.added > 0
    assert all(seconds >= TURN_SECONDS for seconds in refused), "refused before its turn, or too early"
    assert {status for status, _ in writers.answers} <= {201, 503}
    assert count(port) == writers.added, "what was acknowledged is there, and what was refused is not"
    health.assert_quick()
    assert ask(port, "POST", "/api/v1/work-items", {"title": "afterwards"}).status == 201
    process.terminate()
    assert process.wait(20) == 0
