"""What is in a folder that should hold a database, told without writing anything: it may be mounted read-only."""

import os
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.backup.copies.verify import refuse_not_sqlite
from app.database.contents import Contents, read_contents
from app.database.header import read_header
from app.database.sqlite import opened, unchanging, uri_of
from app.database.strange_logs import refuse_strange_log
from app.errors import Broken, Held, Refused, Unreadable
from app.storage.files import JOURNAL
from app.storage.mounts import Profile, beside, storage_under

WAIT_SECONDS = 1
"""For another process to let go of a database: who only looks is told at once that it is in use."""
SHOWN = 1000
"""Files, at most: a volume of another app may hold millions."""


def facts_of(folder: Path) -> dict[str, Any]:
    """The folder's file system, owner and files, as JSON; of Task Assist's databases what they hold."""
    status, room = folder.stat(), shutil.disk_usage(folder)
    storage = storage_under(folder / "task_manager.db")
    unreadable: list[str] = []
    files = sorted(_files(folder, unreadable))
    return {
        "file_system": storage.mount.filesystem,
        "profile": storage.profile,
        "free_bytes": room.free,
        "total_bytes": room.total,
        "owner": status.st_uid,
        "writable": _writable(status),
        "size_bytes": sum(file.lstat().st_size for file in files),
        "files": [_facts_of_file(file, folder, storage.profile) for file in files[:SHOWN]],
        "files_not_shown": len(files[SHOWN:]),
        "folders_not_readable": unreadable,
    }


def _files(folder: Path, unreadable: list[str]) -> list[Path]:
    found = []
    for above, _, names in os.walk(folder, onerror=lambda error: unreadable.append(str(error.filename))):
        found += [Path(above, name) for name in names]
    return found


def _facts_of_file(file: Path, folder: Path, profile: Profile) -> dict[str, Any]:
    status = file.lstat()
    readable = stat.S_ISREG(status.st_mode) and os.access(file, os.R_OK)
    return {
        "name": str(file.relative_to(folder)),
        "size_bytes": status.st_size,
        "changed_at": datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds"),
        "owner": status.st_uid,
        "readable": readable,
        "writable": _writable(status),
        "database": _facts_of_database(file, profile) if readable else None,
    }


def _facts_of_database(file: Path, profile: Profile) -> dict[str, Any] | None:
    """None for what is no SQLite database; "problem" is why it can't be used as Task Assist's."""
    header = read_header(file)
    if not header.is_sqlite:
        return None
    in_use = beside(file, "-wal").exists()
    try:
        if in_use and profile == "exclusive":
            # Opening it would hang on NFS until the app ends.
            raise Held("The app may have it for itself: its -wal is there.", "Stop the app to look inside.")
        refuse_not_sqlite(file)
        refuse_strange_log(file)
        refuse_unfinished(file)
        contents = _contents_with_log(file) if in_use else _contents(file, unchanging(file))
    except Refused as refused:
        return {"problem": refused.as_dict()}
    return {"problem": None, "rows": contents.rows, "revision": contents.revision, "journal_mode": header.mode}


def refuse_unfinished(file: Path) -> None:
    """Raises Held where a change to the file was begun and not ended: only a writer can undo it (hot journal)."""
    journal = beside(file, "-journal")
    try:
        with journal.open("rb") as reading:
            begun = reading.read(len(JOURNAL)) == JOURNAL
    except OSError:  # there is none, or it is another user's, which is said of the file itself
        return
    if begun:
        raise Held(
            f"{file} is in the middle of a change that was not finished: what undoes it is in {journal.name}.",
            "A backup undoes it, and so does the next start of the app; then it can be looked into.",
        )


def _contents(file: Path, uri: str) -> Contents:
    with opened(uri, file, wait=WAIT_SECONDS) as connection:
        return read_contents(connection, file)


def _contents_with_log(file: Path) -> Contents:
    """Of a database with a -wal beside it. SQLite can't read that here, where it can't write, without its -shm."""
    log, index = (beside(file, ending) for ending in ("-wal", "-shm"))
    try:
        return _contents(file, uri_of(file, "ro"))
    except (Broken, Unreadable):
        if index.exists():
            raise
    if log.stat().st_size:
        raise Held(
            f"{file} has a -wal of a killed app beside it, which can't be read without writing.",
            "A backup brings it in, and so does the next start of the app; then it can be looked into.",
        )
    return _contents(file, unchanging(file))


def _writable(status: os.stat_result) -> bool:
    """By owner and mode, since this may be looking through a read-only mount."""
    bits = stat.S_IWUSR if status.st_uid == os.getuid() else stat.S_IWOTH
    return os.getuid() == 0 or bool(status.st_mode & bits)
