"""From a store back to a plain copy with its manifest beside it, which verify.py and restore.py take as any other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.backup.copies import manifest
from app.backup.copies.disk_space import refuse_without_room_for_copy
from app.backup.stores.store import Store
from app.backup.stores.stored_backup import StoredBackup
from app.backup.transfer.compression import Decompressing
from app.backup.transfer.encryption import decrypt
from app.backup.transfer.hashing import Hashed, HashedWriter, copy_stream
from app.errors import Broken, Forbidden, Mismatch, Refused
from app.storage.files import Progress, SyncedFile


def fetch(store: Store, stored: StoredBackup, file: Path, identities: list[Any], progress: Progress | None) -> None:
    """Writes the database to `file`, a new one, and its manifest beside it, each byte held to what `stored` says.

    Raises Mismatch and Broken for what was damaged or changed, Forbidden without a key that fits, NotFound where the
    object is gone, StorageFull, StoreFailed. Then neither file is there.
    """
    if stored.recipients and not identities:
        raise _needs_key(stored)
    refuse_without_room_for_copy(file.parent, stored.database.size_bytes)
    try:
        with SyncedFile(file) as target:
            _take_apart(store, stored, _Limited(target, stored), identities, progress)
            target.sync()
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    manifest.path_for(file).write_bytes(stored.database.model_dump_json(indent=2).encode() + b"\n")


@contextmanager
def name_backup_in_errors(store: Store, stored: StoredBackup, file: Path) -> Iterator[None]:
    """What is wrong with the fetched `file` is told of the backup: the file is gone when somebody reads it."""
    try:
        yield
    except Refused as refused:
        raise type(refused)(refused.message.replace(str(file), f"{store.url}/{stored.name}"), refused.hint) from None


def check_object(store: Store, stored: StoredBackup, progress: Progress | None = None) -> None:
    """What can be known without a key: is the object, byte for byte, the one that was put there? Raises Mismatch."""
    source = Hashed(_Pieces(store.stream(stored.object)), stored.object_size_bytes, progress)
    _read_to_end(source, stored)
    _refuse_other_object(store, stored, source)


def _read_to_end(source: Hashed, stored: StoredBackup) -> None:
    """Or to where it is longer than it was: it may have no end."""
    while source.size_bytes <= stored.object_size_bytes and source.read(1 << 20):
        pass


def _take_apart(
    store: Store, stored: StoredBackup, target: "_Limited", identities: list[Any], progress: Progress | None
) -> None:
    source = Hashed(_Pieces(store.stream(stored.object)), stored.object_size_bytes, progress)
    database = HashedWriter(target)
    decompressing = Decompressing(database)
    try:
        if stored.recipients:
            decrypt(source, decompressing, identities)
        else:
            copy_stream(source, decompressing)
        decompressing.end()
    except Broken as broken:
        raise _mismatch(store, stored, broken.message) from None
    _read_to_end(source, stored)  # what may follow the end counts for the hash
    _refuse_other_object(store, stored, source)
    if database.sha256 != stored.database.sha256:
        raise _mismatch(store, stored, "the database in it is not the one that was backed up.")


def _refuse_other_object(store: Store, stored: StoredBackup, found: Hashed) -> None:
    if found.size_bytes != stored.object_size_bytes:
        how = f"it has {found.size_bytes:,} bytes, and had {stored.object_size_bytes:,}."
        raise _mismatch(store, stored, how)
    if found.sha256 != stored.object_sha256:
        raise _mismatch(store, stored, f"its sha256 is {found.sha256[:12]}…, and was {stored.object_sha256[:12]}….")


def _mismatch(store: Store, stored: StoredBackup, how: str) -> Mismatch:
    return Mismatch(
        f"{store.url}/{stored.object} is not what its manifest says: {how}",
        "Nothing was changed. It was damaged or changed after the backup; take another one:  task-assist backup list",
    )


def _needs_key(stored: StoredBackup) -> Forbidden:
    return Forbidden(
        f"{stored.name} is encrypted, and there is no key here that opens it.",
        f"Nothing was changed. Where the key is, add  --identity FILE  It opens with the key of "
        f"{' or '.join(stored.recipients)}.",
    )


class _Pieces:
    """Reads what comes in pieces of any size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        given, self._left = self._left[:size], self._left[size:]
        return bytes(given)


class _Limited:
    """Takes no more than the manifest says: a few kilobytes can be made to become any number of gigabytes."""

    def __init__(self, target: SyncedFile, stored: StoredBackup) -> None:
        self._target, self._left = target, stored.database.size_bytes

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise Broken("there is more in it than its manifest says.")
        return self._target.write(data)
