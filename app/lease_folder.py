"""What the lease stands on: names and records in a folder beside the database, a lock of the system, and a clock.

Only what other clients of a network mount see at once is used (docs/PERSISTENCE_IMPLEMENTATION.md), and time only as
this machine counts it.
"""

import fcntl
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.delegation import open_undelegated
from app.storage import Storage

SIZE = 256
"""Bytes of a record: one write, one page."""


def folder_of(storage: Storage) -> Path:
    return storage.path.with_name(f"{storage.path.name}.lease")


class Time(Protocol):
    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class Clock:
    """Seconds that go on while the machine sleeps: a suspended holder must not think itself in time."""

    _id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> float:
        return time.clock_gettime(self._id)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Names(Protocol):
    """All that the lease asks of a file system."""

    def list(self) -> Iterable[str]: ...
    def create(self, name: str) -> bool: ...
    def rewrite(self, name: str, content: bytes) -> None: ...
    def read(self, name: str) -> bytes: ...
    def remove(self, name: str) -> None: ...


@dataclass(frozen=True)
class Folder:
    """Names and records in a real folder, used only in ways that other clients of a network mount see at once."""

    path: Path

    def list(self) -> list[str]:
        return os.listdir(self.path)

    def create(self, name: str) -> bool:
        """False where somebody else has made it: of many that try, one wins."""
        try:
            os.close(os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True

    def rewrite(self, name: str, content: bytes) -> None:
        descriptor = open_undelegated(self.path / name, os.O_WRONLY)
        try:
            os.pwrite(descriptor, content, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, name: str) -> bytes:
        """Empty where there is no such file."""
        try:
            descriptor = open_undelegated(self.path / name, os.O_RDONLY)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(descriptor, SIZE, 0)
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


class LocalLock:
    """A lock of the operating system: free again the moment its process ends, however it ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
