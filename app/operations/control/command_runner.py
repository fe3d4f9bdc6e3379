"""Commands of this app that the running app types, each in a process of its own, which ends with the app."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

END_WITHIN = 5.0
"""Seconds that a command has for its end when the app ends, or when it took too long."""
TAKES_AT_MOST = timedelta(hours=6)
"""A backup, a drill. What takes longer hangs: in a network, on a mount, or because what it asks does not answer."""


class CommandRunner:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.running: list[subprocess.Popen[str]] = []

    def stop(self) -> None:
        """What is under way is broken off. What is typed from now on is ended at once."""
        self.stopping.set()
        running = tuple(self.running)
        for each in running:
            each.terminate()
        until = time.monotonic() + END_WITHIN
        for each in running:
            try:
                each.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.kill()

    def run(self, *words: str, within: timedelta = TAKES_AT_MOST) -> dict[str, Any]:
        """What the command answered; {"error": {"message", "hint"}} also where it had no answer."""
        try:
            process = start_command(*words)
        except OSError as error:
            return _error(f"{_named(words)} could not be started: {error}.")
        self.running.append(process)
        if self.stopping.is_set():
            process.terminate()
        try:
            out, errors = process.communicate(timeout=within.total_seconds())
        except subprocess.TimeoutExpired:
            _end(process)
            return _ended(words, within)
        finally:
            self.running.remove(process)
        try:
            return json.loads(out)
        except ValueError:
            last = "".join(errors.strip().splitlines()[-1:]) or "it said nothing"
            return _error(f"{_named(words)} ended with {process.returncode}: {last}.")


def _end(process: subprocess.Popen[str]) -> None:
    """So that it clears up; and if it can't, at once."""
    for how in (process.terminate, process.kill):
        how()
        with suppress(subprocess.TimeoutExpired):  # after a kill: the kernel itself waits, as for a mount that hangs
            process.communicate(timeout=END_WITHIN)
            return


def _ended(words: tuple[str, ...], within: timedelta) -> dict[str, Any]:
    return _error(
        f"{_named(words)} was not done after {within.total_seconds() / 60:.0f} minutes, and was ended.",
        "Is the network, the store or a mount slow or gone? That says, or hangs as well:  task-assist backup status",
    )


def _named(words: tuple[str, ...]) -> str:
    return f"`task-assist {' '.join(words)}`"


def _error(message: str, hint: str = "") -> dict[str, Any]:
    return {"error": {"message": message, "hint": hint}}


def start_command(*words: str) -> subprocess.Popen[str]:
    """`task-assist` with `words`, in a process of its own with this one's settings."""
    paths = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-P", "-m", "app", *words]
    return subprocess.Popen(  # noqa: S603
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
