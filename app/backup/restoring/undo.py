"""What takes the last restore back: a note beside the database, DATABASE.undo, written just before the new file takes
the place.

By time alone it can't be told: a restore that was killed before that moment has kept a copy as well, of what is still
there. So the note says which file the copy makes room for, by its inode, and what holds until then.
"""

import glob
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from pydantic import BaseModel, ConfigDict, ValidationError

from app.backup.copies import manifest
from app.backup.copies.safety_copy import BEFORE_RESTORE, Kept
from app.backup.restoring.restore import incoming_path
from app.errors import Conflict, NotFound
from app.storage.files import size_of, to_disk
from app.storage.mounts import Storage, beside
from app.storage.owner import take_after


class Note(BaseModel):
    """`kept`: the copy's name, None where none was kept. `inode`: of the file whose place it had.

    `happened`: None while that file is on its way; True from when it has the place, also where a take-over has made a
    new file of it since; False of a file that no restore has put there. `before`: of the file that goes.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    kept: str | None
    sound: bool
    inode: int
    happened: bool | None = None
    before: Optional["Note"] = None


@dataclass
class Undoable:
    """One restore. `kept`: what it has kept so far of what is there."""

    storage: Storage
    kept: Kept | None = None

    def note(self) -> None:
        """To be called, any number of times, when the new file lies ready and has not yet taken the place."""
        inode = incoming_path(self.storage.path).stat().st_ino
        _write(self.storage.path, Note(**self._copy(), inode=inode, before=_of_present(self.storage.path)))

    def note_happened(self) -> None:
        """What can't be written changes nothing of that: the inode in the note says it as well."""
        inode = _inode(self.storage.path)
        if inode is not None:
            with suppress(OSError):
                _write(self.storage.path, Note(**self._copy(), inode=inode, happened=True))

    def _copy(self) -> dict[str, Any]:
        return {"kept": self.kept.file.name if self.kept else None, "sound": bool(self.kept and self.kept.sound)}


@contextmanager
def undoable(storage: Storage) -> Iterator[Undoable]:
    """Within it the database is restored. Where that is refused, what was kept for it goes, and the note is what it
    was: `undo` must not take a try for the last restore, nor tries fill the storage."""
    database, note = storage.path, _note_of(storage.path)
    inode, earlier = _inode(database), note.read_bytes() if note.exists() else None
    this = Undoable(storage)
    try:
        yield this
    except BaseException:
        if inode is not None and _inode(database) == inode:
            _put_back(database, earlier)
            _remove_needless(database, this.kept)
        raise
    this.note_happened()


def note_begun(storage: Storage) -> None:
    """To be called before anything is kept. Killed from here on, the copy of a restore that has not happened is not
    taken for that of one which has."""
    if _valid(storage.path) is None and (present := _of_present(storage.path)):
        _write(storage.path, present)


def what_undoes(database: Path) -> Kept:
    """What the last restore has kept. Raises NotFound where it kept nothing, or there was none, and Conflict where
    that can't be told."""
    found = _valid(database)
    if found is None and _note_of(database).exists():
        raise Conflict(
            f"{_note_of(database)} speaks of another file than {database} as it is now: it can't be told what takes the"
            " last restore back.",
            _to_choose(database),
        )
    if found and found.happened is False:
        raise NotFound(
            f"No restore has changed {database}: the last one broke off before anything took the place, and what was"
            " there still is, with all that was written since.",
            _to_choose(database),
        )
    kept = _named(database, found) if found else _newest(database)
    if kept is None or not kept.file.exists():
        why = "the last restore has kept none" if found else "no restore has kept one"
        raise NotFound(
            f"There is no copy of an earlier database beside {database}: {why}.",
            "Nothing was changed. To see the backups:  task-assist backup list",
        )
    return kept


def way_back(kept: Kept) -> str:
    """The command that puts it back."""
    return f"task-assist restore {'' if kept.sound else '--as-it-is '}{shlex.quote(str(kept.file))}"


def _to_choose(database: Path) -> str:
    newest = _newest(database)
    copy = f"\nThe newest copy of an earlier database, if you want that one back:  {way_back(newest)}" if newest else ""
    return f"Nothing was changed. To see the backups:  task-assist backup list{copy}"


def _valid(database: Path) -> Note | None:
    """The note that speaks of the file which is there now."""
    try:
        note = Note.model_validate_json(_note_of(database).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    if note.happened:
        return note
    inode = _inode(database)
    return next((each for each in (note, note.before) if each and each.inode == inode), None)


def _of_present(database: Path) -> Note | None:
    """What holds of the file which is there, None without one."""
    inode, valid = _inode(database), _valid(database)
    if inode is None:
        return None
    if valid is None:
        return Note(kept=None, sound=False, inode=inode, happened=False)
    return valid.model_copy(update={"before": None, "inode": inode})


def _inode(database: Path) -> int | None:
    with suppress(FileNotFoundError):
        return database.stat().st_ino
    return None


def _note_of(database: Path) -> Path:
    return beside(database, ".undo")


def _write(database: Path, note: Note) -> None:
    _put(database, note.model_dump_json().encode())


def _put(database: Path, data: bytes) -> None:
    partial = beside(database, ".undo.partial")
    try:
        partial.write_bytes(data)
        to_disk(partial)
        take_after(partial, database)
        partial.replace(_note_of(database))
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _put_back(database: Path, earlier: bytes | None) -> None:
    """Where there is no room for it, the note that is there says the same of the file that is there, by its inode."""
    if earlier is None:
        _note_of(database).unlink(missing_ok=True)
    elif _note_of(database).read_bytes() != earlier:
        with suppress(OSError):  # what the restore was refused for is what is to be told
            _put(database, earlier)


def _remove_needless(database: Path, kept: Kept | None) -> None:
    """Not what was kept byte for byte with a log that is no longer beside the database."""
    if kept is None:
        return
    logs = [(file, beside(database, file.name.removeprefix(kept.file.name))) for file in kept.files]
    if kept.sound or all(size_of(copy) == size_of(there) for copy, there in logs):
        for file in (manifest.path_for(kept.file), *kept.files):
            file.unlink(missing_ok=True)


def _named(database: Path, note: Note) -> Kept | None:
    file = database.with_name(note.kept) if note.kept else None
    return Kept(file, [file], sound=note.sound) if file else None


def _newest(database: Path) -> Kept | None:
    """Where no note says it: from before there were notes."""
    found = database.parent.glob(f"{glob.escape(database.stem)}-{BEFORE_RESTORE}-*.db")
    files = [file for file in found if file.is_file() and not file.is_symlink()]
    newest = max(files, key=lambda file: (file.stat().st_mtime_ns, file.name), default=None)
    return Kept(newest, [newest], sound=manifest.path_for(newest).exists()) if newest else None
