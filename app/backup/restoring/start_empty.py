"""Lets the next start begin with an empty database in a place where one was."""

from collections.abc import Callable
from pathlib import Path

from app.backup.restoring.restore import clear_the_place
from app.database import possible_loss
from app.database.contents import read_contents, refuse_foreign, revision_of
from app.database.sqlite import opened, sqlite_uri
from app.database.strange_logs import refuse_strange_log
from app.errors import Conflict
from app.storage.cant_open import refuse_what_is_no_file
from app.storage.files import size_of
from app.storage.guard import refuse_unwritable
from app.storage.led_elsewhere import forget_links
from app.storage.mounts import Storage


def start_empty(storage: Storage, sure: Callable[[], None]) -> list[Path]:
    """Sets the log aside that a removed database left, and gives the names it has now. Nothing may have it open.

    Raises Conflict for a database that holds rows, and what `sure` raises, which is called before anything is changed.
    """
    refuse_unwritable(storage)
    refuse_what_is_no_file(storage)
    if size_of(storage.path):
        refuse_strange_log(storage.path)
        _refuse_filled(storage)
    sure()
    forget_links(storage)
    aside = clear_the_place(storage)
    possible_loss.forget(storage.path)
    return aside


def _refuse_filled(storage: Storage) -> None:
    with opened(sqlite_uri(storage, "rw"), storage.path) as connection:
        refuse_foreign(connection, storage.path)
        rows = read_contents(connection, storage.path).rows if revision_of(connection) else {}
    if any(rows.values()):
        found = ", ".join(f"{count:,} {table}" for table, count in rows.items() if count)
        raise Conflict(
            f"{storage.path} is not empty: {found}.",
            "Nothing was changed. Start the app, or move the file away to begin without it.",
        )
