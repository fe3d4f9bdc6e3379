"""Was the file of the open database made shorter? What is gone then, SQLite may have in memory for a while yet."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from app.database.condition import Condition, damaged
from app.errors import Damaged, Problem, Unwell
from app.storage.mounts import Storage


class TruncationWatch:
    """Of the open file. `connection` gives SQLite's own to the database."""

    def __init__(
        self, storage: Storage, condition: Condition, connection: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        self._storage, self._condition, self._connection = storage, condition, connection
        self._longest, self._looking = 0, threading.Lock()

    def look(self) -> Unwell | None:
        """Stops all writes, and says why, where bytes are gone that the database counts as its own.

        On a local disk alone: of a share, a client may know late how long a file is. The app never makes the file
        shorter; somebody's VACUUM does, and then the database has fewer pages. What is gone must be seen before the
        next log is folded in: that makes the file as long as before, with zeros.
        """
        if self._storage.profile != "shared" or self._condition.knows(Damaged):
            return None
        with self._looking:  # else one who looked before it grew would compare that with what another one saw after
            try:
                size = self._storage.path.stat().st_size
            except OSError:  # whether the name is there is another question (open_file.py)
                return None
            if size < self._longest:
                return self._made_shorter(size)
            self._longest = size
        return None

    def _made_shorter(self, size: int) -> Unwell | None:
        try:
            if self._counted() < self._longest:
                self._longest = size
                return None
        except Damaged as damage:  # it is reported already
            return damage
        except Problem:  # no connection just now: the next look asks again
            return None
        what = f"it had {self._longest:,} bytes while it was open, and somebody made it {size:,}"
        return self._condition.report(damaged(self._storage.path, what))

    def _counted(self) -> int:
        with self._connection() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            return pages * connection.execute("PRAGMA page_size").fetchone()[0]
