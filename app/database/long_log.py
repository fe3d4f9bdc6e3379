"""A log that grows because somebody reads: what it holds can't be folded into the file until that reader has ended."""

from contextlib import suppress
from dataclasses import dataclass

from app.storage.holders import holders_of
from app.storage.mounts import Storage, beside

LONG = 64 << 20
"""Bytes. SQLite folds the log in at 4 MB, and begins anew in the same place, where nobody reads an older moment."""


@dataclass(frozen=True)
class LongLog:
    """`text` says how long it is and who may keep it so, `fix` what to do."""

    size: int
    text: str
    fix: str


def long_log(storage: Storage) -> LongLog | None:
    """None for a log of a usual size. To be asked in the process that has the database: of itself it does not tell."""
    log, size = beside(storage.path, "-wal"), 0
    with suppress(OSError):  # there is none
        size = log.stat().st_size
    if size < LONG:
        return None
    holders = holders_of(storage.path, log)
    who = ", ".join(holders) or "no process that can be seen from here, so one of another container or user"
    return LongLog(
        size,
        f"{log} has grown to {size:,} bytes: another program keeps what it read, so it can't be folded into the "
        f"database. Beside the app the file is opened by {who}.",
        "End that program, or its transaction: the log then shrinks by itself. Until then it takes more and more room.",
    )
