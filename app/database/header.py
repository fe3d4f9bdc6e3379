"""The first 100 bytes of a database file, read without SQLite (sqlite.org/fileformat2, "The Database Header")."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.storage.delegations import open_undelegated
from app.storage.files import SQLITE

SIZE = 100
SMALLEST_PAGE = 512
MODES = {b"\1\1": "rollback", b"\2\2": "wal"}
"""Bytes 18 and 19, the format's versions for writing and for reading. SQLite always writes the same into both."""
OWN_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class Header:
    """`start`: the file's first bytes, fewer than 100 where there are no more, and whatever they are."""

    start: bytes

    @property
    def is_sqlite(self) -> bool:
        return self.start.startswith(SQLITE)

    @property
    def mode(self) -> Literal["rollback", "wal"] | None:
        """How the last one who had it open kept its changes; None where the header does not say it."""
        return MODES.get(self.start[18:20]) if self.is_sqlite else None  # pyright: ignore[reportReturnType]

    @property
    def fault(self) -> str | None:
        """Why SQLite takes the file for one of a later SQLite's, and does not write to it, or not read it."""
        if not self.is_sqlite or self.mode or len(self.start) < SIZE:
            return None
        return (
            f"bytes 18 and 19 of its header are {self.start[18]} and {self.start[19]}, where SQLite writes twice 1 or 2"
        )

    @property
    def application_id(self) -> int:
        return self._number(68)

    @property
    def least_bytes(self) -> int:
        """Of a file that is not cut short. The number of pages only counts where both change counters agree."""
        pages = self._number(28) if self._number(24) == self._number(92) else 1
        return max(pages * self.page_bytes, SMALLEST_PAGE)

    @property
    def page_bytes(self) -> int:
        size = int.from_bytes(self.start[16:18], "big")
        return 65_536 if size == 1 else size

    def _number(self, at: int) -> int:
        return int.from_bytes(self.start[at : at + 4], "big")


def read_header(file: Path) -> Header:
    """Raises OSError. Not for a file that this process has open: closing it drops SQLite's locks on it."""
    descriptor = open_undelegated(file, os.O_RDONLY)
    try:
        return Header(os.pread(descriptor, SIZE, 0))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None  # without it nobody is told which file it is
    finally:
        os.close(descriptor)


def header_of_open(file: Path) -> Header | None:
    """Through a descriptor that SQLite has in this process; None where it has none, or the system doesn't say it."""
    with suppress(OSError):
        for descriptor in os.listdir(OWN_DESCRIPTORS):
            with suppress(OSError):  # closed meanwhile
                if (OWN_DESCRIPTORS / descriptor).readlink() == file:
                    return Header(os.pread(int(descriptor), SIZE, 0))
    return None
