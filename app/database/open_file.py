"""Do the names of the database and its log still lead to the files that are open? Somebody may have removed them."""

import shlex
from pathlib import Path

from app.errors import Replaced
from app.storage.identity import Identity, identity_of
from app.storage.mounts import Storage, beside


class OpenFile:
    """Begins to look with `remember()`. What a `cp` writes into the file in place can't be seen this way."""

    def __init__(self, storage: Storage) -> None:
        self._names = (storage.path, beside(storage.path, "-wal"))
        self._opened: dict[Path, Identity | None] = {}

    def remember(self) -> None:
        """To be called right after SQLite opened them."""
        self._opened = {name: identity_of(name) for name in self._names}

    def why_lost(self) -> Replaced | None:
        """What happened to a name; None where both lead to the open files.

        Raises OSError where the file system does not say, of one name, and the other one is not known to be lost.
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
        f"To go on with that, type where the app runs:  task-assist restore {shlex.quote(str(copy))}\n"
        "To go on with what is there now, restart the app.",
    )
