"""Is the backup restorable? It is fetched as for a restore, and all is done with it but to put it in the place."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.backup.copies.disk_space import announce_space_needed
from app.backup.copies.staging import temporary_folder_beside
from app.backup.copies.verify import verify
from app.backup.proofs.drill_records import DrillRecord, Proves, keep_record
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


@dataclass(frozen=True)
class Drill:
    """`storage`: beside whose database it is fetched. `say` is told first where to, and how much room that takes.

    Without `identities`, which are the private keys, an encrypted backup can only be fetched and hashed.
    """

    store: Store
    stored: StoredBackup
    storage: Storage
    identities: list[Any]
    read: ReadThrough
    progress: Progress | None = None
    say: Callable[[str], None] = lambda _: None

    def run(self) -> DrillRecord:
        """What it has found. That is written down in the store, what is wrong with the backup as well; and that these
        keys open backups.

        Raises what is wrong with it: Mismatch, the Refused of verify(), Forbidden, StorageFull, StoreFailed.
        """
        began = time.monotonic()
        try:
            proves = self._prove()
        except FAULTS_OF_BACKUP as fault:
            with suppress(StoreFailed):  # what is wrong with the backup is what is to be told
                keep_record(self.store, self._record("failed", began, fault.message))
            raise
        made = self._record(proves, began)
        keep_record(self.store, made)
        proven = public_keys_of(self.identities) & set(self.stored.recipients)
        keep_proofs(self.store, proven, self.stored.name, made.drilled_at)
        return made

    def _record(self, proves: Proves, began: float, why: str | None = None) -> DrillRecord:
        return DrillRecord(
            name=self.stored.name,
            drilled_at=datetime.now(UTC).replace(microsecond=0),
            proves=proves,
            seconds=round(time.monotonic() - began, 3),
            size_bytes=self.stored.object_size_bytes,
            canary=True if proves == "restorable" and self.stored.canary else None,
            why=why,
        )

    def _prove(self) -> Proves:
        if self.stored.recipients and not self.identities:
            check_object(self.store, self.stored, self.progress)
            return "unchanged"
        self._open()
        return "restorable"

    def _open(self) -> None:
        stored = self.stored
        with temporary_folder_beside(self.storage.path, ".drilled") as folder:
            file = folder / f"{stored.name}.db"
            announce_space_needed("Fetches the database", folder, stored.database.size_bytes, self.say)
            fetch(self.store, stored, file, self.identities, self.progress)
            with name_backup_in_errors(self.store, stored, file):
                verify(file)
                found = self.read(file)
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
