"""Is the backup restorable? It is fetched as for a restore, and all is done with it but to put it in the place."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from app.backup.copies.disk_space import announce_space_needed
from app.backup.copies.staging import temporary_folder_beside
from app.backup.copies.verify import verify
from app.backup.proofs.drill_records import DrillRecord, keep_record
from app.backup.proofs.key_proof import keep_proofs
from app.backup.stores.store import Store, StoreFailed
from app.backup.stores.stored_backup import StoredBackup
from app.backup.transfer.encryption import public_keys_of
from app.backup.transfer.fetch import check_object, fetch, name_backup_in_errors
from app.errors import Broken, Foreign, Mismatch, NotFound, NotSqlite
from app.storage.files import Progress
from app.storage.mounts import Storage


@dataclass(frozen=True)
class Read:
    """What the app's own queries find: `rows` per table, and the `canaries` (app/database/canary.py)."""

    rows: dict[str, int]
    canaries: frozenset[str]


FAULTS_OF_BACKUP = (Mismatch, Broken, NotSqlite, Foreign, NotFound)
"""By these a drill has failed. By others it could not be done: no key, no room, no network, a newer version's."""
ReadThrough = Callable[[Path], Read]
"""Brings a copy to this version's schema, and reads it as the app would."""


def drill(
    store: Store,
    stored: StoredBackup,
    storage: Storage,
    identities: list[Any],
    read: ReadThrough,
    progress: Progress | None,
    say: Callable[[str], None] = lambda _: None,
) -> DrillRecord:
    """Raises what is wrong with it: Mismatch, the Refused of verify(), Forbidden, StorageFull, StoreFailed.

    `say` is told first where it is fetched to and how much room that takes. Without a key an encrypted backup can only
    be fetched and hashed; the record says that this is all. With one it is written down that this key opens the
    backups. What is wrong with it is written down as well.
    """
    began = time.monotonic()

    def record(proves: Literal["restorable", "unchanged", "failed"], why: str | None = None) -> DrillRecord:
        return DrillRecord(
            name=stored.name,
            drilled_at=datetime.now(UTC).replace(microsecond=0),
            proves=proves,
            seconds=round(time.monotonic() - began, 3),
            size_bytes=stored.object_size_bytes,
            canary=True if proves == "restorable" and stored.canary else None,
            why=why,
        )

    try:
        if stored.recipients and not identities:
            check_object(store, stored, progress)
            made = record("unchanged")
        else:
            _open(store, stored, storage, identities, read, progress, say)
            made = record("restorable")
    except FAULTS_OF_BACKUP as fault:
        with suppress(StoreFailed):  # what is wrong with the backup is what is to be told
            keep_record(store, record("failed", fault.message))
        raise
    keep_record(store, made)
    keep_proofs(store, public_keys_of(identities) & set(stored.recipients), stored.name, made.drilled_at)
    return made


def _open(
    store: Store,
    stored: StoredBackup,
    storage: Storage,
    identities: list[Any],
    read: ReadThrough,
    progress: Progress | None,
    say: Callable[[str], None],
) -> None:
    with temporary_folder_beside(storage.path, ".drilled") as folder:
        file = folder / f"{stored.name}.db"
        announce_space_needed("Fetches the database", folder, stored.database.size_bytes, say)
        fetch(store, stored, file, identities, progress)
        with name_backup_in_errors(store, stored, file):
            verify(file)
            found = read(file)
            _refuse_other_rows(stored, found.rows)
            _refuse_without_canary(stored, found.canaries)


def _refuse_other_rows(stored: StoredBackup, found: dict[str, int]) -> None:
    for table, count in found.items():
        if count != (said := stored.database.rows.get(table)):
            raise Mismatch(
                f"{stored.name}: the app finds {count} rows of {table}, and its manifest says {said}.",
                "Nothing was changed. Take another backup, and keep this one for whoever looks into it.",
            )


def _refuse_without_canary(stored: StoredBackup, found: frozenset[str]) -> None:
    if stored.canary and stored.canary not in found:
        raise Mismatch(
            f"{stored.name}: its manifest names the canary {stored.canary}, and it holds {_named(found)}: no copy "
            "of the database that the app had when it was made.",
            "Nothing was changed. Take another backup, and keep this one for whoever looks into it.",
        )


def _named(found: frozenset[str]) -> str:
    return f"only {', '.join(sorted(found))}" if found else "none"
