"""People at work: threads that add, change, delete and read tasks, and hold each answer to what was told before."""

import http.client
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tests.adversary.records import Records

THREADS = 4
PAUSE = 0.02
"""Seconds between two requests of a thread."""
AGAIN = 0.1
GIVE_UP = 30
TASKS_OF_AN_ITEM = 25
SAYS_NOTHING_CHANGED = re.compile(r"Nothing was changed[.,]")
LASTING = frozenset({"damaged", "replaced", "emptied", "strange_log", "broken_log"})
"""Codes of what only a person mends: until then no write may be acknowledged any more, and /readyz is red."""


@dataclass(frozen=True)
class Answer:
    """Status 0 is no answer."""

    status: int
    text: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def error(self) -> dict:
        """What the API says is wrong; empty where it says nothing of the kind."""
        try:
            return json.loads(self.text).get("error", {})
        except (ValueError, AttributeError):
            return {}


def ask(port: int, method: str, path: str, body: dict | None = None, timeout: float = GIVE_UP) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, response.read().decode())
    except (OSError, http.client.HTTPException):
        return Answer(0)
    finally:
        connection.close()


@dataclass
class Task:
    """A task that was acknowledged, with the change that was acknowledged last."""

    mark: str
    id: int
    change: int = 0


class Load:
    """`port` may change while it runs. `wrong` is what no answer may ever be, in words."""

    def __init__(self, records: Records, seed: int) -> None:
        self.records, self.port = records, 0
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._lasting: dict[str, float] = {}
        self._working, self._ended = threading.Event(), threading.Event()
        self._pausing, self._pauses = threading.Lock(), 0
        self._at_work = [threading.Lock() for _ in range(THREADS)]
        self._generation = 0
        self._threads = [threading.Thread(target=self._work, args=(n, seed + n), daemon=True) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def begin(self) -> None:
        """Unless it is paused just now."""
        with self._pausing:
            if not self._pauses:
                self._working.set()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """In the block no request is on its way. May be nested."""
        with self._pausing:
            self._pauses += 1
            self._working.clear()
        for lock in self._at_work:
            with lock:
                pass
        try:
            yield
        finally:
            with self._pausing:
                self._pauses -= 1
            self.begin()

    def end(self) -> None:
        self._ended.set()
        self._working.set()
        for thread in self._threads:
            thread.join()

    def forget(self) -> None:
        """The rows may be others now: each thread begins anew. While it is paused, or nobody answers."""
        self._generation += 1

    def mended(self) -> None:
        """What was told before does not count any more."""
        self._lasting.clear()

    def note(self, answer: Answer, sent: float, what: str) -> None:
        """Holds an answer to those that came before it was asked for."""
        code = answer.error.get("code", "")
        self.statuses[f"{answer.status} {code}".strip()] += 1
        told = [each for each, when in self._lasting.items() if when < sent]
        if answer.ok and told:
            self.wrong.append(f"{what} was answered {answer.status} after the app had said: {', '.join(told)}")
        if code in LASTING:
            self._lasting.setdefault(code, time.monotonic())
        if code == "internal_error":
            self.wrong.append(f"{what} was answered by an unexpected error, without a cause")

    # --- one person ---------------------------------------------------------------------------------------

    def _work(self, number: int, seed: int) -> None:
        person = _Person(self, random.Random(seed))
        while not self._ended.is_set():
            self._working.wait()
            with self._at_work[number]:
                if self._working.is_set() and not self._ended.is_set():
                    person.step(self._generation)
            time.sleep(PAUSE)


class _Person:
    """Works on tasks of its own only, one request after the other, so it knows what each must be."""

    def __init__(self, load: Load, random: random.Random) -> None:
        self._load, self._random, self._generation = load, random, -1
        self._tasks: list[Task] = []
        self._item, self._left = 0, 0

    def step(self, generation: int) -> None:
        if generation != self._generation:
            self._generation, self._tasks, self._left = generation, [], 0
        dice = self._random.random()
        if not self._left:
            self._add_item()
        elif dice < 0.4 or not self._tasks:
            self._add_task()
        elif dice < 0.55:
            self._change_task(self._random.choice(self._tasks))
        elif dice < 0.6:
            self._delete_task(self._random.choice(self._tasks))
        elif dice < 0.95:
            self._read_task(self._random.choice(self._tasks))
        else:
            self._ask("GET", "/", what="The page")

    def _add_item(self) -> None:
        answer = self._write(uuid4().hex, 0, "POST", "/api/v1/work-items")
        if answer.ok:
            self._item, self._left = json.loads(answer.text)["id"], TASKS_OF_AN_ITEM

    def _add_task(self) -> None:
        mark = uuid4().hex
        answer = self._write(mark, 0, "POST", f"/api/v1/work-items/{self._item}/tasks")
        if answer.ok:
            self._tasks.append(Task(mark, json.loads(answer.text)["id"]))
            self._left -= 1

    def _change_task(self, task: Task) -> None:
        answer = self._write(task.mark, task.change + 1, "PATCH", f"/api/v1/tasks/{task.id}")
        if answer.ok:
            task.change += 1
        else:
            self._tasks.remove(task)  # it may be changed or not

    def _delete_task(self, task: Task) -> None:
        self._tasks.remove(task)
        self._write(task.mark, None, "DELETE", f"/api/v1/tasks/{task.id}")

    def _read_task(self, task: Task) -> None:
        answer = self._ask("GET", f"/api/v1/tasks/{task.id}", what="A read")
        right = answer.ok and json.loads(answer.text)["title"] == title_of(task.mark, task.change)
        if (answer.ok or answer.status == 404) and not right:
            self._load.wrong.append(f"A read of {title_of(task.mark, task.change)} was answered {answer.text}")

    def _write(self, mark: str, change: int | None, method: str, path: str) -> Answer:
        records = self._load.records
        before = records.asked(mark, change)
        answer = self._ask(method, path, None if change is None else {"title": title_of(mark, change)}, what="A write")
        if answer.ok:
            records.acknowledged(mark, change)
        elif SAYS_NOTHING_CHANGED.search(answer.text):
            records.refused(mark, before)
        return answer

    def _ask(self, method: str, path: str, body: dict | None = None, *, what: str) -> Answer:
        sent = time.monotonic()
        answer = ask(self._load.port, method, path, body)
        if method != "GET" or not answer.ok:  # what is damaged may still be read
            self._load.note(answer, sent, what)
        if not answer.ok:
            time.sleep(AGAIN)
        return answer


def title_of(mark: str, change: int) -> str:
    return f"{mark} {change}"


def values_in(titles: list[str]) -> dict[str, int]:
    """Mark and change of each title."""
    return {mark: int(change) for mark, change in map(str.split, titles)}
