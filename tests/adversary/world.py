"""One volume, the app on it, a load on the app, and what a person can see of how it is."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from app.database.sqlite import opened, unchanging
from app.storage.mounts import Profile
from tests.adversary.bad_sector import BadSector
from tests.adversary.disk import Disk
from tests.adversary.load import Answer, Load, ask, values_in
from tests.adversary.records import Possible, Records
from tests.app.newer_code import newer_code
from tests.app.processes import Serving, all_of
from tests.ports import free_port

START_SECONDS = 120
"""How long a start may take; it takes 2 on a quiet machine, and 25 after a kill with the profile "exclusive"."""
NO_ANSWER = "no answer"
FOR_A_MOMENT = frozenset({"standby", "ending", "busy", "locked", NO_ANSWER})
NOT_OPENED = frozenset({"emptied", "strange_log", "broken_log", "replaced"})
"""The app stands by, and leaves the database to whoever mends it."""
ENOUGH = 20
"""Acknowledged writes before something happens."""
PAGE = 200


class Broken(AssertionError):
    """The app broke its promise: a row is lost without a word, or it says that it is well and isn't."""


@dataclass(frozen=True)
class Backup:
    """`held`: what the database may have held while it was made."""

    file: Path
    held: Possible


@dataclass(frozen=True)
class Seen:
    """How the app is: `code` is empty where all is well, else that of the refusal whose words `text` are."""

    code: str = ""
    text: str = ""

    @property
    def well(self) -> bool:
        return not self.code


