"""Which statements run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from app.database import kept, search_index
from app.database.engine import Database
from app.database.kept import run


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, tuple]]]:
    """Those that run inside the block, with what they are given."""
    ran: list[tuple[str, tuple]] = []

    def note(_connection, _cursor, statement: str, parameters, *_) -> None:
        rows = [each for each in parameters if isinstance(each, tuple)]
        ran.append((statement, rows[0] if rows else parameters))

    def note_and_run(connection: Connection, sql: str, parameters: Sequence[Any]) -> Any:
        ran.append((sql, tuple(parameters)))
        return run(connection, sql, parameters)

    event.listen(database._engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        for module in (kept, search_index):
            patch.setattr(module, "run", note_and_run)
        yield ran
    event.remove(database._engine, "before_cursor_execute", note)
