"""The lease for one command: what restores the database or changes a password may not meet a running app."""

import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from app.errors import Problem, Standby, StorageFull
from app.storage.full_or_read_only import why_no_writes
from app.storage.hard_links import refuse_hard_links
from app.storage.mounts import Storage
from app.writer import takeover
from app.writer.lease import OBSERVE_EVERY, RENEW_EVERY, WRITE_DEADLINE, Lease, Lost, lease_of
from app.writer.lease_files import Clock, cant_be_used
from app.writer.safe_acquire import acquire_to_replace, acquire_without_loss
from app.writer.terms import Acquired, Doubt, Observation

TYPE_IT_THERE = "Type this where it runs (docker exec ...)"
IF_THAT_IS_HERE = "If that is here, it is just starting or ending: try again in a moment."
LOOK_FIRST = "Look which rows are there before you go on: the page, or  task-assist doctor"
HANDS_OVER_WITHIN = 20.0
"""Seconds. A holder hears of it at its next renewal, and then lets requests end."""


@dataclass
class ExclusiveAccess:
    """Nobody else has the database. `found` is what this command came upon.

    `leaves`: the revision of what the block has put in the place, for those who come next; None: they look.
    `doubt`: why that may not be sound; None where it was verified.
    """

    found: Acquired
    _lease: Lease
    leaves: str | None = None
    doubt: Doubt | None = None

    def sure(self) -> None:
        """To be called before what can't be undone. Raises Standby where another instance may have come first."""
        _renew(self._lease)


@contextmanager
def exclusive_access(
    storage: Storage, *, replaces: bool = False, by_force: bool = True, asks: bool = False
) -> Iterator[ExclusiveAccess]:
    """Nobody else has the database while the block runs. Raises Standby where a running app has it: at once, or, if
    this `asks` for it, when it was not handed over within HANDS_OVER_WITHIN. That app takes it again after the block.

    On a network mount an app that was killed can't be told from one that lives before 20 seconds have passed. Its
    database is then copied before it is used, unless the block `replaces` it anyway; without `by_force` it is left to
    the next app, and Standby raised. Unless the block `replaces` it, a database by whose opening rows would be lost is
    refused (safe_acquire.py). A file that has a second name is refused in any case, and before anybody is disturbed.
    """
    refuse_hard_links(storage)
    lease = lease_of(storage)
    acquire = partial(acquire_to_replace if replaces else acquire_without_loss, lease, storage)
    try:
        held = None if asks else _nothing_to_replace(storage) if replaces else _elsewhere()
        acquired = _acquire(storage, lease, acquire, by_force=by_force, held=held)
    except OSError as error:
        raise cant_be_used(storage, error) from error
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(lease, done), name="lease-heart", daemon=True)
    heart.start()
    safe = not acquired.forced
    try:
        if acquired.forced and not replaces:
            takeover.begin(storage, lease, acquired)
            safe = True
        alone = ExclusiveAccess(acquired, lease)
        yield alone
        if replaces:
            lease.note(schema=alone.leaves, doubt=alone.doubt)
        lease.note(pending=None)
        if not lease.holds():
            raise _unsure()
        safe = True
    except Lost:
        raise _overtaken() from None
    finally:
        done.set()
        lease.release("released" if safe else "abandoned")


def _acquire(
    storage: Storage,
    lease: Lease,
    acquire: Callable[[Observation], Acquired | None],
    *,
    by_force: bool,
    held: Standby | None,
) -> Acquired:
    """`held`: what is raised where a running app has the database; None: that app is asked for it."""
    first, began = lease.observe(), Clock().now()
    while True:
        observation = lease.observe()
        if not by_force and observation.state != "released" and not lease.local:
            raise Standby(
                "A running app has the database, or was killed with it.",
                f"{TYPE_IT_THERE}. {IF_THAT_IS_HERE} If it was killed, the next start of the app takes over.",
            )
        if acquired := acquire(observation):
            return acquired
        if lease.local or _alive(first, observation):
            if held:
                raise held
            lease.request_handover(observation)
            if Clock().now() - began > HANDS_OVER_WITHIN:
                raise _not_handed_over(storage)
        Clock().sleep(OBSERVE_EVERY)


def _alive(first: Observation, now: Observation) -> bool:
    return now.state == "held" and now.content != first.content


def _beat(lease: Lease, done: threading.Event) -> None:
    while not done.wait(RENEW_EVERY):
        try:
            lease.renew()
        except Lost:
            return
        except OSError:  # holds() says so by itself, if it goes on
            continue


def _renew(lease: Lease) -> None:
    try:
        lease.renew()
    except OSError as error:
        raise _unsure() from error
    if lease.term is None:
        raise _overtaken()
    if not lease.holds():
        raise _unsure()


def _elsewhere() -> Standby:
    return Standby("A running app has the database.", f"{TYPE_IT_THERE}, or stop it first. {IF_THAT_IS_HERE}")


def _nothing_to_replace(storage: Storage) -> Standby:
    return Standby(
        f"A running app has a database open in {storage.path}, so it is not empty.",
        "Nothing was changed. Stop it first.",
    )


def _not_handed_over(storage: Storage) -> Problem:
    message = f"A running app has the database, and did not hand it over within {HANDS_OVER_WITHIN:.0f} s"
    if isinstance(why_no_writes(storage), StorageFull):
        return StorageFull(
            f"{message}: there is no room on {storage.mount.point}, and where its file was removed or replaced it "
            "keeps a copy of what it has open first.",
            "Nothing was changed. Free some space and type this again, and don't stop the app before that: what it has "
            f"open may be nowhere else. To see what is used:  df -h {shlex.quote(storage.mount.point)}",
        )
    return Standby(
        f"{message}.",
        "Nothing was changed. Something takes long in it: try again, or stop the app first.",
    )


def _overtaken() -> Standby:
    return Standby("Another instance has taken the database over meanwhile.", LOOK_FIRST)


def _unsure() -> Standby:
    return Standby(
        f"The storage did not answer for {WRITE_DEADLINE:.0f} s: another instance may have "
        "taken the database over meanwhile.",
        LOOK_FIRST,
    )
