"""A backup is not replaced by one with far fewer rows: that is how an emptied database takes the good backup along."""

import shlex
from contextlib import suppress
from pathlib import Path

from app.backup import manifest
from app.database.contents import read_contents
from app.database.sqlite import opened, unchanging
from app.errors import Conflict, Refused

COUNTED = ("work_items", "tasks")
FAR = 2


def refuse_to_replace_fuller(file: Path, rows: dict[str, int]) -> None:
    """Raises Conflict where `file` holds more than twice as many items and tasks, trash included, as `rows` says."""
    there, now = items_and_tasks_in(file), _counted(rows)
    if there > FAR * now:
        raise Conflict(
            f"{file} holds {there:,} items and tasks, and the database only {now:,}: it was not replaced.",
            f"Choose another name. If the database is right, move that backup away first:  {_moved(file)}",
        )


def _moved(file: Path) -> str:
    old = file.with_name(f"{file.name}.old")
    pairs = [(file, old), (manifest.path_for(file), manifest.path_for(old))]
    return " && ".join(shlex.join(("mv", str(here), str(there))) for here, there in pairs if here.exists())


def _counted(rows: dict[str, int]) -> int:
    return sum(rows.get(table, 0) for table in COUNTED)


def items_and_tasks_in(file: Path) -> int:
    """0 also for what is no database of Task Assist."""
    return _counted(_rows_in(file))


def _rows_in(file: Path) -> dict[str, int]:
    """By its manifest, else by its tables; none for what is no backup."""
    if not file.is_file():
        return {}
    with suppress(Refused):
        if proof := manifest.read(file):
            return proof.rows
    with suppress(Refused), opened(unchanging(file), file) as connection:
        return read_contents(connection, file).rows
    return {}
