"""Commands of this app that the running app types, each in a process of its own, which ends with the app."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

END_WITHIN = 5.0
"""Seconds that a command has for its end when the app ends."""


class Typist:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.running: list[subprocess.Popen[str]] = []

    def stop(self) -> None:
        """What is under way is broken off. What is typed from now on is ended at once."""
        self.stopping.set()
        for running in tuple(self.running):
            running.terminate()
            try:
                running.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                running.kill()

    def typed(self, *words: str) -> dict[str, Any]:
        """What the command answered; {"error": {"message", "hint"}} also where it had no answer."""
        try:
            process = started(*words)
        except OSError as error:
            return _error(f"The backup could not be started: {error}.")
        self.running.append(process)
        if self.stopping.is_set():
            process.terminate()
        out, errors = process.communicate()
        self.running.remove(process)
        try:
            return json.loads(out)
        except ValueError:
            last = "".join(errors.strip().splitlines()[-1:]) or "it said nothing"
            return _error(f"The backup ended with {process.returncode}: {last}.")


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "hint": ""}}


def started(*words: str) -> subprocess.Popen[str]:
    """`task-assist` with `words`, in a process of its own with this one's settings."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-P", "-m", "app", *words]
    return subprocess.Popen(  # noqa: S603
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