class World:
    """Made anew for each deck of faults; `end()` takes all of it away."""

    def __init__(self, folder: Path, seed: int, profile: Profile) -> None:
        self.random = random.Random(seed)
        self.profile = profile
        self.folder = folder
        self.bad_sector = BadSector(folder)
        self.disk = Disk(folder / "disk.img", folder / "data")
        self.database = self.disk.folder / "task_manager.db"
        self.records = Records()
        self.load = Load(self.records, seed)
        self.backups: list[Backup] = []
        self.app: Serving | None = None
        self._before = ""
        self.examined: set[str] = set()
        """The codes of which the doctor has said what the app says."""

    def end(self, *, keep: bool = False) -> None:
        """`keep`: for whoever looks why; unmounted, with the logs."""
        self.load.end()
        self.kill()
        self.disk.unmount()
        if not keep:
            shutil.rmtree(self.folder)

    # --- the app ------------------------------------------------------------------------------------------

    def start(self) -> Serving:
        self.load.port = free_port()
        self.load.mended()  # or not: what it opens it looks at anew
        self.app = Serving(self.folder, self.load.port, before=self._before, **self._settings)
        return self.app

    @property
    def _settings(self) -> dict[str, str]:
        return {
            "DATABASE_PATH": str(self.database),
            "DATABASE_STORAGE": self.profile,
            "APP_ENV": "production",
            "PYTHONFAULTHANDLER": "1",
            **self.bad_sector.environment,
        }

    def bring_newer_code(self) -> None:
        """From now on a start knows one revision of the schema more."""
        self._before = newer_code(self.folder / "migrations")

    def kill(self) -> None:
        """kill -9 for the process and its worker."""
        if self.app:
            with suppress(FileNotFoundError, ProcessLookupError):
                for process in all_of(self.app):
                    os.kill(process, signal.SIGKILL)
            self.app.wait()

    def stop(self) -> int:
        """As a platform does: SIGTERM, and the exit code."""
        assert self.app
        self.app.terminate()
        return self.app.wait(START_SECONDS)

    def restart(self) -> None:
        if self.app and self.app.poll() is None:
            self.stop()
        self.start()

    @property
    def said(self) -> str:
        """By the app that runs, or ran last: its log."""
        assert self.app
        return self.app.said

    @property
    def end_of_log(self) -> str:
        """Without the requests, and whether it runs."""
        events = [line for line in self.said.splitlines() if '"status"' not in line]
        state = "It runs." if self.app and self.app.poll() is None else f"It ended: {self.app and self.app.returncode}."
        return "\n".join([state, *events[-20:]])

    def command(self, *words: str | Path) -> subprocess.Popen[str]:
        environment = {**os.environ, **self._settings, "AUTH_DISABLED": "true"}
        line = [sys.executable, "-c", f"{self._before}\nfrom app.cli import main\nmain()", *map(str, words)]
        return subprocess.Popen(
            line,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str | Path) -> tuple[int, str]:
        """A command of the app, to its end: exit code and all that it wrote."""
        running = self.command(*words)
        out, err = running.communicate(timeout=START_SECONDS)
        if "Traceback" in err:
            raise Broken(f"task-assist {' '.join(map(str, words))} ended with a traceback:\n{err}")
        return running.returncode, out + err

    # --- what is there ------------------------------------------------------------------------------------

    def look(self) -> Seen:
        """Waits until it answers, well or not, or has refused to start."""
        give_up = time.monotonic() + START_SECONDS
        while True:
            assert self.app
            if self.app.poll() is not None:
                return self._refusal_of_start()
            seen = self.ready()
            if seen.well:
                return self._look_at_page()
            if seen.code not in FOR_A_MOMENT:
                return seen
            if time.monotonic() > give_up:
                raise Broken(f"Neither well nor a refusal within {START_SECONDS} s: {seen}\n{self.end_of_log}")
            time.sleep(0.05)

    def ready(self) -> Seen:
        """What /readyz says just now."""
        answer = self.ask("/readyz")
        if answer.ok:
            return Seen()
        error = answer.error
        return Seen(error.get("code", NO_ANSWER), f"{error.get('message', '')}\n{error.get('hint', '')}")

    def _refusal_of_start(self) -> Seen:
        assert self.app
        _, found, words = self.said.rpartition("task-assist: ")
        if not found or "Traceback" in self.said or not self.app.returncode:
            raise Broken(f"It ended with {self.app.returncode} and without a refusal:\n{self.end_of_log}")
        return Seen("cannot_start", words.strip())

    def _look_at_page(self) -> Seen:
        """Ready is a promise: the page comes, or it is the first to meet what is wrong, and then it is red."""
        page = self.ask("/")
        if page.ok:
            return Seen()
        seen = self.ready()
        if seen.well:
            raise Broken(f"/ was answered {page.status}, and /readyz is green")
        return seen

    def ask(self, path: str) -> Answer:
        return ask(self.load.port, "GET", path)

    def held(self) -> dict[str, int] | None:
        """Mark and change of all rows, as the app gives them; None where it refuses to."""
        titles: list[str] = []
        items = self._listed("/api/v1/work-items")
        if items is None:
            return None
        for item in items:
            tasks = self._listed(f"/api/v1/work-items/{item['id']}/tasks") if item["tasks_total"] else []
            if tasks is None:
                return None
            titles += [item["title"], *(task["title"] for task in tasks)]
        return values_in(titles)

    def _listed(self, path: str) -> list[dict] | None:
        rows: list[dict] = []
        page: str | None = f"{path}?limit={PAGE}"
        while page:
            answer = self.ask(page)
            if not answer.ok:
                return None
            found = json.loads(answer.text)
            rows += found["items"]
            page = found["next"]
        return rows

    # --- what people do -----------------------------------------------------------------------------------

    def work(self) -> None:
        """People work until enough was acknowledged, and then for a random moment more."""
        before, give_up = self.acknowledged, time.monotonic() + START_SECONDS
        self.load.begin()
        while self.acknowledged < before + ENOUGH:
            if time.monotonic() > give_up:
                raise Broken(f"No writes are acknowledged: {self.load.statuses}, {self.ready()}\n{self.end_of_log}")
            time.sleep(0.02)
        self.wait_a_moment()

    @property
    def acknowledged(self) -> int:
        """Changes and reads of tasks that were."""
        return sum(count for status, count in self.load.statuses.items() if status.startswith("2"))

    def wait_a_moment(self, most: float = 0.5) -> None:
        time.sleep(self.random.uniform(0, most))

    def back_up(self) -> Backup:
        """A new backup; work goes on meanwhile. Raises Broken unless it is sound and holds what it must."""
        file = self.folder / f"{uuid4().hex}.db"
        with self.records.moment() as held:
            code, text = self.run("snapshot", file)
        if code:
            raise Broken(f"snapshot ended with {code}: {text}")
        return self.keep(Backup(file, held))

    def keep(self, backup: Backup) -> Backup:
        code, text = self.run("verify", backup.file)
        if code:
            raise Broken(f"verify of a backup that was done ended with {code}: {text}")
        self.backups.append(backup)
        return backup

    @property
    def new_name(self) -> Path:
        return self.folder / f"{uuid4().hex}.db"

    def put_back(self, backup: Backup) -> None:
        """The way back that each refusal names. What came after the backup is given up, and what can't be read.

        An app that has the database must be stopped for it; one that stands by goes on by itself.
        """
        running = self.app is not None and self.app.poll() is None
        if running and (self.ready().code not in NOT_OPENED or self.random.random() < 0.7):
            self.kill() if self.random.random() < 0.3 else self.stop()
            running = False
        with self.load.paused():
            code, text = self.run("restore", backup.file)
            if code and f"restore --no-keep {backup.file}" in text:
                code, text = self.run("restore", "--no-keep", backup.file)
            if code:
                raise Broken(f"restore ended with {code}: {text}")
            self.went_back_to(backup)
            if running:
                self.goes_on_by_itself()
            else:
                self.start()

    def goes_on_by_itself(self) -> None:
        """Returns when it is well."""
        if not eventually(lambda: self.ready().well, START_SECONDS):
            raise Broken(f"It was mended, and does not go on by itself: {self.ready()}")

    def went_back_to(self, backup: Backup) -> None:
        """To be told before anybody can reach it: an old id may be another row's there."""
        with self.load.paused():
            self.records.go_back(backup.held)
            self.load.forget()
            self.load.mended()


def held_by(file: Path) -> dict[str, int]:
    """The rows of a backup, read from the file."""
    with opened(unchanging(file), file) as connection:
        there = "SELECT title FROM {} WHERE deleted_at IS NULL"
        rows = connection.execute(f"{there.format('work_items')} UNION ALL {there.format('tasks')}")
        return values_in([title for (title,) in rows])


def eventually(happens: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
