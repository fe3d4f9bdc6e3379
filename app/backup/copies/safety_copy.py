"""The copy of what is in the database's place, made beside it before something else takes that place."""

from dataclasses import dataclass
from pathlib import Path

from app.backup.copies.disk_space import no_room, refuse_without_room
from app.backup.copies.snapshot import snapshot
from app.backup.copies.staging import free_copy_name
from app.errors import CannotStart, Foreign, Held, Refused, StorageFull, is_no_room
from app.storage.files import SIDECARS, copy, size_of
from app.storage.mounts import Storage, beside
from app.storage.owner import chown_like

BEFORE_RESTORE = "before-restore"


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
    now = sum(size_of(beside(storage.path, ending)) for ending in ("", *SIDECARS))
    refuse_without_room(storage.path, coming=coming, kept=now)
    try:
        return _keep(storage, occasion)
    except StorageFull as full:
        raise no_room(storage.path, coming=coming, kept=now) from full
    except OSError as error:
        if is_no_room(error):
            raise no_room(storage.path, coming=coming, kept=now) from error
        raise


def _keep(storage: Storage, occasion: str) -> Kept:
    kept = free_copy_name(storage.path, occasion)
    try:
        snapshot(storage, kept, check="quick_check")  # the app waits
    except (Foreign, Held):
        raise
    except Refused:
        there = _endings_there(storage)  # now: SQLite may have folded the log in, and taken it away, while it was read
        _copy_as_it_is(storage, kept, there)
        return Kept(kept, [beside(kept, ending) for ending in there], sound=False)
    return Kept(kept, [kept], sound=True)


def _endings_there(storage: Storage) -> list[str]:
    return [ending for ending in ("", *SIDECARS) if size_of(beside(storage.path, ending))]


def _copy_as_it_is(storage: Storage, kept: Path, endings: list[str]) -> None:
    try:
        for ending in endings:
            copy(beside(storage.path, ending), beside(kept, ending))
            chown_like(beside(kept, ending), storage.path)
    except (OSError, CannotStart):
        for ending in endings:
            beside(kept, ending).unlink(missing_ok=True)
        raise
