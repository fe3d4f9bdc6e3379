"""When is the next backup due? By BACKUP_SCHEDULE, five fields of cron in the zone of TZ.

The last run is read from the manifests in the store, never from the database: a restore or a hand-over changes nothing.
cronsim has traps: six fields mean seconds to it, a time without zone counts as UTC, and in the hour that is repeated
when summer time ends it may give a time that has passed. So all is compared in UTC, and what is not later is skipped.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import dropwhile

from app.backup.stores.stored_backup import CLOCKS_DIFFER, StoredBackup

OFF = "off"
MOST_JITTER = timedelta(minutes=5)


def next_after(expression: str, zone: tzinfo, after: datetime) -> datetime:
    """In UTC, always later than `after`."""
    from cronsim import CronSim

    times = (each.astimezone(UTC) for each in CronSim(expression, after.astimezone(zone)))
    return next(dropwhile(lambda each: each <= after, times))


def due(expression: str, zone: tzinfo, last: datetime | None, now: datetime) -> datetime | None:
    """The time for which a backup is due now, None where none is. One that was missed is made up, once.

    `last`: see last_run(); where there was none at all, the first is due at once.
    """
    if last is None:
        return now.replace(microsecond=0)
    following = next_after(expression, zone, last)
    return following if following <= now else None


def last_run(newest_first: Iterable[StoredBackup], now: datetime) -> datetime | None:
    """When the schedule last had its backup: not those that a person asked for."""
    scheduled = (max(each.scheduled_for, each.created_at) for each in newest_first if each.scheduled_for)
    return next((each for each in scheduled if each <= now + CLOCKS_DIFFER), None)


def jitter(scheduled: datetime, place: str) -> timedelta:
    """So that not all deployments come at once. The same for the same time and place, whoever asks."""
    digest = hashlib.sha256(f"{scheduled.astimezone(UTC).isoformat()} {place}".encode()).digest()
    return MOST_JITTER * (digest[0] / 256)
