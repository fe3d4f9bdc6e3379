"""How old is the newest backup, when was one last drilled, when is the next one due? From the store alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from app.backup.proofs.drill_records import DrillRecord, last_drill
from app.backup.schedule.schedule import OFF, next_after
from app.backup.stores.provider_commands import provider_commands
from app.backup.stores.store import Store
from app.backup.stores.stored_backup import manifests_without_object, names_in, time_of, without_future

LATE = timedelta(hours=2)
"""After its time a backup that is still not there counts as missing: what failed was tried again by then."""


@dataclass(frozen=True)
class BackupStatus:
    """`due_at`: the time of the schedule that follows the newest one; None without one, or without a schedule.

    `ahead`: backups that are named for a time to come, each with a command that removes it. None of them is the newest.
    `bereft`: in the same way those whose manifest is there alone. None of them counts.
    """

    newest: str | None
    made_at: datetime | None
    drill: DrillRecord | None
    due_at: datetime | None
    ahead: dict[str, str]
    bereft: dict[str, str]

    def is_missing(self, now: datetime) -> bool:
        return self.due_at is not None and now > self.due_at + LATE

    def as_dict(self) -> dict[str, Any]:
        return {
            "newest": self.newest,
            "made_at": self.made_at.isoformat() if self.made_at else None,
            "drill": self.drill.model_dump(mode="json") if self.drill else None,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "ahead": self.ahead,
            "bereft": self.bereft,
        }


def backup_status(store: Store, schedule: str, zone: tzinfo, now: datetime) -> BackupStatus:
    """Raises StoreFailed."""
    names = names_in(store)
    there = without_future(names, now)
    newest = there[-1] if there else None
    made_at = time_of(newest) if newest else None
    due_at = next_after(schedule, zone, made_at) if made_at and schedule != OFF else None
    remove = provider_commands(store.url).removing
    ahead = {name: remove(name) for name in names if name not in there}
    bereft = {name: remove(name) for name in manifests_without_object(store)}
    return BackupStatus(newest, made_at, last_drill(store), due_at, ahead, bereft)


def describe_ahead(ahead: dict[str, str]) -> str:
    return f"{', '.join(ahead)}: of a time to come, so a clock was wrong then, or this one is now"


def describe_bereft(bereft: dict[str, str]) -> str:
    return (
        f"{', '.join(bereft)}: the manifest is there and the backup itself is gone, so something else than Task Assist "
        "removes files there"
    )
