"""Which other processes have a file open, as far as /proc shows: not those of other users, nor of other containers."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def holders_of(*files: Path) -> list[str]:
    """Each as "process 4711 (sqlite3)"; without this process itself."""
    names = {str(file) for file in files}
    return [f"process {pid} ({_name(pid)})" for pid in _others() if not names.isdisjoint(_opened_by(pid))]


def _others() -> Iterator[int]:
    with suppress(OSError):  # a system without /proc
        for entry in os.listdir(PROC):
            if entry.isdecimal() and int(entry) != os.getpid():
                yield int(entry)


def _opened_by(pid: int) -> Iterator[str]:
    folder = PROC / str(pid) / "fd"
    with suppress(OSError):  # it has ended, or is another user's
        for descriptor in os.listdir(folder):
            with suppress(OSError):  # closed meanwhile
                yield str((folder / descriptor).readlink())


def _name(pid: int) -> str:
    with suppress(OSError):
        return (PROC / str(pid) / "comm").read_text().strip()
    return "ended meanwhile"
