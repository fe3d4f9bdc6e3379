"""The requests' way to the database: open while this process writes, a wait during a hand-over, else "come back".

What this process is at the moment (its state) and the open database are kept here, under one condition variable.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from threading import get_ident
from typing import Literal

from app.database import group_commit
from app.database.engine import Database
from app.errors import Problem, Standby
from app.writer.lease import WRITE_DEADLINE, Lease
from app.writer.lease_files import Clock

MAX_HANDOVER_WAIT = 10.0
"""Seconds for which a request waits for a hand-over. One takes 2 to 4 on a network mount, more on a busy machine."""
MAX_DRAIN_WAIT = 1.5
"""Seconds that running requests have to end before a hand-over, which else is put off."""

State = Literal["standby", "writer", "handing over", "lost", "ended"]


class RequestGate:
    """`opened` is the database, None while it is closed; `why_standby` is what a person is told meanwhile.

    `refused`: what is wrong with a database that this instance may have, but does not open until that is mended.
    """

    def __init__(self, lease: Lease) -> None:
        self.state: State = "standby"
        self.why_standby = ""
        self.refused: Problem | None = None
        self.opened: Database | None = None
        self.changed = threading.Condition()
        """Guards the state. Notified when it changes, and when a request has left."""
        self.inside = 0
        """Requests that have the database just now."""
        self.late: set[int] = set()
        """The threads of those for which a hand-over has waited in vain: no other one can succeed before they end."""
        self._threads: Counter[int] = Counter()
        self._lease, self._clock = lease, Clock()
        self._handover_expected_until = 0.0

    @property
    def writes(self) -> bool:
        return self.state in ("writer", "handing over") and self._lease.holds()

    @property
    def problem(self) -> Problem | None:
        """What is wrong with the open database (app/database/condition.py), or keeps it from being opened.

        None while all is well, and while another instance has it.
        """
        opened = self.opened
        return opened.condition.problem if opened else copy(self.refused)

    @property
    def database(self) -> Database:
        """The open database, for callers that end before the instance does. Raises Standby, or what is `refused`."""
        if self.opened is None or self.state not in ("writer", "handing over"):
            raise self._why_closed()
        if not self._lease.holds():
            raise self.problem or unsure("Nothing was changed. task-assist doctor says how the storage is.")
        return self.opened

    @property
    def expects_handover(self) -> bool:
        """Does a request that comes now do well to wait?"""
        return not self.settled and self._clock.now() < self._handover_expected_until

    @property
    def settled(self) -> bool:
        """It has the database, or is not going to have it any more, or not before somebody mends it."""
        return self.state in ("writer", "lost", "ended") or self.refused is not None

    def wait_for_handover(self, seconds: float | None = None) -> None:
        """Returns when `settled`, or after `seconds`, by default MAX_HANDOVER_WAIT."""
        with self.changed:
            self.changed.wait_for(lambda: self.settled, MAX_HANDOVER_WAIT if seconds is None else seconds)

    def enter(self, wait: float | None = None) -> Database:
        """The database, open until `leave()`. Waits for a hand-over that is under way, at most `wait` seconds.

        Raises Standby, or what is `refused`.
        """
        if self.expects_handover:
            group_commit.commit()  # a hand-over waits for what this thread has not committed yet
        with self.changed:
            if self.expects_handover and not group_commit.is_waiting():
                self.wait_for_handover(wait)
            if self.state != "writer":
                raise self._why_closed()
            database = self.database
            self.inside += 1
            self._threads[get_ident()] += 1
            return database

    def leave(self) -> None:
        thread = get_ident()
        with self.changed:
            self.inside -= 1
            self._threads[thread] -= 1
            if not self._threads[thread]:
                del self._threads[thread]
                self.late.discard(thread)
            self.changed.notify_all()

    @contextmanager
    def using(self) -> Iterator[Database]:
        """The database for the length of the block; see `enter()`."""
        database = self.enter()
        try:
            yield database
        finally:
            self.leave()

    def expect_handover(self) -> None:
        """For the next MAX_HANDOVER_WAIT seconds a request waits instead of being sent away."""
        self._handover_expected_until = self._clock.now() + MAX_HANDOVER_WAIT

    def refuse(self, problem: Problem | None) -> None:
        """Those who wait for the database hear of it now."""
        with self.changed:
            self.refused = problem
            self.changed.notify_all()

    def _why_closed(self) -> Problem:
        # A copy: an exception that is raised by many requests would keep the stacks of all of them.
        return copy(self.refused) or standing_by(self.why_standby)

    def drained(self, wait: float = MAX_DRAIN_WAIT) -> bool:
        """Waits until no request has the database, `wait` seconds; False if one still has. Under `changed`."""
        done = self.changed.wait_for(lambda: self.inside == 0, wait)
        self.late = set(self._threads)
        return done


def unsure(hint: str) -> Standby:
    return Standby(
        f"The storage has not answered for {WRITE_DEADLINE:.0f} s: this instance can't be sure any more "
        "that it alone writes.",
        hint,
        retry_after=2,
    )


def standing_by(why: str = "") -> Standby:
    return Standby(
        why or "Another instance of Task Assist is taking over, so this one can't answer just now.",
        "Nothing was changed.",
        retry_after=2,
    )
