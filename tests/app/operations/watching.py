"""What a running app must keep to whatever else goes on: quick answers to /healthz, and its memory.

As a program it asks for /healthz until its input ends. usage: watching.py PORT
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from tests.app.processes import Serving, all_of

ROOT = Path(__file__).parents[3]
ALLOWED = 0.1
"""Seconds for 99 of 100 answers, on a machine that does nothing else."""


class Health:
    """Asks for /healthz all the time, from a process of its own, which also sees how late it gets its turn: a machine
    that is busy with other things makes both late."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> "Health":
        self._asking = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds, self._late = json.loads(self._asking.communicate("")[0])

    def assert_quick(self) -> None:
        assert len(self._seconds) > 20
        seconds, late = percentile_99(self._seconds), percentile_99(self._late)
        # On its way an answer goes from thread to thread, and each time waits for its turn as long as that.
        assert seconds < ALLOWED + 10 * late, f"/healthz {seconds:.3f} s, the machine {late:.3f} s late"


def percentile_99(values: list[float]) -> float:
    return sorted(values)[-len(values) // 100]


def memory(process: Serving) -> float:
    """MB of all its processes, what they share counted once for each."""
    status = [Path(f"/proc/{number}/status").read_text() for number in all_of(process)]
    return sum(int(line.split()[1]) for text in status for line in text.splitlines() if line.startswith("VmRSS")) / 1024


def _ask(port: int, done: threading.Event, seconds: list[float]) -> None:
    while not done.wait(0.005):
        began = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
        assert answer.status == 200
        seconds.append(time.monotonic() - began)


def _watch(port: int) -> None:
    seconds: list[float] = []
    late: list[float] = []
    done = threading.Event()
    asking = threading.Thread(target=_ask, args=(port, done, seconds))
    asking.start()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    while not done.is_set():
        began = time.monotonic()
        time.sleep(0.005)
        late.append(time.monotonic() - began - 0.005)
    asking.join()
    json.dump([seconds, late], sys.stdout)


if __name__ == "__main__":
    _watch(int(sys.argv[1]))
