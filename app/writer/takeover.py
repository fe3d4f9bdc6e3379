"""A new generation of the database file, for whoever follows a holder that did not release.

That holder may be cut off, still have the file open and write into it later, without an error. So its file is left to
it: the database and its log are copied, checked, folded into one file, and that one takes the name. What the lost one
writes afterwards lands where nobody reads. Everything it acknowledged is in the copy: its fence had closed before.

Killed at any step, the next holder goes on from what is there: the record of the term (terms.py) says when a copy must
take the database's name first.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy as again
from pathlib import Path

from app.database.condition import found_damaged
from app.database.contents import refuse_unsound
from app.database.sqlite import ALONE, fold_in, opened, unchanging, uri_of
from app.errors import Broken, CannotStart, Damaged, NotSqlite, StorageFull, StrangeLog, is_no_room
from app.storage.delegations import open_undelegated
from app.storage.files import SIDECARS, to_disk
from app.storage.mounts import Storage, beside
from app.storage.owner import take_after
from app.writer.lease import Lease, Lost
from app.writer.lease_files import folder_of
from app.writer.terms import Acquired

CHUNK = 1 << 20
LOCK_BYTES = range(1 << 30, (1 << 30) + 512)
"""Where SQLite locks its file (sqlite.org/fileformat2): never data, and on SMB nobody else can read it."""
WAL_HEADER = 32
SPARE = 1 << 20
OF_A_TERM = re.compile(r"(copy|ready|lost-ready)-(\d+)")
TRIES = 5

Seen = tuple[Path, int, int, int]
"""A file, its inode, its size, and when it was changed last (ns)."""


def refuse_without_room(storage: Storage) -> None:
    """Raises StorageFull where the copy would not fit."""
    needed = sum(_size(file) for file in _present(storage)) + SPARE
    free = shutil.disk_usage(storage.path.parent).free
    if free < needed:
        raise _no_room(storage, f"{needed:,} bytes are needed, {free:,} are free")


def _no_room(storage: Storage, why: str) -> StorageFull:
    return StorageFull(
        f"The last instance was lost without a release, and there is no room on {storage.mount.point} to copy its "
        f"database: {why}.",
        "Make the volume or share larger, or free some space: this instance then takes over by itself.",
    )


class TakeOver:
    """That of one instance, which may come to it again and again: what it found damaged it copies once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._found: tuple[list[Seen], Damaged] | None = None

    def begin(self, lease: Lease, acquired: Acquired) -> None:
        """As `begin()`. Where nothing has changed since it raised Damaged, it does so again, and copies nothing."""
        seen = [_seen(file) for file in _present(self._storage)]
        if self._found and self._found[0] == seen:
            raise again(self._found[1])
        try:
            begin(self._storage, lease, acquired)
        except Damaged as damage:
            self._found = seen, again(damage)
            raise


def begin(storage: Storage, lease: Lease, acquired: Acquired) -> None:
    """Returns when the database's name is that of a file which only the holder of `acquired` can reach.

    Raises Lost where another one took over meanwhile, StorageFull without room for the copy, Damaged where the copy is
    damaged, CannotStart where the storage fails. Until it returns, the next holder must go through this too: the caller
    then abandons the lease.
    """
    try:
        _begin(storage, lease, acquired)
    except StrangeLog:
        raise
    except (Broken, NotSqlite) as refused:
        _sweep(folder_of(storage), ("copy",), acquired.term)
        when = "the last instance was lost without a release, and of its database it was found"
        raise found_damaged(storage.path, when, refused) from refused
    except OSError as error:
        if is_no_room(error):
            _sweep(folder_of(storage), ("copy",), acquired.term)
            raise _no_room(storage, str(error)) from error
        raise CannotStart(
            f"The last instance was lost without a release, and its database can't be copied: {error}.",
            "Nothing was changed. task-assist doctor says how the storage is.",
        ) from error


def _begin(storage: Storage, lease: Lease, acquired: Acquired) -> None:
    folder = folder_of(storage)
    pending = acquired.pending
    if pending is None or _ready(pending) not in os.listdir(folder):
        if storage.path not in _present(storage):
            return  # what may lie beside its name has been looked at before (safe_acquire.py)
        _sweep(folder, ("copy",), acquired.term)  # of those who tried before
        refuse_without_room(storage)
        copy = folder / f"copy-{acquired.term}"
        _copy_whole(storage, copy)
        to_disk(copy)
        copy.rename(folder / _ready(acquired.term))
        pending = acquired.term
        # From here on the next holder must not take the file without its log for the whole.
        lease.note(pending=pending)
    _take_the_name(storage, lease, folder / _ready(pending))
    lease.note(pending=None)  # the doubt stays: whether the indexes fit the rows was not looked at (checkup.py)
    _sweep(folder, ("copy", "ready", "lost-ready"), acquired.term)


