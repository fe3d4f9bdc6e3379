"""A steady load on the app, from inside a guest; writes down what was acknowledged, and nothing else counts.

Half of the requests add a task, the others read one that was acknowledged before. Every acknowledgement goes into a
file as it comes, one a line: the time it came (seconds since 1970) and the task's title, which is its own. At the end,
or on SIGTERM, the last line of the output is a JSON object:

    acknowledged    tasks added, 201 received
    statuses        how often each HTTP status came; 0 is no answer: refused, cut off, or none within GIVE_UP_SECONDS
    missing         acknowledged tasks that a later read did not find
    longest         seconds of the slowest request that was answered with success
    failures        the first bodies that came with a 5xx

usage: python3 load.py PORT FILE [--threads 8] [--seconds 60] [--pause 0] [--sync]
"""

import argparse
import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

GIVE_UP_SECONDS = 15
AGAIN_SECONDS = 0.5


class Load:
    def __init__(self, port: int, file: Path, pause: float, *, sync: bool = False) -> None:
        self.port = port
        self.pause = pause
        self.stopping = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.missing: list[str] = []
        self.failures: list[str] = []
        self.longest = 0.0
        self._acknowledged: list[tuple[int, str]] = []
        self._lock = threading.Lock()
        # With `sync` a line is outside before the next request, so it outlives a guest whose power is cut.
        flags = os.O_WRONLY | os.O_CREAT | (os.O_DSYNC if sync else 0)
        self._file = open(file, "w", buffering=1, opener=lambda name, _: os.open(name, flags, 0o644))  # noqa: SIM115

    def run(self) -> None:
        """One thread of the load, until it is stopped."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=GIVE_UP_SECONDS)
        tasks = self._work_item(connection)
        while tasks and not self.stopping.wait(self.pause):
            if not self._acknowledged or random.random() < 0.5:
                self._add(connection, tasks)
            else:
                self._read(connection)

    def summary(self) -> dict:
        return {
            "acknowledged": len(self._acknowledged),
            "statuses": self.statuses,
            "missing": self.missing,
            "longest": round(self.longest, 2),
            "failures": self.failures,
        }

    def _work_item(self, connection: http.client.HTTPConnection) -> str:
        """The path of the tasks of a new work item; empty if the end comes first."""
        while not self.stopping.is_set():
            status, body = self._ask(connection, "POST", "/api/v1/work-items", {"title": "load"})
            if status == 201:
                return f"/api/v1/work-items/{body['id']}/tasks"
        return ""

    def _add(self, connection: http.client.HTTPConnection, tasks: str) -> None:
        title = uuid4().hex
        status, body = self._ask(connection, "POST", tasks, {"title": title})
        if status == 201:
            with self._lock:
                self._file.write(f"{time.time():.3f} {title}\n")
                self._acknowledged.append((body["id"], title))

    def _read(self, connection: http.client.HTTPConnection) -> None:
        task, title = random.choice(self._acknowledged)
        status, body = self._ask(connection, "GET", f"/api/v1/tasks/{task}")
        if status == 404 or (status == 200 and body["title"] != title):
            self.missing.append(title)

    def _ask(self, connection: http.client.HTTPConnection, method: str, path: str, body: dict | None = None):
        """The status and the JSON of an answer; 0 without one. Waits a little after a failure."""
        began = time.monotonic()
        try:
            connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
            response = connection.getresponse()
            status, text = response.status, response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            status, text = 0, b"{}"
        with self._lock:
            self.statuses[status] += 1
            if status >= 500 and len(self.failures) < 5:
                self.failures.append(text.decode(errors="replace")[:500])
            if 200 <= status < 300:
                self.longest = max(self.longest, time.monotonic() - began)
        if not 200 <= status < 500:
            self.stopping.wait(AGAIN_SECONDS)
        return status, json.loads(text) if status and status < 500 else {}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=0, help="seconds between two requests of a thread")
    parser.add_argument("--sync", action="store_true", help="write each acknowledgement through to the machine outside")
    wanted = parser.parse_args()
    load = Load(wanted.port, wanted.file, wanted.pause, sync=wanted.sync)
    signal.signal(signal.SIGTERM, lambda *_: load.stopping.set())
    threads = [threading.Thread(target=load.run) for _ in range(wanted.threads)]
    for thread in threads:
        thread.start()
    load.stopping.wait(wanted.seconds)
    load.stopping.set()
    for thread in threads:
        thread.join()
    print(json.dumps(load.summary()))


if __name__ == "__main__":
    main()
