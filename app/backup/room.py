"""Is there room beside the database for what a restore writes there?"""

import shutil
from pathlib import Path

from app.errors import StorageFull


def refuse_without_room(database: Path, *, coming: int, kept: int = 0) -> None:
    """Raises StorageFull. `coming`: bytes of what takes the place; `kept`: of what is there and is copied first."""
    if shutil.disk_usage(database.parent).free < coming + kept:
        raise no_room(database, coming=coming, kept=kept)


def no_room(database: Path, *, coming: int, kept: int = 0) -> StorageFull:
    needed = (
        f"There is no room beside {database} for two copies: {kept:,} bytes to keep what is there now, and {coming:,} "
        "for what is put in its place."
        if kept
        else f"There is no room beside {database}: {coming:,} bytes are needed."
    )
    return StorageFull(
        f"{needed} {shutil.disk_usage(database.parent).free:,} are free.",
        "Nothing was changed. Make the volume or share larger, or free some space.",
    )


def refuse_without_room_for_copy(folder: Path, needed: int) -> int:
    """The bytes that are free. Raises StorageFull where a copy of `needed` bytes would not fit into `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFull(
            f"There is no room in {folder} for a copy of the database: {needed:,} bytes are needed, {free:,} are free.",
            "Nothing was changed. Make the volume or share larger, or free some space.",
        )
    return free
