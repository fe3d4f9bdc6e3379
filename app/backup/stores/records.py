"""Small records in a store, of which the newest holds: OF.TIME.DIGITS and an ending.

Each gets a name of its own, and those before it go when it is there: a store has no rename, and a record that was
removed before it is written anew would be lost with whoever is killed in between. Two made at once do no harm.
"""

import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from app.backup.stores.store import Entry, Store, StoreFailed
from app.backup.stores.stored_backup import parse_time

NAME = re.compile(r"(?P<of>.+)\.(?P<time>\d{8}T\d{6}Z)\.[0-9a-f]{8}")
OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """`name`: the object's. `at`: OLDEST where its name has no time, as those of before had none."""

    name: str
    of: str
    at: datetime


def records_in(entries: Iterable[Entry], ending: str) -> list[Record]:
    """The newest last."""
    found = [_record(entry.name, ending) for entry in entries if entry.name.endswith(ending)]
    return sorted(found, key=lambda record: (record.at, record.name))


def renew(store: Store, of: str, ending: str, at: datetime, data: bytes) -> None:
    name = f"{of}.{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.{secrets.token_hex(4)}{ending}"
    store.create(name, data)
    with suppress(StoreFailed):  # it is there; what stays of the earlier ones is older than it, and nothing goes by it
        for each in records_in(store.entries(), ending):
            if each.of == of and each.at < at.replace(microsecond=0):
                store.remove(each.name)


def _record(name: str, ending: str) -> Record:
    of = name.removesuffix(ending)
    found = NAME.fullmatch(of)
    at = parse_time(found["time"]) if found else None
    return Record(name, found["of"], at) if found and at else Record(name, of, OLDEST)
