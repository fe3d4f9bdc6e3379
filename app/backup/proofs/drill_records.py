"""What drills have found, beside the backups in the store: NAME.WHAT.TIME.DIGITS.drill.json (records.py).

One for each thing that can be found, so that none covers another: a server without the key, which finds a backup
unchanged, takes nothing from the one that opened it. Those of before were one for each backup, NAME.drill.json.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from app.backup.stores.records import OLDEST, Record, records_in, renew
from app.backup.stores.store import Entry, Store
from app.backup.stores.stored_backup import CLOCKS_DIFFER, is_name, manifest_of
from app.errors import NotFound

ENDING = ".drill.json"
Proves = Literal["failed", "restorable", "unchanged"]


class DrillRecord(BaseModel):
    """`proves`: "restorable" where it was opened and read; "unchanged" where only its hash could be checked."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal[1, 2] = 2
    name: str
    drilled_at: AwareDatetime
    proves: Proves
    seconds: float
    size_bytes: int
    canary: bool | None = None
    """Was the row in it that was written just before it? None where there is none to look for, or nothing was read."""
    why: str | None = None
    """What was wrong with it, where it failed."""


@dataclass(frozen=True)
class BackupDrills:
    """The newest record of each kind, of one backup."""

    restorable: DrillRecord | None = None
    unchanged: DrillRecord | None = None
    failed: DrillRecord | None = None

    @property
    def is_failed(self) -> bool:
        """Not opened since: that it is unchanged makes good no failure of who could read it."""
        opened = self.restorable and self.failed and self.restorable.drilled_at > self.failed.drilled_at
        return self.failed is not None and not opened

    @property
    def passed(self) -> list[DrillRecord]:
        """The one that opened it first; none where it has failed since."""
        return [each for each in (self.restorable, self.unchanged) if each and not self.is_failed]


def drills_in(store: Store) -> dict[str, BackupDrills]:
    """By the name of each backup that is there and was drilled. A record that can't be read is none, nor is one of a
    time to come."""
    entries, latest = store.entries(), datetime.now(UTC) + CLOCKS_DIFFER
    there = {entry.name for entry in entries}
    newest: dict[str, dict[str, DrillRecord]] = {}
    for record in records_in(entries, ENDING):
        is_there = is_name(of := backup_of(record)) and manifest_of(of) in there
        if is_there and (found := _read(store, record)) and found.drilled_at <= latest:
            newest.setdefault(found.name, {})[found.proves] = found
    return {name: BackupDrills(**found) for name, found in newest.items()}


def passed_drill(store: Store, name: str) -> DrillRecord | None:
    """What the backup has passed; None where it was never drilled, or has failed since."""
    return next(iter(drills_in(store).get(name, BackupDrills()).passed), None)


def last_drill(store: Store) -> DrillRecord | None:
    """The newest that was passed, of a backup that has not failed one since."""
    return newest_of(each for drills in drills_in(store).values() for each in drills.passed)


def newest_of(found: Iterable[DrillRecord]) -> DrillRecord | None:
    return max(found, key=lambda each: (each.drilled_at, each.proves == "restorable"), default=None)


def failure_since(drills: Iterable[BackupDrills], passed: DrillRecord | None) -> DrillRecord | None:
    """The newest that was failed after `passed`, which none has made good."""
    failed = newest_of(each.failed for each in drills if each.failed and each.is_failed)
    return failed if failed and not (passed and passed.drilled_at > failed.drilled_at) else None


def keep_record(store: Store, record: DrillRecord) -> None:
    data = record.model_dump_json(indent=2).encode() + b"\n"
    renew(store, f"{record.name}.{record.proves}", ENDING, record.drilled_at, data)


def orphaned_records(entries: Iterable[Entry]) -> Iterator[str]:
    """The records of backups that are not there any more."""
    there = {entry.name: entry for entry in entries}
    for record in records_in(there.values(), ENDING):
        if is_name(of := backup_of(record)) and manifest_of(of) not in there:
            yield record.name


def backup_of(record: Record) -> str:
    name, _, found = record.of.rpartition(".")
    return name if record.at != OLDEST and found in get_args(Proves) else record.of


def _read(store: Store, record: Record) -> DrillRecord | None:
    try:
        found = DrillRecord.model_validate_json(store.read(record.name))
    except (NotFound, ValidationError):
        return None
    return found if found.name == backup_of(record) else None
