"""Files as the backups need them: told apart by their first bytes, copied, hashed, and put in place for good."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from app.storage.mounts import beside

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""

SIDECARS = ("-wal", "-journal")
"""What SQLite may keep beside a database and what is part of it: without them the newest changes are missing."""
CHUNK = 1 << 18
SYNCED_AT_ONCE = 8 << 20

SQLITE = b"SQLite format 3\0"
JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
OTHERS = {
    b"\x37\x7f\x06\x82": "it is the write-ahead log (-wal) of an SQLite database, not the database",
    b"\x37\x7f\x06\x83": "it is the write-ahead log (-wal) of an SQLite database, not the database",
    JOURNAL: "it is the rollback journal of an SQLite database, not the database",
    b"\x1f\x8b": "it is compressed (gzip)",
    b"\x28\xb5\x2f\xfd": "it is compressed (zstd)",
    b"PK\x03\x04": "it is a zip archive",
    b"age-encryption.org": "it is encrypted (age)",
}


def why_not_sqlite(start: bytes) -> str | None:
    """What a file that begins with `start` (at least 100 bytes, or all of it) is instead of an SQLite database."""
    if start.startswith(SQLITE):
        return None
    if not start:
        return "it is empty (0 bytes)"
    for magic, meaning in OTHERS.items():
        if start.startswith(magic):
            return meaning
    words = start.split(b"\n")[0][:24].decode("ascii", "replace").strip()
    if words.isprintable() and "\N{REPLACEMENT CHARACTER}" not in words and words:
        return f'it is not an SQLite database (it starts with "{words}")'
    return f"it is not an SQLite database (it starts with the bytes {start[:8].hex(' ')})"


def halves(progress: Progress | None) -> tuple[Progress | None, Progress | None]:
    """For two parts of one work, of about as many bytes."""
    if progress is None:
        return None, None
    return lambda done, total: progress(done, 2 * total), lambda done, total: progress(total + done, 2 * total)


def sidecars(database: Path) -> list[Path]:
    """The -wal and -journal beside `database` that hold something."""
    return [file for ending in SIDECARS if size_of(file := beside(database, ending))]


def size_of(file: Path) -> int:
    """Bytes, 0 also where there is no file."""
    try:
        return file.stat().st_size if is_there(file) else 0
    except FileNotFoundError:
        return 0


def is_there(file: Path) -> bool:
    """By listdir: NFS remembers for up to a minute that a name was missing."""
    return file.name in os.listdir(file.parent)


def sha256_of(file: Path, progress: Progress | None = None) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(file, progress):
        digest.update(chunk)
    return digest.hexdigest()


def copy(file: Path, to: Path, progress: Progress | None = None) -> str:
    """Writes `file`'s bytes to `to`, on disk when this returns, and gives the sha256 of what was written."""
    digest = hashlib.sha256()
    with to.open("xb") as target:
        for chunk in _chunks(file, progress):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def to_disk(path: Path) -> None:
    """Returns when the file, or the names in the folder, would survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class SyncedFile:
    """A new file that reaches the disk as it is written: one sync at its end would let the app's commits wait for all
    of it (340 ms for 1 GiB; like this 9 ms, 99 % of them)."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._file = path.open("xb", buffering=0)
        self._syncs = SyncOnTheWay(self._file.fileno())
        self._written = 0

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._written += len(data)
        self._syncs.reached(self._written)
        return len(data)

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class SyncOnTheWay:
    """Puts what is written of a file on the disk, each SYNCED_AT_ONCE bytes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._synced = descriptor, 0

    def reached(self, written: int) -> None:
        if written - self._synced >= SYNCED_AT_ONCE:
            _sync_data(self._descriptor)
            self._synced = written


_sync_data = getattr(os, "fdatasync", os.fsync)  # macOS has the latter alone


def _chunks(file: Path, progress: Progress | None) -> Iterator[bytes]:
    total, done = file.stat().st_size, 0
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk
            done += len(chunk)
            if progress:
                progress(done, total)
