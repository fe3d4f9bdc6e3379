"""How old is the newest backup, when was one last drilled, when is the next one due? From the store alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from app.backup.drilled import Drilled, last_drill
from app.backup.schedule import OFF, next_after
from app.backup.store import Store
from app.backup.stored import names_in, time_of

LATE = timedelta(hours=2)
"""After its time a backup that is still not there counts as missing: what failed was tried again by then."""


@dataclass(frozen=True)
class Standing:
    """`due_at`: the time of the schedule that follows the newest one; None without one, or without a schedule."""

    newest: str | None
    made_at: datetime | None
    drill: Drilled | None
    due_at: datetime | None

    def is_missing(self, now: datetime) -> bool:
        return self.due_at is not None and now > self.due_at + LATE

    def as_dict(self) -> dict[str, Any]:
        return {
            "newest": self.newest,
            "made_at": self.made_at.isoformat() if self.made_at else None,
            "drill": self.drill.model_dump(mode="json") if self.drill else None,
            "due_at": self.due_at.isoformat() if self.due_at else None,
        }


def standing_of(store: Store, schedule: str, zone: tzinfo) -> Standing:
    """Raises StoreFailed."""
    names = names_in(store)
    newest = names[-1] if names else None
    made_at = time_of(newest) if newest else None
    due_at = next_after(schedule, zone, made_at) if made_at and schedule != OFF else None
    return Standing(newest, made_at, last_drill(store), due_at)
