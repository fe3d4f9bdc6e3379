"""The real app on a free port and a real browser in front of it, for the browser tests and scripts/pictures."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright

from tests.ports import free_port

HERE = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 30


@dataclass(frozen=True)
class RunningApp:
    url: str
    folder: Path

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def empty(self) -> None:
        """Takes every work item out of the database, those in the trash too."""
        self.change_database("DELETE FROM tasks", "DELETE FROM events", "DELETE FROM work_items")

    def change_database(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.folder / "task_manager.db")) as database, database:
            for statement in statements:
                database.execute(statement)

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """What the JSON API answers to the fields, for data that a test or picture starts from."""
        body = json.dumps(fields).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@contextmanager
def running_app(folder: Path, **environment: str) -> Iterator[RunningApp]:
    """`python -m app serve` with its database in `folder`."""
    port = free_port()
    app = RunningApp(f"http://127.0.0.1:{port}", folder)
    settings = {"DATABASE_PATH": str(folder / "task_manager.db"), "PYTHONPATH": str(HERE), **environment}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", str(port)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], **settings},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(app, process)
        yield app
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(app: RunningApp, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{app.url}/readyz"):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The app did not start:\n{app.log()}")


def chromium(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_CHROMIUM)
