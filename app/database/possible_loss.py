"""What a database may lack that was saved once, where that can't be known and the app has started all the same.

It is kept in a file beside the database, and told by the log, the doctor and /healthz until somebody who has looked
takes that file away. A restore takes it away as well: then it is another database.
"""

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path

import structlog

from app.database.condition import Condition
from app.errors import CannotStart
from app.storage.files import to_disk
from app.storage.hint_commands import WHERE_IT_RUNS
from app.storage.mounts import Storage, beside
from app.storage.owner import chown_like, owner_model

log = structlog.get_logger()


def file_of(database: Path) -> Path:
    return beside(database, ".may-lack-changes")


def note(database: Path, what: str) -> None:
    """Keeps `what` for those who come later: once, however often it is found."""
    log.warning(what)
    if what in what_is_noted(database):
        return
    file = file_of(database)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
        try:
            os.write(descriptor, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {what}\n".encode())
            os.fsync(descriptor)
            chown_like(file, owner_model(database))  # a command may be typed by root
        finally:
            os.close(descriptor)
        to_disk(file.parent)
    except (OSError, CannotStart) as error:
        log.error(f"{file} could not be written, so this is told here alone: {error}.")


def what_is_noted(database: Path) -> str:
    """Empty where nothing is, or where somebody has looked."""
    file = file_of(database)
    if file.exists() and not file.is_file():  # a pipe would be read for ever
        return f"{file}, which says what may be missing, is no file."
    try:
        return file.read_text(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"{file}, which says what may be missing, can't be read: {error.strerror}."


def look(condition: Condition, database: Path) -> None:
    """Says it at each start, and when somebody has looked."""
    before, condition.possible_loss = condition.possible_loss, what_is_noted(database)
    if condition.possible_loss != before:
        log.warning(condition.possible_loss or f"{file_of(database)} was taken away, so nothing is said to be missing.")


def forget(database: Path) -> None:
    """Another database has the place now."""
    file_of(database).unlink(missing_ok=True)


def how_to_end(storage: Storage) -> str:
    return (
        "Look whether the newest changes are there. If not, a backup may have them: task-assist restore FILE. If so:\n"
        f"  {shlex.join(('rm', str(file_of(storage.path))))}     {WHERE_IT_RUNS}"
    )
