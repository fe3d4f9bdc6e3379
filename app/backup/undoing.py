"""What takes the last restore back: a note beside the database, DATABASE.undo, written just before the new file takes
the place.

By time alone it can't be told: a restore that was killed before that moment has kept a copy as well, of what is still
there. So the note says which file the copy makes room for, by its inode, and what held until then.
"""

import glob
from pathlib import Path
from typing import Optional

from pydantic import BaseModel, ConfigDict, ValidationError

from app.backup import manifest
from app.backup.keep import BEFORE_RESTORE, Kept
from app.backup.restore import incoming_path
from app.errors import NotFound
from app.storage.files import to_disk
from app.storage.mounts import Storage, beside
from app.storage.owner import take_after


class Note(BaseModel):
    """`kept`: the copy's name, None where none was kept. `inode`: of the file whose place it had."""

    model_config = ConfigDict(frozen=True, strict=True)

    kept: str | None
    sound: bool
    inode: int
    before: Optional["Note"] = None


def note_undo(storage: Storage, kept: Kept | None) -> None:
    """To be called, any number of times, when the new file lies ready and has not yet taken the place."""
    database, note = storage.path, beside(storage.path, ".undo")
    made = Note(
        kept=kept.file.name if kept else None,
        sound=bool(kept and kept.sound),
        inode=incoming_path(database).stat().st_ino,
        before=_alone(_valid(database)),
    )
    partial = beside(database, ".undo.partial")
    partial.write_text(made.model_dump_json())
    to_disk(partial)
    take_after(partial, database)
    partial.replace(note)


def what_undoes(database: Path) -> Kept:
    """What the last restore has kept. Raises NotFound where it kept nothing, or there was none."""
    found = _valid(database)
    if found:
        kept = database.with_name(found.kept) if found.kept else None
        sound = found.sound
    else:
        kept = _newest(database)
        sound = bool(kept and manifest.path_for(kept).exists())
    if kept is None or not kept.exists():
        why = "the last restore has kept none" if found else "no restore has kept one"
        raise NotFound(
            f"There is no copy of an earlier database beside {database}: {why}.",
            "Nothing was changed. To see the backups:  task-assist backup list",
        )
    return Kept(kept, [kept], sound=sound)


def _valid(database: Path) -> Note | None:
    """The note that speaks of the file which is there now."""
    try:
        note = Note.model_validate_json(beside(database, ".undo").read_bytes())
        inode = database.stat().st_ino
    except (FileNotFoundError, ValidationError):
        return None
    return next((each for each in (note, note.before) if each and each.inode == inode), None)


def _alone(note: Note | None) -> Note | None:
    return note and note.model_copy(update={"before": None})


def _newest(database: Path) -> Path | None:
    """Where no note says it: on a file that a take-over has made, or from before there were notes."""
    found = database.parent.glob(f"{glob.escape(database.stem)}-{BEFORE_RESTORE}-*.db")
    files = [file for file in found if file.is_file() and not file.is_symlink()]
    return max(files, key=lambda file: (file.stat().st_mtime_ns, file.name), default=None)
