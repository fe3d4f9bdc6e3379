"""Looks into the backups' store each hour, whoever makes them, and says when one that was due is long not there.

The schedule's own thread can't: it may be in the middle of a backup that hangs, or waits because this instance may not
write, or another one has claimed the backup and is gone.
"""

import threading
from datetime import UTC, datetime, timedelta

import structlog

from app.backup.schedule.backup_status import LATE
from app.operations.backups.backup_alarm import Alarm
from app.operations.backups.backup_health import BackupHealth, missing
from app.operations.control.command_runner import CommandRunner
from app.writer.instance import Instance

LOOK_AGAIN = timedelta(hours=1)
LOOK_WITHIN = timedelta(minutes=10)
LOOK_EVERY = 30.0
"""Seconds between two looks at the clock, which may be set."""

log = structlog.get_logger()


class BackupWatch:
    """`is_scheduled`: backups are made by a schedule. Else nothing is ever missing."""

    def __init__(
        self, instance: Instance, known: BackupHealth, commands: CommandRunner, alarm: Alarm, *, is_scheduled: bool
    ) -> None:
        self._instance, self._known, self._commands, self._alarm = instance, known, commands, alarm
        self._is_scheduled = is_scheduled
        self._began_at = datetime.now(UTC)
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._thread = threading.Thread(target=self._loop, name="backups-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _loop(self) -> None:
        while not self._commands.stopping.wait(LOOK_EVERY):
            try:
                self.turn(datetime.now(UTC))
            except Exception as error:  # the watch goes on
                log.error("The watch over the backups met a fault of its own.", exc_info=error)

    def turn(self, now: datetime) -> None:
        self._began_at = min(self._began_at, now)  # a clock that was wrong at the start was set
        if not timedelta(0) <= now - self._looked_at < LOOK_AGAIN:
            self.look(now)
        if self._is_missing(now) and not self._known.missing:
            self.look(now)  # somebody else may have made it meanwhile
        self._tell(now)
        self._alarm.try_again()

    def look(self, now: datetime) -> None:
        """Where the store does not answer, what was known before stays: that is told by whoever needs the store."""
        self._looked_at = now
        said = self._commands.run("backup", "status", "--json", within=LOOK_WITHIN)
        if "store" in said:
            self._known.saw(said)

    def _tell(self, now: datetime) -> None:
        """By the instance that writes, or would if all were well: of a standby the other one tells."""
        is_missing = self._is_missing(now)
        if not is_missing:
            self._alarm.over("backup_missing")
        elif self._instance.writes or self._instance.problem:
            self._alarm.trouble("backup_missing", self._said())
        if is_missing and not self._known.missing:
            log.error(self._said())
        self._known.missing = is_missing

    def _is_missing(self, now: datetime) -> bool:
        """Since this process runs: one that was due before is made up first."""
        if not self._is_scheduled or self._commands.stopping.is_set():
            return False
        return now > max(self._known.due_at or self._began_at, self._began_at) + LATE

    def _said(self) -> str:
        known, problem = self._known, self._instance.problem
        why = (
            known.errors.get("backup") or (problem and problem.message) or "It was not begun, or takes long, or hangs."
        )
        if known.made_at is None or known.due_at is None:
            return f"Task Assist has made no backup since it was started at {_shown(self._began_at)}. {why}"
        return f"Of Task Assist {missing(known.due_at)}; the newest is of {_shown(known.made_at)}. {why}"


def _shown(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
