"""The open database for one command. Apart from exclusive.py, whose other callers do without SQLAlchemy."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.database.engine import Database
from app.storage.mounts import Storage
from app.writer.exclusive import exclusive_access


@contextmanager
def exclusive_database(storage: Storage, *, by_force: bool = True) -> Iterator[Database]:
    """The open database, which nobody else has; see `exclusive_access`."""
    with exclusive_access(storage, by_force=by_force) as alone:
        database = Database(storage, schema=alone.found.schema)
        try:
            yield database
        finally:
            database.close()
