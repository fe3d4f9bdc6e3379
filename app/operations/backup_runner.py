"""The running app's schedule of backups: while this instance writes, `task-assist backup --if-due` in its own process.

So the app loads no library of a cloud and keeps no memory of a backup, and what breaks there breaks nothing here. What
is due is decided by that command, from the store; this only knows when to type it.
"""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from app.operations.notify import Notify, notifier
from app.settings import Settings
from app.writer.instance import Instance

FIRST_AFTER = 10.0
"""Seconds after the start, which has other things to do."""
LOOK_EVERY = 30.0
"""Seconds. Whether this instance writes by now, and whether somebody has set the clock."""
TRY_AGAIN = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""After the first failure, the second, and each one more."""
END_WITHIN = 5.0
"""Seconds that the command has for its end when the app ends."""

log = structlog.get_logger()


@dataclass
class Known:
    """What the app knows of its backups. `error`: why the last try failed, None where it didn't."""

    made_at: datetime | None = None
    drilled_at: datetime | None = None
    next_at: datetime | None = None
    error: str | None = None
    failures: int = 0
    reminders: list[str] = field(default_factory=lambda: [])

    def as_dict(self) -> dict[str, Any]:
        """`error` and `reminders` are for the log and the doctor; /healthz, which anybody may read, leaves them out."""
        return {
            "newest": _iso(self.made_at),
            "age_seconds": int((datetime.now(UTC) - self.made_at).total_seconds()) if self.made_at else None,
            "drilled": _iso(self.drilled_at),
            "next": _iso(self.next_at),
            "failing": self.error is not None,
            "error": self.error,
            "reminders": self.reminders,
        }


class BackupRunner:
    def __init__(self, instance: Instance, notify: Notify) -> None:
        self.known = Known()
        self._instance, self._notify = instance, notify
        self._stopping = threading.Event()
        self._running: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._loop, name="backups", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A backup that is under way is broken off: nothing of it is listed, and the next instance makes it."""
        self._stopping.set()
        if running := self._running:
            running.terminate()
            try:
                running.wait(END_WITHIN)
            except subprocess.TimeoutExpired:
                running.kill()

    def _loop(self) -> None:
        self._stopping.wait(FIRST_AFTER)
        while not self._stopping.is_set():
            if self._instance.writes:
                self._wait_until(self.run_once())
            else:
                self._stopping.wait(LOOK_EVERY)

    def _wait_until(self, time: datetime) -> None:
        """By the clock on the wall, which may be set, and goes on while the machine sleeps."""
        while (left := (time - datetime.now(UTC)).total_seconds()) > 0 and not self._stopping.is_set():
            self._stopping.wait(min(left, LOOK_EVERY))

    def run_once(self) -> datetime:
        """Makes the backup if one is due, and a drill, and gives the time to look again."""
        said = self._typed("backup", "--if-due", "--json")
        if self._stopping.is_set():
            return datetime.now(UTC)
        if "error" in said:
            return self._failed("backup", said["error"])
        drilled = self._typed("backup", "drill", "--if-due", "--json")
        if self._stopping.is_set():
            return datetime.now(UTC)
        if "error" in drilled:
            return self._failed("drill", drilled["error"])
        self.known.drilled_at = datetime.fromisoformat(drilled["last"]["drilled_at"])
        self._remind(drilled)
        return self._went_well(said)

    def _remind(self, drilled: dict[str, Any]) -> None:
        """With each drill, so once a week, until somebody has proven the key."""
        self.known.reminders = drilled["reminders"]
        if drilled["drilled"]:
            for reminder in self.known.reminders:
                log.warning(f"Backup: {reminder}")
                self._notify("backup_key_unproven", reminder)

    def _went_well(self, said: dict[str, Any]) -> datetime:
        if self.known.error:
            self._notify("backup_recovered", "Backups of Task Assist work again.")
        self.known.error, self.known.failures = None, 0
        self.known.next_at = datetime.fromisoformat(said["next"])
        if newest := said["newest"]:
            self.known.made_at = datetime.fromisoformat(newest)
        if made := said["made"]:
            log.info(f"Backed up to {said['store']}: {made['name']}, {made['object_size_bytes']:,} bytes.")
        for warning in said.get("warnings", ()):
            log.warning(f"Backup: {warning}")
            self._notify("backup_suspicious", warning)
        return self.known.next_at

    def _failed(self, what: str, error: dict[str, str]) -> datetime:
        known, again = self.known, TRY_AGAIN[min(self.known.failures, len(TRY_AGAIN) - 1)]
        known.error = f"{error['message']} {error['hint']}".strip()
        known.failures += 1
        known.next_at = datetime.now(UTC) + again
        log.error(f"The {what} failed, and is tried again in {again.seconds // 60} minutes: {known.error}")
        if known.failures == 1:
            self._notify(f"{what}_failed", f"A {what} of Task Assist failed: {known.error}")
        return known.next_at

    def _typed(self, *words: str) -> dict[str, Any]:
        """What the command answered, or what is as good as an answer where it had none."""
        try:
            self._running = started(*words)
        except OSError as error:
            return {"error": {"message": f"The backup could not be started: {error}.", "hint": ""}}
        if self._stopping.is_set():
            self._running.terminate()
        out, errors = self._running.communicate()
        try:
            return json.loads(out)
        except ValueError:
            last = "".join(errors.strip().splitlines()[-1:]) or "it said nothing"
            return {"error": {"message": f"The backup ended with {self._running.returncode}: {last}.", "hint": ""}}
        finally:
            self._running = None


def started(*words: str) -> subprocess.Popen[str]:
    """`task-assist` with `words`, in a process of its own with this one's settings."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-P", "-m", "app", *words]
    return subprocess.Popen(  # noqa: S603
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run_backups(settings: Settings, instance: Instance) -> BackupRunner | None:
    """Runs the schedule from now on; None where there is none."""
    if not settings.backup_url or settings.backup_schedule == "off":
        return None
    url = settings.notify_url.get_secret_value() if settings.notify_url else None
    runner = BackupRunner(instance, notifier(url))
    instance.backups = runner.known.as_dict
    runner.start()
    return runner


def _iso(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
