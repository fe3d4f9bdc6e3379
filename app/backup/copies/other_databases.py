"""Other databases of Task Assist near an empty one: perhaps one of them was meant, and DATABASE_PATH is typed wrong."""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import structlog
from sqlalchemy import text

from app.backup.copies.overwrite_rules import items_and_tasks_in
from app.database.engine import Database
from app.database.header import read_header
from app.database.sqlite import APPLICATION_ID
from app.errors import Problem
from app.storage.mounts import Storage, files_beside

log = structlog.get_logger()

SHOWN = 3
LOOKED_AT = 1000
"""Files in a folder: a volume of another app may hold millions."""


def warn_of_other_databases(database: Database) -> None:
    """Says so in the log, in one line, if the open database is empty and there are others."""
    with database.read() as session:
        if session.execute(text("SELECT 1 FROM work_items LIMIT 1")).first():
            return
    try:
        said = other_filled_databases(database.storage, database.has_open)
    except (OSError, Problem) as error:  # it is advice: no start fails for it
        said = f"{database.storage.path} is empty, and what lies beside it can't be looked at: {error}"
    if said:
        log.warning(said)


def other_filled_databases(storage: Storage, has_open: Callable[[Path], bool] = lambda _: False) -> str:
    """One sentence that names them and says what to do; empty where there are none. Only reads.

    `has_open`: of a file that this process has open by another name, which is left alone.
    """
    found = [f"{file} holds {count:,} items and tasks" for file, count in islice(_filled(storage, has_open), SHOWN)]
    if not found:
        return ""
    return (
        f"{storage.path} is empty, but {', '.join(found)}. If that is the one you mean, name it in DATABASE_PATH; "
        "if it is a backup:  task-assist restore FILE"
    )


def _filled(storage: Storage, has_open: Callable[[Path], bool]) -> Iterator[tuple[Path, int]]:
    """Beside the database, and at the top of its own mount."""
    folders = [storage.path.parent, *([Path(storage.mount.point)] if storage.own_mount else [])]
    for folder in dict.fromkeys(folders):
        names = os.listdir(folder) if os.access(folder, os.R_OK | os.X_OK) else []
        for name in sorted(names)[:LOOKED_AT]:
            file = folder / name
            if _is_another(file, storage.path, has_open) and (count := items_and_tasks_in(file)):
                yield file, count


def _is_another(file: Path, database: Path, has_open: Callable[[Path], bool]) -> bool:
    """Never opens a file that SQLite has open, by whatever name: closing it again would drop SQLite's locks on it."""
    try:
        if (
            not file.is_file()
            or has_open(file)
            or any(own.exists() and file.samefile(own) for own in _opened_by_sqlite(database))
        ):
            return False
        header = read_header(file)
    except OSError:  # another user's
        return False
    return header.is_sqlite and header.application_id == APPLICATION_ID


def _opened_by_sqlite(database: Path) -> list[Path]:
    return [database, *files_beside(database)]
