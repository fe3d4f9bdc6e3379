"""Who writes a backup's canary (app/database/canary.py): the app that has the database; without one, the command."""

import secrets
from typing import TYPE_CHECKING, Any

from app.database.canary import write_canary
from app.database.contents import revision_of
from app.database.migrations import known_revisions
from app.database.sqlite import opened, remove_old_index, sqlite_uri
from app.errors import CannotStart, Problem, problem_of
from app.operations.control.control import ask
from app.storage.mounts import Storage
from app.writer.exclusive import exclusive_access
from app.writer.safe_acquire import why_refused

if TYPE_CHECKING:
    from app.writer.instance import Instance  # the command does without SQLAlchemy


def leave_canary(storage: Storage) -> tuple[str | None, str]:
    """The word that is in the database now; or None, and why none could be written.

    What is in the way of a row need not be in the way of a backup: a full volume is read all the same, and what a
    damaged database is told by, the copy tells.
    """
    word = secrets.token_hex(8)
    try:
        if ask(storage, "canary", word=word) is None:
            _write_alone(storage, word)
    except (Problem, OSError) as error:
        return None, (problem_of(error) if isinstance(error, OSError) else error).message
    return word, ""


def written_by_app(instance: "Instance", *, word: str, progress: Any) -> dict[str, Any]:  # noqa: ARG001
    """What the running app does when it is asked; it writes as for a request, in its turn."""
    with instance.using() as database, database.write_columns() as connection:
        write_canary(connection.connection.driver_connection, word)
    return {"word": word}


def _write_alone(storage: Storage, word: str) -> None:
    """Raises Standby where an app has the database that can't be asked from here, as in another container."""
    if not storage.path.exists():
        raise CannotStart(f"There is no database at {storage.path}.")
    if refused := why_refused(storage):
        raise refused
    with exclusive_access(storage, by_force=False), opened(sqlite_uri(storage, "rw"), storage.path) as connection:
        remove_old_index(storage)
        if (schema := revision_of(connection)) != known_revisions()[-1]:
            raise CannotStart(f"{storage.path} has schema {schema}, and no app has brought it to this version's yet.")
        write_canary(connection, word)
