"""What a backup may take the place of: nothing, or with --force an earlier backup that is not far fuller.

All else is left as it is and told by name: an emptied database must not take the good backup along, and a typed name
may be that of anything.
"""

import os
import shlex
from contextlib import suppress
from pathlib import Path

from app.backup.copies import manifest
from app.backup.copies.verify import refuse_not_sqlite, refuse_unreadable
from app.database import possible_loss
from app.database.contents import read_contents
from app.database.sqlite import opened, unchanging
from app.errors import Conflict, Refused, Unreadable
from app.storage.files import SIDECARS, sidecars
from app.storage.hint_commands import free_name, one_a_line
from app.storage.mounts import LEASE, Storage, beside, files_beside

COUNTED = ("work_items", "tasks")
FAR = 2
ANOTHER = "Nothing was changed. Choose another name."


def refuse_own(storage: Storage, file: Path) -> None:
    """Raises Unreadable where `file`, by whatever name, is the app's own. Opens nothing.

    To look into the database by another name would drop SQLite's locks on it in the app's process.
    """
    place = _in_its_folder(file)

    def is_named(own: Path) -> bool:
        return place == own or (file.exists() and own.exists() and file.samefile(own))

    if any(map(is_named, (storage.path, *files_beside(storage.path)))) or place == _in_its_folder(storage.typed):
        raise is_database(file)
    if any(map(is_named, (*incoming(storage.path), possible_loss.file_of(storage.path)))):
        raise Unreadable(f"{file} is a name that Task Assist uses itself, and what is there it takes away.", ANOTHER)
    if is_named(storage.secret):
        raise Unreadable(f"{file} is the app's own secret, which signs the sessions.", ANOTHER)
    if any(folder.name.endswith(LEASE) for folder in (place, *place.parents)):
        raise Unreadable(f"{file} is where Task Assist keeps who writes to the database.", ANOTHER)


def incoming_path(database: Path) -> Path:
    """Where a restore writes the new database before it takes the name."""
    return database.with_name(f".{database.name}.restoring")


def incoming(database: Path) -> list[Path]:
    """Its logs as well, where it is restored as it is."""
    return [beside(incoming_path(database), ending) for ending in ("", *SIDECARS)]


def is_database(file: Path) -> Unreadable:
    return Unreadable(f"{file} is the database itself.", ANOTHER)


def _in_its_folder(file: Path) -> Path:
    """Not what it leads to, where it is a link."""
    return file.parent.resolve() / file.name


def refuse_taken(file: Path, *, force: bool, rows: dict[str, int] | None = None) -> None:
    """Raises Conflict where something has the name, or that of its manifest, already, and Unreadable for a folder.

    `force`: unless that is a backup that holds at most FAR times as many items and tasks as `rows`, where these are
    known, trash included.
    """
    if file.is_dir():
        raise Unreadable(f"{file} is a folder.", f"Name a file in it:  {file / 'backup.db'}")
    if file.exists() and not file.is_file():
        raise Unreadable(f"{file} is a pipe, socket or device, not a file.", "Choose another name.")
    # Also a link that leads nowhere is something that is there.
    taken = next((name for name in (file, manifest.path_for(file)) if os.path.lexists(name)), None)
    if taken and not force:
        way = "overwrite it with --force" if taken == file else f"move that away:\n{_moved(file)}"
        raise Conflict(f"{taken} exists already.", f"Choose another name, or {way}")
    if taken:
        _refuse_link(file)
        _refuse_no_manifest(file)
        _refuse_fuller(file, rows)


def _refuse_link(file: Path) -> None:
    if file.is_symlink():
        raise Conflict(
            f"{file} is a link to {file.readlink()}. It was not replaced: --force is for backups.",
            f"Choose another name, or take the link away:\n  {shlex.join(('rm', str(file)))}",
        )


def _refuse_no_manifest(file: Path) -> None:
    """What has the manifest's name goes as well, so it must be one."""
    try:
        manifest.read(file)
    except Refused as refused:
        raise _not_replaced(refused.message, file) from None


def _refuse_fuller(file: Path, rows: dict[str, int] | None) -> None:
    there = count_items_and_tasks(_rows_of_backup(file))
    if rows is not None and there > FAR * (now := count_items_and_tasks(rows)):
        raise Conflict(
            f"{file} holds {there:,} items and tasks, and the database only {now:,}: it was not replaced.",
            f"Choose another name. If the database is right, move that backup away first:\n{_moved(file)}",
        )


def _rows_of_backup(file: Path) -> dict[str, int]:
    """By its tables, since a manifest may be another file's. None for an empty file. Raises Conflict for no backup."""
    if not file.exists() or not file.stat().st_size:
        return {}
    if beside(file, LEASE).exists():
        raise Conflict(f"{file} is the database of a Task Assist, with its {file.name}{LEASE} beside it.", ANOTHER)
    try:
        refuse_unreadable(file)
        refuse_not_sqlite(file)
        if logs := sidecars(file):
            raise _not_replaced(f"{file} is not whole without {logs[0].name} beside it, which may hold more.", file)
        with opened(unchanging(file), file) as connection:
            return read_contents(connection, file).rows
    except Refused as refused:
        raise _not_replaced(refused.message, file) from None


def _not_replaced(why: str, file: Path) -> Conflict:
    return Conflict(
        f"{why} It was not replaced: --force is for backups that this version can read.",
        f"Choose another name, or move it away first:\n{_moved(file)}",
    )


def _moved(file: Path) -> str:
    """The commands that move it away, with all that belongs to it."""
    old = free_name(file.with_name(f"{file.name}.old"))
    pairs = [(file, old), (manifest.path_for(file), manifest.path_for(old))]
    pairs += zip(files_beside(file), files_beside(old), strict=True)
    return one_a_line(*(shlex.join(("mv", str(here), str(there))) for here, there in pairs if os.path.lexists(here)))


def items_and_tasks_in(file: Path) -> int:
    """Trash included; 0 also for what is no backup of Task Assist."""
    with suppress(Refused), opened(unchanging(file), file) as connection:
        return count_items_and_tasks(read_contents(connection, file).rows)
    return 0


def count_items_and_tasks(rows: dict[str, int]) -> int:
    return sum(rows.get(table, 0) for table in COUNTED)
