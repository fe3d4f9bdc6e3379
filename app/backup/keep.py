"""The copy of what is in the database's place, made beside it before something else takes that place."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from app.backup.snapshot import snapshot
from app.errors import Foreign, Held, Refused, StorageFull, is_no_room
from app.storage.files import SIDECARS, copy, size_of
from app.storage.mounts import Storage, beside


@dataclass(frozen=True)
class Kept:
    """`sound`: a backup with its manifest. Else the files byte for byte, since no backup could be made of them: `file`
    and what lay beside it, with their endings."""

    file: Path
    files: list[Path]
    sound: bool


def keep(storage: Storage, occasion: str, coming: int) -> Kept | None:
    """None where there is no database. `coming`: bytes of what is to take its place, for which there must be room too.

    Raises Held where another process has it, StorageFull, and Foreign.
    """
    if not size_of(storage.path):
        return None  # a log alone is set aside by the restore
    try:
        if shutil.disk_usage(storage.path.parent).free < size_of(storage.path) + coming:
            raise _no_room(storage, coming)
        return _keep(storage, occasion)
    except StorageFull as full:
        raise _no_room(storage, coming) from full
    except OSError as error:
        if is_no_room(error):
            raise _no_room(storage, coming) from error
        raise


def _no_room(storage: Storage, coming: int) -> StorageFull:
    free = shutil.disk_usage(storage.path.parent).free
    now = sum(size_of(beside(storage.path, ending)) for ending in ("", *SIDECARS))
    return StorageFull(
        f"There is no room beside {storage.path} for two copies: {now:,} bytes to keep what is there now, and "
        f"{coming:,} for what is put in its place. {free:,} are free.",
        "Nothing was changed. Make the volume or share larger, or free some space.",
    )


def _keep(storage: Storage, occasion: str) -> Kept:
    kept = _free_name(storage.path, f"{occasion}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    try:
        snapshot(storage, kept)
    except (Foreign, Held):
        raise
    except Refused:
        there = _endings_there(storage)  # now: SQLite may have folded the log in, and taken it away, while it was read
        _copy_as_it_is(storage, kept, there)
        return Kept(kept, [beside(kept, ending) for ending in there], sound=False)
    return Kept(kept, [kept], sound=True)


def _endings_there(storage: Storage) -> list[str]:
    return [ending for ending in ("", *SIDECARS) if size_of(beside(storage.path, ending))]


def _free_name(database: Path, what: str) -> Path:
    """Two in one second are told apart by a number."""
    endings = chain([""], (f"-{number}" for number in count(2)))
    names = (database.with_name(f"{database.stem}-{what}{ending}.db") for ending in endings)
    return next(name for name in names if not name.exists())


def _copy_as_it_is(storage: Storage, kept: Path, endings: list[str]) -> None:
    try:
        for ending in endings:
            copy(beside(storage.path, ending), beside(kept, ending))
    except OSError:
        for ending in endings:
            beside(kept, ending).unlink(missing_ok=True)
        raise
