"""What the lease stands on: names and records in a folder beside the database, a lock of the system, and a clock.

Only what other clients of a network mount see at once is used (docs/PERSISTENCE_IMPLEMENTATION.md), and time only as
this machine counts it.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.errors import CannotStart, Problem
from app.storage.cant_open import too_many_open_files
from app.storage.delegations import open_undelegated
from app.storage.full_or_read_only import why_write_failed
from app.storage.guard import how_to_own, why_no_folder
from app.storage.mounts import Storage
from app.storage.owner import chown_like, owner_model

SIZE = 256
"""Bytes of a record: one write, one page."""


def folder_of(storage: Storage) -> Path:
    return storage.lease


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

    def make(self) -> None: ...
    def list(self) -> Iterable[str]: ...
    def create(self, name: str, room_of: str | None = None) -> bool: ...
    def rewrite(self, name: str, content: bytes) -> None: ...
    def read(self, name: str) -> bytes: ...
    def remove(self, name: str) -> None: ...
    def close(self) -> None: ...


@dataclass
class Folder:
    """Names and records in a real folder, used only in ways that other clients of a network mount see at once."""

    path: Path
    _kept: tuple[str, int] | None = field(default=None, init=False)
    """Name and descriptor of the record that was rewritten last."""

    def make(self) -> None:
        """The folder itself, where it is not there."""
        # Not exist_ok, which asks whether the folder exists: NFS may remember that it did not.
        with suppress(FileExistsError):
            self.path.mkdir(mode=0o700)
            chown_like(self.path, owner_model(self.path.with_suffix("")))

    def list(self) -> list[str]:
        return os.listdir(self.path)

    def create(self, name: str, room_of: str | None = None) -> bool:
        """False where somebody else has made it: of many that try, one wins.

        `room_of`: a record that nobody needs any more. On a local disk it gets the new name, too, and can then be
        rewritten though the disk is full.
        """
        try:
            if room_of:
                os.link(self.path / room_of, self.path / name)
            else:
                os.close(os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        chown_like(self.path / name, self.path)
        return True

    def rewrite(self, name: str, content: bytes) -> None:
        """Keeps the file open for the next time. Raises OSError, FileNotFoundError where it is gone before that.

        Opening it each time could take 35 s on SMB: a client that was killed in the middle of opening a file doesn't
        know of the lease that the server gave it, and the server waits for it (tests/mounts/test_delegations.py).
        """
        descriptor = self._opened(name)
        try:
            os.pwrite(descriptor, content, 0)
            os.fsync(descriptor)
        except OSError:
            self.close()  # a server that was restarted may know it no more
            raise

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

    def close(self) -> None:
        """Lets go of what `rewrite` keeps open."""
        if self._kept:
            (_, descriptor), self._kept = self._kept, None
            with suppress(OSError):  # of what it wrote, fsync has told
                os.close(descriptor)

    def _opened(self, name: str) -> int:
        if self._kept is None or self._kept[0] != name:
            self.close()
            self._kept = (name, open_undelegated(self.path / name, os.O_WRONLY))
        return self._kept[1]


class LocalLock:
    """A lock of the operating system: free again the moment its process ends, however it ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        if self._descriptor is not None:
            return True
        descriptor = self._opened()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def _opened(self) -> int:
        with suppress(FileExistsError):
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            chown_like(self._file, self._file.parent)
            return descriptor
        return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)

    def make_again(self, names: Names, record: str, content: bytes) -> bool:
        """By who has it: a removed folder, with it and a record in it. False where somebody else has come since."""
        names.make()
        if not (self._acquire_again() and names.create(record)):
            return False
        try:
            names.close()
            names.rewrite(record, content)
        except OSError:
            names.remove(record)  # without a word in it, it would be taken for whole
            raise
        return True

    def _acquire_again(self) -> bool:
        before = self._descriptor
        if before is not None and self._leads_to(before):
            return True
        self._descriptor = None
        if not self.acquire():
            self._descriptor = before
            return False
        if before is not None:
            os.close(before)
        return True

    def _leads_to(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(self._file.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def free(self) -> bool:
        """Nobody has it."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True


def local_lock(storage: Storage) -> LocalLock:
    return LocalLock(folder_of(storage) / "lock")


def cant_be_used(storage: Storage, error: OSError) -> Problem:
    """A failure of the lease's folder, in words for a person."""
    folder = folder_of(storage)
    what = f"The folder {folder}, which says who writes, can't be used: {error.strerror or error}."
    if problem := why_no_folder(storage) or why_write_failed(storage, error) or too_many_open_files(str(folder), error):
        return problem
    if error.errno in (errno.EACCES, errno.EPERM):
        return CannotStart(what, how_to_own(storage))
    if error.errno == errno.EIO:
        return CannotStart(what, "The disk or the file server fails. On the host, dmesg | tail -50 says how.")
    return CannotStart(what, "task-assist doctor says how the storage is.")
