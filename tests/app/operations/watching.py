"""What a running app must keep to whatever else goes on: quick answers to /healthz, and its memory."""

import threading
import time
from pathlib import Path

from tests.app.processes import Serving, all_of, ask


class Health:
    """Asks for /healthz all the time, and how late its own process is meanwhile: a machine that is busy with other
    things makes both late."""

    def __init__(self, port: int) -> None:
        self._port, self._seconds, self._late = port, [], []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._ask, self._tick)]

    def __enter__(self) -> "Health":
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for each in self._threads:
            each.join()

    def _ask(self) -> None:
        while not self._done.wait(0.003):
            began = time.monotonic()
            assert ask(self._port, "GET", "/healthz").status == 200
            self._seconds.append(time.monotonic() - began)

    def _tick(self) -> None:
        while not self._done.is_set():
            began = time.monotonic()
            time.sleep(0.005)
            self._late.append(time.monotonic() - began - 0.005)

    def assert_quick(self) -> None:
        assert len(self._seconds) > 200
        late, seconds = sorted(self._late), sorted(self._seconds)
        allowed = 0.1 + 3 * late[-len(late) // 100]
        assert seconds[-len(seconds) // 100] < allowed, f"{seconds[-5:]}, the machine {late[-5:]}"


def memory(process: Serving) -> float:
    """MB of all its processes, what they share counted once for each."""
    status = [Path(f"/proc/{number}/status").read_text() for number in all_of(process)]
    return sum(int(line.split()[1]) for text in status for line in text.splitlines() if line.startswith("VmRSS")) / 1024
