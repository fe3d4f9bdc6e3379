"""The copy of what is in the database's place, made beside it before something else takes that place."""

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


def keep(storage: Storage, occasion: str) -> Kept | None:
    """None where there is no database. Raises Held where another process has it, StorageFull, and Foreign."""
    if not size_of(storage.path):
        return None  # a log alone is set aside by the restore
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
    except OSError as error:
        for ending in endings:
            beside(kept, ending).unlink(missing_ok=True)
        if not is_no_room(error):
            raise
        raise StorageFull(
            f"There is no room beside {storage.path} to keep what is there.",
            "Nothing was changed. Make the volume or share larger, or free some space.",
        ) from error
