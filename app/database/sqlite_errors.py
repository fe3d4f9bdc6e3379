"""SQLite's messages, matched here and nowhere else, and the sentence that a person is told for each."""

import shlex
from pathlib import Path
from typing import Literal

from app.database.condition import damaged
from app.database.header import header_of_open
from app.errors import (
    Broken,
    Busy,
    Damaged,
    Held,
    Locked,
    NotSqlite,
    Problem,
    ReadOnly,
    Refused,
    StorageFull,
    Unreadable,
    is_no_room,
)
from app.storage.cant_open import cant_open, why_cant_open
from app.storage.full_or_read_only import no_room, refusal_of_writes, why_no_writes
from app.storage.holders import holders_of
from app.storage.mounts import Storage, storage_under

Fault = Literal["full", "read-only", "locked", "not a database", "malformed", "can't open", "I/O"]
MESSAGES: dict[str, Fault] = {
    "disk is full": "full",
    "readonly database": "read-only",
    "database is locked": "locked",
    "not a database": "not a database",
    "malformed": "malformed",
    "unable to open database file": "can't open",
    "disk I/O error": "I/O",
}
"""What SQLite says (sqlite3ErrStr in its src/main.c), and what that is."""


def fault_in(message: str) -> Fault | None:
    """None for a message that speaks of a fault in this app's own code, such as wrong SQL."""
    return next((fault for text, fault in MESSAGES.items() if text in message), None)


def ends_check(message: str) -> bool:
    """Does a check of the whole file end with this error at a page, or at a search index, that SQLite can't read?"""
    return fault_in(message) == "malformed" or "vtable constructor failed" in message


def is_not_allowed(message: str) -> bool:
    """What the authorizer of the connection has denied to a part of the statement while it ran."""
    return "authorization denied" in message


def is_harmless(message: str) -> bool:
    """Of integrity_check's lines: does it speak of an FTS5 table alone, or of a page that belongs to nothing?

    Such are left where a search index was made anew (search_index.py).
    """
    return "FTS5 table" in message or message.endswith("never used")


def busy() -> Busy:
    return Busy("Too many changes at once.", "Nothing was changed. Try again in a moment.", retry_after=2)


def problem_for_app(storage: Storage, message: str) -> Problem | None:
    """What SQLite refused to the app on its own database, where a person can do something about it."""
    fault = fault_in(message)
    if fault == "full":
        return no_room(storage)
    # With either it may answer on a file system that is full, or has become read-only.
    if fault in ("I/O", "read-only") and (problem := why_no_writes(storage)):
        return problem
    if fault == "can't open":
        return why_cant_open(storage) or cant_open(storage.path)
    if fault == "read-only":
        return _why_not_written(storage, message)
    if fault == "locked":
        # The app's own writers wait in a queue, and never for SQLite.
        hint = f"Nothing was changed. End that program: {_holders(storage)}"
        return Locked(f"Another process has {storage.path} locked.", hint, retry_after=2)
    if fault == "not a database":
        return damaged(storage.path, "it is not an SQLite database, or its first page is overwritten")
    if fault == "malformed":
        return damaged(storage.path, message)
    return None


def _holders(storage: Storage) -> str:
    if seen := holders_of(storage.path):
        return f"{', '.join(seen)}."
    volume = storage.mount.volume
    of_volume = f" The containers that have it:\n  docker ps --filter volume={shlex.quote(volume)}" if volume else ""
    return f"sqlite3 with an open transaction, a backup tool, a second app.{of_volume}"


def fault_of_disk(storage: Storage, message: str) -> Damaged | StorageFull:
    """What "disk I/O error" is on a local disk that is not full nor read-only: a quota is used up, or it is broken."""
    refused = refusal_of_writes(storage.path.parent)
    if refused and is_no_room(refused):
        return no_room(storage)
    found = damaged(storage.path, f"{message}, says the disk")
    return Damaged(
        found.message,
        "On the host, dmesg | tail -50 says which disk and where. Once it is well again, restart the app: it checks "
        f"the file, and goes on.\n{found.hint}",
    )


def _why_not_written(storage: Storage, message: str) -> Problem:
    """SQLite opens a file that it may not write, and one of a version that it does not know, for reading only."""
    header = header_of_open(storage.path)
    if header and header.fault:
        return damaged(storage.path, header.fault)
    hint = "task-assist doctor says how the storage is."
    return why_cant_open(storage) or ReadOnly(f"{storage.path} can't be written: {message}.", hint)


def refusal_for_file(file: Path, message: str) -> Refused | StorageFull:
    """What SQLite refused to a command that looks into `file` or copies it."""
    match fault_in(message):
        case "locked":
            return Held(
                f"{file} is in use by another process that has it for itself.",
                "Stop the app, run this again, and start the app.",
            )
        case "full":
            return StorageFull(f"There is no room left beside {file}.", "Free some space, and try again.")
        case "can't open":
            problem = why_cant_open(storage_under(file)) or cant_open(file)
            return problem if isinstance(problem, StorageFull) else Unreadable(problem.message, problem.hint)
        case "not a database":
            return NotSqlite(f"{file} is not an SQLite database, or it is encrypted.")
        case _:
            return Broken(f"{file} is damaged or can't be read: {message}.")
