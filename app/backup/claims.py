"""One run of a job for one time: who makes the name of the claim in the store has it.

Today only the instance with the lease runs the schedule; the claim is for many that share a database server.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from app.backup.store import Store
from app.errors import Conflict

LASTS = timedelta(hours=6)
"""One whose run was killed is void after these. It is removed where the run failed, so that it can be tried again."""
SWEPT_AFTER = timedelta(days=7)


@contextmanager
def claimed(store: Store, job: str, at: datetime, now: datetime, who: str) -> Iterator[bool]:
    """False where another one has it. `who`: what nobody else says, for a claim whose answer was lost."""
    name = _free(store, f"{job}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}", now)
    try:
        store.create(name, who.encode())
    except Conflict:
        yield False
        return
    try:
        yield True
    except BaseException:
        store.remove(name)
        raise


def _free(store: Store, what: str, now: datetime) -> str:
    """A name that nobody has, or one that is claimed: then its creation is refused."""
    tries = [entry for entry in store.entries() if entry.name.startswith(f"{what}-") and entry.name.endswith(".claim")]
    valid = [entry for entry in tries if now - entry.changed_at < LASTS]
    return valid[-1].name if valid else f"{what}-{len(tries) + 1}.claim"


def sweep_claims(store: Store, now: datetime) -> None:
    for entry in store.entries():
        if entry.name.endswith(".claim") and now - entry.changed_at > SWEPT_AFTER:
            store.remove(entry.name)
