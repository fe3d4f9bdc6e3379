"""A backup in a store: an object with the compressed database, and NAME.manifest.json, which is written last.

Only what has a manifest is a backup. Format 3 names the canary, 2 knew of none. Format 1 is that of a plain copy
(manifest.py), and is part of both.
"""

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.backup.copies.manifest import Manifest
from app.backup.stores.store import Store
from app.errors import Mismatch, NotFound

ENDING = ".manifest.json"
OBJECT_ENDINGS = (".db.zst.age", ".db.zst")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*-(?P<time>\d{8}T\d{6}Z)-[0-9a-f]{8}")
DEPLOYMENT = re.compile(r"-id(?P<number>[0-9a-f]{8})-\d{8}T\d{6}Z-[0-9a-f]{8}")
"""The end of the name of a backup, and what stands in that of each object and record of it."""

CLOCKS_DIFFER = timedelta(minutes=10)
"""What lies further in the future was written by a clock that was wrong: nothing waits for that time."""


class StoredBackup(BaseModel):
    """What was true of the backup when it was made. `scheduled_for` is None where a person asked for it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal[2, 3] = 3
    name: str
    object: str
    object_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    object_size_bytes: int = Field(ge=0)
    recipients: tuple[str, ...]
    """The public keys of age for which it is encrypted; none: it is not."""
    database: Manifest
    storage_profile: Literal["shared", "exclusive"]
    scheduled_for: AwareDatetime | None
    how_to_restore: tuple[str, ...]
    canary: str | None = None
    """The row that was written to the database just before (app/database/canary.py); None where none could be."""

    @model_validator(mode="after")
    def _is_of_one_piece(self) -> Self:
        if not is_name(self.name) or self.object != object_of(self.name, encrypted=bool(self.recipients)):
            raise ValueError("the names in it are not those of one backup")
        return self

    @property
    def created_at(self) -> datetime:
        return self.database.created_at

    def as_bytes(self) -> bytes:
        return self.model_dump_json(indent=2).encode() + b"\n"


def new_name(stem: str, at: datetime, deployment: str | None = None) -> str:
    """One that is never used again: what was once written is never written over. `stem`: of the database's file.
    `deployment`: the number of who makes it (deployment.py).

    Of two that are made in one second, the later one's name is the greater.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).lstrip("-.") or "database"
    since = min(max(0, (datetime.now(UTC) - at) // timedelta(milliseconds=1)), 0xFFFF)
    whose = f"-id{deployment}" if deployment else ""
    return f"{plain}{whose}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{since:04x}{secrets.token_hex(2)}"


def deployment_in(name: str) -> str | None:
    """The number of who made the backup, or the object or record of one, that is called `name`; None without one."""
    found = DEPLOYMENT.search(name)
    return found["number"] if found else None


def object_of(name: str, *, encrypted: bool) -> str:
    return name + OBJECT_ENDINGS[0 if encrypted else 1]


def manifest_of(name: str) -> str:
    return name + ENDING


def is_name(text: str) -> bool:
    """Of a backup, with a time that there is: 20269999T999999Z is somebody else's."""
    found = NAME.fullmatch(text)
    return found is not None and parse_time(found["time"]) is not None


def time_of(name: str) -> datetime:
    """When the backup of that name was made."""
    found = NAME.fullmatch(name)
    at = parse_time(found["time"]) if found else None
    assert at, name
    return at


def by_time(name: str) -> tuple[datetime, str]:
    """To sort names by, the newest last: also those of one second, whoever has made them."""
    return time_of(name), name[-8:]


def parse_time(text: str) -> datetime | None:
    """20261127T031500Z; None where there is no such time."""
    with suppress(ValueError):
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return None


def names_in(store: Store) -> list[str]:
    """Of all backups there, the newest last. A manifest whose object is gone is none: nothing could be restored."""
    return _names_in(store, whole=True)


def manifests_without_object(store: Store) -> list[str]:
    """Of the manifests whose object somebody has taken away."""
    return _names_in(store, whole=False)


def _names_in(store: Store, *, whole: bool) -> list[str]:
    there = {entry.name for entry in store.entries()}
    names = (each.removesuffix(ENDING) for each in there if each.endswith(ENDING))
    found = (
        name for name in names if is_name(name) and any(name + ending in there for ending in OBJECT_ENDINGS) is whole
    )
    return sorted(found, key=by_time)


def without_future(names: Iterable[str], now: datetime) -> list[str]:
    """Without those of a time to come: whatever that clock said, none of them is the newest."""
    return [name for name in names if time_of(name) <= now + CLOCKS_DIFFER]


def newest_in(store: Store) -> str:
    """Raises NotFound where there is none, but of a time to come."""
    names = names_in(store)
    if there := without_future(names, datetime.now(UTC)):
        return there[-1]
    if names:
        raise NotFound(
            f"Of the {len(names)} backups in {store.url} none is past: this clock is wrong, or that of then was.",
            f"Nothing was changed. For one of them:  task-assist restore {names[0]}",
        )
    raise NotFound(f"There is no backup in {store.url}.", "To make one:  task-assist backup")


def newest_first(store: Store) -> Iterator[StoredBackup]:
    """Those whose manifest can be read, and none of a time to come; each is fetched when it is asked for."""
    for name in reversed(without_future(names_in(store), datetime.now(UTC))):
        with suppress(Mismatch, NotFound):
            yield read_stored_backup(store, name)


def read_stored_backup(store: Store, name: str) -> StoredBackup:
    """Raises NotFound, and Mismatch for a manifest that can't be understood or is another backup's."""
    where = f"{store.url}/{manifest_of(name)}"
    try:
        stored = StoredBackup.model_validate_json(store.read(manifest_of(name)))
    except NotFound:
        raise NotFound(
            f"There is no backup {name} in {store.url}.", "To see those that are there:  task-assist backup list"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        part = ".".join(map(str, first["loc"])) or "the file"
        raise Mismatch(
            f"{where} is not a manifest that this version understands: {part}: {first['msg']}.",
            "Nothing was changed. It was damaged, or a newer Task Assist has written it; others may be well:  "
            "task-assist backup list",
        ) from None
    if stored.name != name:
        raise Mismatch(f"{where} is the manifest of another backup, {stored.name}.", "Nothing was changed.")
    return stored


def how_to_restore(name: str, sha256: str, database_sha256: str, *, encrypted: bool) -> tuple[str, ...]:
    """For a day on which there is no Task Assist: lines for a shell, in the folder that the object was fetched to."""
    object_, file = object_of(name, encrypted=encrypted), f"{name}.db"
    decrypt = f"age -d -i KEY.txt {object_} | zstd -d -o {file}" if encrypted else f"zstd -d {object_} -o {file}"
    return (
        f"echo '{sha256}  {object_}' | sha256sum -c",
        decrypt,
        f"echo '{database_sha256}  {file}' | sha256sum -c",
        f"sqlite3 {file} 'PRAGMA integrity_check'",
    )
