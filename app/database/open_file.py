"""Do the names of the database and its log still lead to the files that are open?

Somebody may have removed or replaced the files, or led a symbolic link in DATABASE_PATH elsewhere.
"""

import shlex
from pathlib import Path

from app.errors import Replaced
from app.storage.hint_commands import WHERE_IT_RUNS
from app.storage.identity import Identity, identity_of
from app.storage.led_elsewhere import LedElsewhere, is_led_elsewhere, led_elsewhere
from app.storage.mounts import Storage


class OpenFile:
    """Knows the files from when `opened()` was called. What a `cp` writes into one in place can't be seen this way."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._opened: dict[Path, Identity | None] = {}

    def opened(self, name: Path) -> Replaced | None:
        """To be called right after SQLite opened the file of that name, and at each opening: the first one counts.

        What is given is what happened to the name since. Raises OSError where the file system does not say.
        """
        found = identity_of(name)
        if self._opened.setdefault(name, found) == found:
            return None
        return replaced(name, by_another=found is not None)

    def is_open(self, name: Path) -> bool:
        """Does this name, any name, lead to a file that SQLite has open here? To open and close it drops its locks."""
        try:
            found = identity_of(name)
        except OSError:  # what can't be looked at, a link to itself say, can't be opened either
            return False
        return found is not None and found in self._opened.values()

    def closed(self) -> None:
        """SQLite has closed them, and removed the log."""
        self._opened = {}

    def why_lost(self) -> Replaced | LedElsewhere | None:
        """What happened to a name; None where all lead to the open files.

        Raises OSError where the file system does not say, of one name, and no other one is known to be lost.
        """
        unknown: OSError | None = None
        for name, opened in self._opened.items():
            try:
                found = identity_of(name)
            except OSError as error:
                unknown = error
                continue
            if found != opened:
                return replaced(name, by_another=found is not None)
        if unknown:
            raise unknown
        if self._opened and self._storage.links and is_led_elsewhere(self._storage):
            return led_elsewhere(self._storage)
        return None


def replaced(name: Path, *, by_another: bool) -> Replaced:
    what = "Another file was put in the place of" if by_another else "Somebody removed"
    return Replaced(
        f"{what} {name} while the app had it open.",
        "Nothing is written any more: it would be gone at the next start. What the app had is being copied: "
        "don't stop it before it says here where that is.",
    )


def kept(lost: Replaced, copy: Path) -> Replaced:
    """The same with the ways to go on, once what the app had is in `copy`."""
    return Replaced(
        lost.message,
        f"Nothing is written any more: it would be gone at the next start. What the app had is kept in {copy}.\n"
        f"To go on with that, {WHERE_IT_RUNS}:\n  task-assist restore {shlex.quote(str(copy))}\n"
        "To go on with what is there now, restart the app.",
    )
