"""The lease for one command: what restores the database or changes a password may not meet a running app."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app import generation
from app.lease import RENEW_EVERY, Lease, Look, Lost, Standby, Taken, lease_of
from app.lease_folder import Clock
from app.storage import Storage

LOOK_EVERY = 0.25


@contextmanager
def alone(storage: Storage, *, replaces: bool = False) -> Iterator[None]:
    """Nobody else has the database while the block runs. Raises Standby at once where a running app has it.

    On a network mount an app that was killed can't be told from one that lives before 20 seconds have passed. Its
    database is then copied before it is used, unless the block `replaces` it anyway.
    """
    lease = lease_of(storage)
    taken = _take(lease)
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(lease, done), name="lease-heart", daemon=True)
    heart.start()
    safe = not taken.forced
    try:
        if taken.forced and not replaces:
            generation.begin(storage, lease, taken)
            safe = True
        yield
        if not lease.holds():
            raise _overtaken()
        lease.note(pending=None)
        safe = True
    except Lost:
        raise _overtaken() from None
    finally:
        done.set()
        lease.release("released" if safe else "abandoned")


def _take(lease: Lease) -> Taken:
    first = lease.look()
    while True:
        look = lease.look()
        if taken := lease.take(look):
            return taken
        if lease.local or _alive(first, look):
            raise Standby(
                "A running app has the database.", "Type this where it runs (docker exec ...), or stop it first."
            )
        Clock().sleep(LOOK_EVERY)


def _alive(first: Look, now: Look) -> bool:
    return now.state == "held" and now.content != first.content


def _beat(lease: Lease, done: threading.Event) -> None:
    while not done.wait(RENEW_EVERY):
        try:
            lease.renew()
        except (Lost, OSError):
            # holds() says so by itself.
            return


def _overtaken() -> Standby:
    return Standby("Another instance has taken the database over meanwhile.", "Look at it before you go on.")
