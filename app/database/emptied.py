"""A database that is empty though it was not, which is not started as a new one.

A first start that lost power on its way goes on by itself: it has left a file of one page at most, and no lease that
knows a schema.
"""

from contextlib import suppress
from pathlib import Path

from app.database.contents import read_contents, refuse_foreign, revision_of
from app.database.sqlite import opened, unchanging
from app.database.strange_logs import lacks_its_log, starts_a_database
from app.errors import Emptied, Refused
from app.storage.files import is_there, sidecars, size_of
from app.storage.hint_commands import WHERE_IT_RUNS
from app.storage.mounts import Storage, files_beside

START_EMPTY = """\
If it was emptied on purpose, begin with an empty one:
  task-assist start-empty      where the app runs"""
PUT_BACK = f"""\
Nothing was changed. Put the file back, or a backup of it; the app then goes on by itself:
  task-assist restore FILE     {WHERE_IT_RUNS}
{START_EMPTY}"""


def refuse_emptied(storage: Storage, schema: str | None) -> None:
    """Raises Emptied where the file is gone or holds nothing. Only reads.

    `schema` is what the last instance saw in it, None where none came so far. What SQLite has to bring together first,
    a file and its -wal, is looked at when it is open (`emptied()`).
    """
    file = storage.path
    if not size_of(file):
        what = f"{file} is empty (0 bytes)" if is_there(file) else f"{file} is gone"
        if left := [log for log in sidecars(file) if log.name.endswith("-wal") or not starts_a_database(log)]:
            raise _emptied(f"{what}, but a database's log is beside it: {left[0].name}, {size_of(left[0]):,} bytes.")
        if schema:
            raise _emptied(f"{what}, but the last Task Assist that ran here had a database in it (schema {schema}).")
    elif schema and holds_nothing(file):
        raise emptied(file, schema)


def holds_nothing(file: Path) -> bool:
    """Is there no file, or one without tables and without a log that may bring them? Only reads."""
    return not sidecars(file) and (not size_of(file) or _rows_in(file) is None)


def emptied(file: Path, schema: str) -> Emptied:
    return _emptied(f"{file} holds no tables, but the last Task Assist that ran here had some (schema {schema}).")


def refuse_half_copied(storage: Storage) -> None:
    """Raises Emptied for a file that was copied without the -wal in which all that it held was. Only reads.

    For a place where no instance has ever been. A file that an app has closed looks the same, but that one has rows.
    """
    file = storage.path
    alone = not any(map(is_there, files_beside(file)))
    if alone and lacks_its_log(file) and not _rows_in(file):
        raise Emptied(
            f"{file} holds nothing, as if it had been copied from a running app without the {file.name}-wal beside it.",
            "Nothing was changed. Copy both, or better take a backup where that app runs, and put it here:\n"
            f"  task-assist snapshot FILE    where that app runs (docker compose exec app ...)\n{START_EMPTY}",
        )


def _emptied(what: str) -> Emptied:
    return Emptied(what, PUT_BACK)


def _rows_in(file: Path) -> int | None:
    """Of all tables in a file without logs; None without tables, -1 for what is no database of Task Assist."""
    with suppress(Refused), opened(unchanging(file), file) as connection:
        refuse_foreign(connection, file)
        if revision_of(connection) is None:
            return None
        return sum(read_contents(connection, file).rows.values())
    return -1
