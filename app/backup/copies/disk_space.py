"""Is there room beside the database for what a backup, a restore or a drill writes there? It is said before."""

import shutil
from collections.abc import Callable
from pathlib import Path

from app.errors import StorageFull


def refuse_without_room(database: Path, *, coming: int, kept: int = 0) -> None:
    """Raises StorageFull. `coming`: bytes of what takes the place; `kept`: of what is there and is copied first."""
    if shutil.disk_usage(database.parent).free < coming + kept:
        raise no_room(database, coming=coming, kept=kept)


def no_room(database: Path, *, coming: int, kept: int = 0) -> StorageFull:
    if kept and coming:
        needed = (
            f" for two copies: {kept:,} bytes to keep what is there now, and {coming:,} for what is put in its place."
        )
    elif kept:
        needed = f" to keep a copy of what is there now: {kept:,} bytes are needed."
    else:
        needed = f": {coming:,} bytes are needed."
    return StorageFull(
        f"There is no room beside {database}{needed} {shutil.disk_usage(database.parent).free:,} are free.",
        "Nothing was changed. Make the volume or share larger, or free some space.",
    )


def announce_space_needed(doing: str, folder: Path, needed: int, say: Callable[[str], None]) -> None:
    """Where a copy will lie for a while, and the bytes that it takes. Raises StorageFull where it would not fit."""
    free = refuse_without_room_for_copy(folder, needed)
    say(f"{doing} to {folder} first: {needed:,} bytes are needed there for a while, {free:,} are free.")


def refuse_without_room_for_copy(folder: Path, needed: int) -> int:
    """The bytes that are free. Raises StorageFull where a copy of `needed` bytes would not fit into `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFull(
            f"There is no room in {folder} for a copy of the database: {needed:,} bytes are needed, {free:,} are free.",
            "Nothing was changed. Make the volume or share larger, or free some space.",
        )
    return free
