"""A database whose file somebody has removed or replaced while it was being prepared, which no request has seen yet."""

import shlex
from pathlib import Path

from app.database.engine import Database
from app.errors import Problem, Replaced
from app.storage.led_elsewhere import LedElsewhere
from app.writer.checkup import Keep


def copy_if_replaced(database: Database, keep: Keep) -> Replaced | None:
    """To be called before it is closed. What happened and where the copy is; None where its names lead to it still."""
    try:
        database.look_at_name()
    except Replaced as lost:
        return Replaced(lost.message, _what_became_of_it(database, keep))
    except LedElsewhere:
        return None  # the file itself is where it was
    return None


def _what_became_of_it(database: Database, keep: Keep) -> str:
    try:
        copy: Path = keep(database)
    except Problem as problem:
        return f"What was open of it could not be copied: {problem}"
    return (
        f"What it held is kept in {copy}. The app goes on by itself with what is there now. To go on with the copy:\n"
        f"  task-assist restore {shlex.quote(str(copy))}     where the app runs"
    )