def _ready(term: int) -> str:
    return f"ready-{term}"


def _present(storage: Storage) -> list[Path]:
    """The database and its logs that are there. By listdir: NFS remembers for long that a name was missing."""
    names = set(os.listdir(storage.path.parent))
    files = (storage.path, *(beside(storage.path, ending) for ending in SIDECARS))
    return [file for file in files if file.name in names]


def _copy_whole(storage: Storage, copy: Path) -> None:
    """Copies, folds the log in and checks. Tries again while the lost holder's checkpoints change what is copied."""
    for _ in range(TRIES):
        for ending in ("", *SIDECARS):
            beside(copy, ending).unlink(missing_ok=True)
        head = _wal_head(storage)
        for file in _present(storage):
            _copy_file(file, beside(copy, file.name.removeprefix(storage.path.name)))
        if _wal_head(storage) == head:
            break
    else:
        raise OSError(errno.EAGAIN, "it changes all the time while it is copied", str(storage.path))
    fold_in(copy, uri_of(copy, "rw", ALONE))
    with opened(unchanging(copy), storage.path) as connection:
        refuse_unsound(connection, storage.path, check="quick_check")


def _wal_head(storage: Storage) -> bytes:
    """Changes when SQLite begins its log anew; before that, all that a checkpoint moved is still in it."""
    wal = beside(storage.path, "-wal")
    if wal not in _present(storage):
        return b""
    with _reading(wal) as descriptor:
        return os.pread(descriptor, WAL_HEADER, 0)


def _copy_file(file: Path, to: Path) -> None:
    with _reading(file) as source, to.open("xb") as target:
        for start, size in _pieces(os.fstat(source).st_size):
            piece = os.pread(source, size, start)
            if len(piece) < size:
                # Of a read that fails half-way the system gives the first half, without an error.
                raise OSError(errno.EIO, "the file server gave less than there is", str(file))
            target.seek(start)
            target.write(piece)
        target.truncate(os.fstat(source).st_size)
    take_after(to, file)


def _pieces(size: int) -> Iterator[tuple[int, int]]:
    """Offsets and lengths of a file of `size` bytes, around the lock bytes."""
    for first, end in ((0, min(size, LOCK_BYTES.start)), (LOCK_BYTES.stop, size)):
        for start in range(first, end, CHUNK):
            yield start, min(CHUNK, end - start)


@contextmanager
def _reading(file: Path) -> Iterator[int]:
    """A file that is there though this client may remember that it was not: only O_CREAT makes NFS ask again."""
    descriptor = open_undelegated(file, os.O_RDWR | os.O_CREAT)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take_the_name(storage: Storage, lease: Lease, ready: Path) -> None:
    """The old logs away, then the copy into place. A copy alone is whole; beside an old log it would not be."""
    for log in _present(storage):
        if log != storage.path:
            _still_ours(lease)
            log.rename(ready.with_name(f"lost-{ready.name}{log.name.removeprefix(storage.path.name)}"))
    _still_ours(lease)
    ready.replace(storage.path)
    to_disk(ready.parent)
    to_disk(storage.path.parent)


def _still_ours(lease: Lease) -> None:
    lease.renew()
    if not lease.holds():
        raise Lost


def _sweep(folder: Path, kinds: tuple[str, ...], term: int) -> None:
    """Removes what was left up to `term`. What a later holder makes is its own: this one may have been suspended."""
    for name in os.listdir(folder):
        kind = OF_A_TERM.match(name)
        if kind and kind[1] in kinds and int(kind[2]) <= term:
            (folder / name).unlink(missing_ok=True)


def _seen(file: Path) -> Seen:
    with _reading(file) as descriptor:  # opening it makes NFS ask the server
        found = os.fstat(descriptor)
    return file, found.st_ino, found.st_size, found.st_mtime_ns


def _size(file: Path) -> int:
    with _reading(file) as descriptor:
        return os.fstat(descriptor).st_size
