"""What drills have found so far of all backups in a store: what is proven, what failed since, and is one due?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.backup.proofs.drill_records import DrillRecord, drills_in, failure_since, newest_of
from app.backup.stores.store import Store
from app.backup.stores.stored_backup import names_in, newest_first, time_of

DRILL_EVERY = timedelta(days=7)


@dataclass(frozen=True)
class DrillStatus:
    """`restorable`, `unchanged`: the newest that holds. `failed`: since then.

    `counts`: the newest proof of what can be known here: of an encrypted newest backup that it is unchanged, too.
    """

    restorable: DrillRecord | None
    unchanged: DrillRecord | None
    counts: DrillRecord | None
    failed: DrillRecord | None


def drill_status(store: Store) -> DrillStatus:
    """Raises StoreFailed."""
    drills = drills_in(store).values()
    newest = next(newest_first(store), None)
    passed = [each for one in drills for each in one.passed]
    restorable = newest_of(each for each in passed if each.proves == "restorable")
    unchanged = newest_of(each for each in passed if each.proves == "unchanged")
    counts = newest_of(passed) if newest and newest.recipients else restorable
    return DrillStatus(restorable, unchanged, counts, failure_since(drills, counts))


def not_due_after(store: Store, now: datetime) -> DrillRecord | None:
    """The drill after which none is due yet; None where one is.

    A person's drill of a backup that was not the newest puts none off: the newest is what `restore latest` takes.
    """
    found = drill_status(store)
    last = found.counts
    if last is None or found.failed or now - last.drilled_at >= DRILL_EVERY:
        return None
    had_newer = any(time_of(last.name) < time_of(name) <= last.drilled_at for name in names_in(store))
    return None if had_newer else last
