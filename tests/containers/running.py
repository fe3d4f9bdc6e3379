"""A running Task Assist in a container: how tests start it, wait for it, ask it and look into it."""

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
DATABASE = "/app/data/task_manager.db"
HARDENED = "--read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp".split()
WITHOUT_SIGN_IN = ["--env", "AUTH_DISABLED=true"]
START_SECONDS = 60
"""How long a start may take before a test gives up on it; far more than it needs, on a busy machine too."""
COMMAND_SECONDS = 600
"""After this a docker command counts as hung; a first build, with its downloads, is the longest."""

INTEGRITY = f"""
try:
    import pysqlite3 as sqlite3
except ImportError:
    import sqlite3
print(sqlite3.connect("file:{DATABASE}?mode=ro", uri=True).execute("PRAGMA integrity_check").fetchone()[0])
"""


def docker(*arguments: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    """One docker command; its output is in stdout, and in the error when it fails."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS, **options
    )
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(arguments)} gave {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


@dataclass
class Site:
    """The app on a port of this machine, asked as one person's browser or program asks."""

    port: int
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=20, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(self.url + path, timeout=20, **options)

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == 200
        except requests.RequestException:
            return False

    def add_item(self, title: str, *tasks: str) -> dict[str, Any]:
        """Adds a work item with its tasks over the JSON API."""
        answer = self.post("/api/v1/work-items", json={"title": title})
        assert answer.status_code == 201, answer.text
        item = answer.json()
        for task in tasks:
            answer = self.post(f"/api/v1/work-items/{item['id']}/tasks", json={"title": task})
            assert answer.status_code == 201, answer.text
        return item

    def items(self) -> dict[str, list[str]]:
        """Every work item's title, with the titles of its tasks in order."""
        return {
            item["title"]: [task["title"] for task in self._all(f"/api/v1/work-items/{item['id']}/tasks")]
            for item in self._all("/api/v1/work-items")
        }

    def item_titles(self) -> set[str]:
        return {item["title"] for item in self._all("/api/v1/work-items")}

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        page: str | None = path
        while page:
            answer = self.get(page)
            assert answer.status_code == 200, answer.text
            yield from answer.json()["items"]
            page = (answer.json()["next"] or "").removeprefix(self.url) or None


@dataclass
class Container:
    """A container by its name, and the site on the port that it publishes on 127.0.0.1."""

    name: str
    site: Site

    def state(self, what: str) -> str:
        return docker("inspect", "--format", f"{{{{.State.{what}}}}}", self.name).stdout.strip()

    def logs(self) -> str:
        done = docker("logs", self.name)
        return done.stdout + done.stderr

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.site.is_ready():
            assert self.state("Running") == "true", f"{self.name} stopped:\n{self.logs()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready after {START_SECONDS} s:\n{self.logs()}"
            time.sleep(0.05)

    def wait_for_exit(self) -> int:
        """The exit code, once it has stopped by itself."""
        deadline = time.monotonic() + START_SECONDS
        while self.state("Running") == "true":
            assert time.monotonic() < deadline, f"{self.name} still runs after {START_SECONDS} s:\n{self.logs()}"
            time.sleep(0.05)
        return int(self.state("ExitCode"))

    def setup_code(self) -> str:
        codes = re.findall(r"set-up code: ([A-Z0-9]{4}-[A-Z0-9]{4})", self.logs())
        assert codes, self.logs()
        return codes[-1]

    def integrity(self) -> str:
        """SQLite's own word on the database: "ok", or what is damaged."""
        return docker("exec", self.name, "python", "-c", INTEGRITY).stdout.strip()
