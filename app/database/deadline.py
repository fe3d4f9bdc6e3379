"""How long what is done now may wait for the database: a request has one time for all its waits together."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from app.database.sqlite import WAIT_SECONDS

_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def waits_until(moment: float) -> Iterator[None]:
    """What the block does waits until this moment (time.monotonic) at most, in this thread."""
    before = _until.set(moment)
    try:
        yield
    finally:
        _until.reset(before)


def extend_deadline(seconds: float) -> None:
    """So long it has just waited for another instance to hand the database over, for which there is a time apart."""
    if (until := _until.get()) is not None:
        _until.set(until + seconds)


def seconds_left() -> float:
    """WAIT_SECONDS where nobody has said until when."""
    until = _until.get()
    return WAIT_SECONDS if until is None else max(0.0, until - time.monotonic())
