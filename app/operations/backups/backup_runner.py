"""The running app's schedule of backups: while this instance writes, `task-assist backup --if-due` in its own process.

So the app loads no library of a cloud and keeps no memory of a backup, and what breaks there breaks nothing here. What
is due is decided by that command, from the store; this only knows when to type it.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from app.backup.schedule.schedule import MOST_JITTER, next_after
from app.operations.backups.backup_alarm import Alarm
from app.operations.backups.backup_health import BackupHealth, zone_of
from app.operations.backups.backup_watch import BackupWatch
from app.operations.backups.notify import notifier
from app.operations.control.command_runner import CommandRunner
from app.settings import Settings
from app.writer.instance import Instance

FIRST_AFTER = 10.0
"""Seconds after the start, which has other things to do."""
LOOK_EVERY = 30.0
"""Seconds. Whether this instance writes by now, and whether somebody has set the clock."""
TRY_AGAIN = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""After the first failure, the second, and each one more."""

log = structlog.get_logger()


class BackupRunner:
    """`watch` is told when there may be something new in the store. `next_after`: the schedule's next time."""

    def __init__(
        self,
        instance: Instance,
        known: BackupHealth,
        commands: CommandRunner,
        alarm: Alarm,
        watch: BackupWatch,
        next_after: Callable[[datetime], datetime],
    ) -> None:
        self.known, self._instance, self._commands = known, instance, commands
        self._alarm, self._watch, self._next_after = alarm, watch, next_after
        self._failures: Counter[str] = Counter()  # in a row, of backups and of drills
        self._stopping = commands.stopping
        self._thread = threading.Thread(target=self._loop, name="backups", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _loop(self) -> None:
        self._stopping.wait(FIRST_AFTER)
        while not self._stopping.is_set():
            if self._instance.writes:
                self._wait_until(self._run_whatever_happens())
            else:
                self._stopping.wait(LOOK_EVERY)

    def _wait_until(self, time: datetime) -> None:
        """By the clock on the wall, which goes on while the machine sleeps, and may be set.

        So `time` may be of a clock that was wrong: it is never later than the next one of the schedule by this clock.
        """
        while not self._stopping.is_set():
            now = datetime.now(UTC)
            time = min(time, self._next_after(now) + MOST_JITTER)
            if time <= now:
                return
            self._stopping.wait(min((time - now).total_seconds(), LOOK_EVERY))

    def _run_whatever_happens(self) -> datetime:
        """A fault of this app's own must not end the schedule in silence."""
        try:
            return self.run_once()
        except Exception as error:
            log.error("The schedule of the backups met a fault of its own.", exc_info=error)
            what = f"It met a fault of the app's own, {type(error).__name__}, which the app's log tells more of."
            return self._failed("backup", {"message": what, "hint": ""})

    def run_once(self) -> datetime:
        """Makes the backup if one is due, and a drill, and gives the time to look again."""
        said = self._commands.run("backup", "--if-due", "--json")
        if self._stopping.is_set():
            return datetime.now(UTC)
        if "error" in said:
            return self._failed("backup", said["error"])
        again = self._backed_up(said)
        drilled = self._commands.run("backup", "drill", "--if-due", "--json")
        if self._stopping.is_set():
            return datetime.now(UTC)
        self._watch.look(datetime.now(UTC))
        if "error" in drilled:
            again = min(again, self._failed("drill", drilled["error"]))
        else:
            self._drilled(drilled)
        self.known.next_at = again
        return again

    def _backed_up(self, said: dict[str, Any]) -> datetime:
        """Only what is in the store proves it: not that another run has begun, which may be one that was killed."""
        if not said.get("claimed"):
            self._went_well("backup")
        if made := said["made"]:
            log.info(f"Backed up to {said['store']}: {made['name']}, {made['object_size_bytes']:,} bytes.")
        for warning in said.get("warnings", ()):
            log.warning(f"Backup: {warning}")
            self._alarm.tell("backup_suspicious", warning)
        return datetime.fromisoformat(said["next"])

    def _drilled(self, said: dict[str, Any]) -> None:
        """What is to be reminded of is told with each drill, so once a week, until somebody has proven the key."""
        self._went_well("drill")
        if said["drilled"]:
            for reminder in said["reminders"]:
                log.warning(f"Backup: {reminder}")
                self._alarm.tell("backup_key_unproven", reminder)

    def _went_well(self, what: str) -> None:
        self.known.errors.pop(what, None)
        self._failures[what] = 0
        self._alarm.over(f"{what}_failed")

    def _failed(self, what: str, error: dict[str, str]) -> datetime:
        again = TRY_AGAIN[min(self._failures[what], len(TRY_AGAIN) - 1)]
        why = self.known.errors[what] = f"{error['message']} {error['hint']}".strip()
        self._failures[what] += 1
        self.known.next_at = datetime.now(UTC) + again
        log.error(f"The {what} failed, and is tried again in {again.seconds // 60} minutes: {why}")
        self._alarm.trouble(f"{what}_failed", f"A {what} of Task Assist failed: {why}")
        return self.known.next_at


def run_backups(settings: Settings, instance: Instance) -> CommandRunner:
    """Runs the schedule and its watch from now on, until the CommandRunner is stopped. There is a BACKUP_URL."""
    known, commands, is_scheduled = BackupHealth(), CommandRunner(), settings.backup_schedule != "off"
    alarm = Alarm(notifier(settings.notify_url.get_secret_value() if settings.notify_url else None))
    watch = BackupWatch(instance, known, commands, alarm, is_scheduled=is_scheduled)
    instance.backups, instance.saw_backups = known.as_dict, known.saw
    watch.start()
    if is_scheduled:
        following = partial(next_after, settings.backup_schedule, zone_of(settings))
        BackupRunner(instance, known, commands, alarm, watch, following).start()
    return commands
