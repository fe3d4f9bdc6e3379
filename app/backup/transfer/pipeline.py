"""From the database to a store: a checked copy beside the database, compressed, encrypted, and its manifest last."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.backup.copies.disk_space import announce_space_needed
from app.backup.copies.manifest import Manifest
from app.backup.copies.staging import BACKUP, temporary_folder_beside
from app.backup.stores.deployment import ensure_deployment_number
from app.backup.stores.store import Store, StoreFailed
from app.backup.stores.stored_backup import StoredBackup, how_to_restore, manifest_of, new_name, object_of
from app.backup.transfer.compression import Compressed
from app.backup.transfer.encryption import encrypt, refuse_bad_recipients
from app.backup.transfer.hashing import Hashed, HashedWriter, copy_stream
from app.database.canary import has_canary
from app.database.sqlite import opened, unchanging
from app.errors import Broken, Conflict, NotFound, StorageFull
from app.storage.files import SIDECARS, Progress, halves, size_of
from app.storage.mounts import Storage, beside

Take = Callable[[Storage, Path, Progress | None], Manifest]
"""Copies the database as it is at one moment to a file, checked (snapshot.py), in this process or the app's."""


@dataclass(frozen=True)
class BackupOptions:
    """`recipients`: public keys of age. `scheduled_for`: None where a person asked for it. `canary`: see Stored."""

    recipients: tuple[str, ...] = ()
    scheduled_for: datetime | None = None
    canary: str | None = None


def back_up(
    storage: Storage,
    store: Store,
    order: BackupOptions,
    take: Take,
    *,
    say: Callable[[str], None],
    progress: Progress | None,
) -> StoredBackup:
    """A new backup in `store`. Nothing is listed there before all of it is there and on disk.

    `say` is told first where the copy lies meanwhile and how much room it takes. Raises StorageFull, StoreFailed,
    CannotStart for a wrong public key, Conflict where the copy lacks the canary, and what `take` does.
    """
    refuse_bad_recipients(order.recipients)
    copying, storing = halves(progress)
    with temporary_folder_beside(storage.path, BACKUP) as folder:
        needed = sum(size_of(beside(storage.path, ending)) for ending in ("", *SIDECARS))
        announce_space_needed("Copies the database", folder, needed, say)
        copy = folder / storage.path.name
        proof = take(storage, copy, copying)
        _refuse_without_canary(storage, copy, order.canary)
        return _store(copy, proof, storage, store, order, storing)


def _refuse_without_canary(storage: Storage, copy: Path, canary: str | None) -> None:
    with opened(unchanging(copy), copy) as connection:
        if canary and not has_canary(connection, canary):
            raise Conflict(
                f"The copy of {storage.path} lacks what was just written there: another database took its place.",
                "Nothing was kept. After a restore that is as it should be: try again. Else see:  task-assist doctor",
            )


def _store(
    copy: Path, proof: Manifest, storage: Storage, store: Store, order: BackupOptions, progress: Progress | None
) -> StoredBackup:
    name = new_name(storage.path.stem, proof.created_at, ensure_deployment_number(storage.path))
    object_ = object_of(name, encrypted=bool(order.recipients))
    with copy.open("rb") as file, store.upload(object_) as target:
        source, counted = Hashed(file, proof.size_bytes, progress), HashedWriter(target)
        if order.recipients:
            encrypt(Compressed(source), counted, order.recipients)
        else:
            copy_stream(Compressed(source), counted)
        if source.sha256 != proof.sha256:
            raise Broken(f"{copy} is not what was written there a moment ago.", "The disk lies. Nothing was kept.")
    stored = StoredBackup(
        name=name,
        object=object_,
        object_sha256=counted.sha256,
        object_size_bytes=counted.size_bytes,
        recipients=order.recipients,
        database=proof,
        storage_profile=storage.profile,
        scheduled_for=order.scheduled_for,
        how_to_restore=how_to_restore(name, counted.sha256, proof.sha256, encrypted=bool(order.recipients)),
        canary=order.canary,
    )
    _complete(store, stored)
    return stored


def _complete(store: Store, stored: StoredBackup) -> None:
    """By its manifest. Where that can't be written the object goes: it would be swept in two days only, and each try
    adds one. Not where the manifest may be there, its answer lost."""
    try:
        store.create(manifest_of(stored.name), stored.as_bytes())
    except BaseException:
        with suppress(StoreFailed, StorageFull):
            if not _is_there(store, stored):
                store.remove(stored.object)
        raise


def _is_there(store: Store, stored: StoredBackup) -> bool:
    try:
        store.read(manifest_of(stored.name))
    except NotFound:
        return False
    return True
