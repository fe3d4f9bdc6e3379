"""What SQLite refuses while the database is open: as a sentence, and reported where it stays until it is mended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from sqlalchemy.exc import DatabaseError, TimeoutError

from app.database.condition import Condition
from app.database.sqlite_errors import busy, fault_in, fault_of_disk, problem_for_app
from app.database.write_queue import QueueTimeout
from app.errors import Damaged, Unwell
from app.storage.mounts import Storage


class Refusals:
    """Of one open database. `on_io_error`: see Database."""

    def __init__(
        self, storage: Storage, driver: ModuleType, condition: Condition, on_io_error: Callable[[], None]
    ) -> None:
        self._storage, self._driver, self._condition = storage, driver, condition
        self._on_io_error = on_io_error

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Those that a person can do something about, as sentences (sqlite_errors.py)."""
        try:
            yield
        except (QueueTimeout, TimeoutError) as error:
            raise busy() from error
        except (DatabaseError, self._driver.DatabaseError) as error:
            message = str(getattr(error, "orig", error))
            if problem := problem_for_app(self._storage, message):
                raise (self._condition.report(problem) if isinstance(problem, Unwell) else problem) from error
            if fault_in(message) == "I/O":
                if self._storage.profile == "shared":
                    raise self._met_bad_disk(message) from error
                self._on_io_error()
            raise

    def _met_bad_disk(self, message: str) -> Unwell:
        """Not the end of the process: it would end again at each request that comes to the same place of the disk."""
        return self._condition.report(self._condition.known(Damaged) or fault_of_disk(self._storage, message))
