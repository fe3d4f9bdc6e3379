"""One run of a job for one time: who makes the claim with the next number in the store has it.

While it runs it claims anew each five minutes. One that was killed, or can't reach the store any more, does not, and
after half an hour the next one takes over: the times of restic's locks (restic, internal/restic/lock.go).

Today only the instance with the lease runs the schedule; the claim is for many that share a database server.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from app.backup.stores.store import Entry, Store
from app.errors import Conflict, Problem

STALE_AFTER = timedelta(minutes=30)
CLAIMED_ANEW_EVERY = 300.0
"""Seconds."""
SWEPT_AFTER = timedelta(days=7)
NAME = re.compile(r"(?P<what>.+)-(?P<number>\d+)\.claim")


@contextmanager
def claimed(store: Store, job: str, at: datetime, now: datetime, who: str) -> Iterator[bool]:
    """False where another one has it. `who`: what nobody else says, for a claim whose answer was lost.

    The claim of a run that fails is removed, so that it can be tried again at once; one that went well stays.
    """
    claim = _Claim(store, f"{job}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}", who)
    if not claim.taken(now):
        yield False
        return
    try:
        with claim.kept():
            yield True
    except BaseException:
        with suppress(Problem):  # what went wrong is told; a claim that stays is stale in half an hour
            store.remove(claim.name)
        raise


class _Claim:
    def __init__(self, store: Store, what: str, who: str) -> None:
        self._store, self._what, self._who = store, what, who.encode()
        self._number = 0
        self._ended = threading.Event()

    @property
    def name(self) -> str:
        return f"{self._what}-{self._number}.claim"

    def taken(self, now: datetime) -> bool:
        entries = self._store.entries()
        tries = [(int(found["number"]), each) for each in entries if (found := self._is_of_it(each))]
        if any(abs(now - each.changed_at) < STALE_AFTER for _, each in tries):
            return False
        self._number = max((number for number, _ in tries), default=0)
        return self._next()

    def _is_of_it(self, entry: Entry) -> re.Match[str] | None:
        found = NAME.fullmatch(entry.name)
        return found if found and found["what"] == self._what else None

    def _next(self) -> bool:
        number = self._number + 1
        try:
            self._store.create(f"{self._what}-{number}.claim", self._who)
        except Conflict:
            return False
        self._number = number
        return True

    @contextmanager
    def kept(self) -> Iterator[None]:
        thread = threading.Thread(target=self._keep, name="claim", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(5)  # no longer: the store may not answer it

    def _keep(self) -> None:
        while not self._ended.wait(CLAIMED_ANEW_EVERY):
            with suppress(Problem):  # the store did not do it: it may the next time, else the claim gets stale
                before = self.name
                if not self._next():
                    return  # it was stale for a while, and another one took over
                self._store.remove(before)


def sweep_claims(store: Store, now: datetime) -> None:
    for entry in store.entries():
        if entry.name.endswith(".claim") and now - entry.changed_at > SWEPT_AFTER:
            store.remove(entry.name)
