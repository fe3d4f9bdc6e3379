"""A search index that is not sound is made anew from the tables, which hold all that is in it: nobody need restore."""

import threading
from contextlib import suppress

import structlog

from app.database.engine import Database
from app.database.search_index import IndexFault, fault_in_index, make_anew
from app.errors import Problem

log = structlog.get_logger()


def fault_in_search_index(database: Database) -> IndexFault | None:
    with database.beside() as connection:
        return fault_in_index(connection)


def check_search_index(database: Database, ending: threading.Event) -> None:
    """Mends it where it is not sound. Where the database is being closed, that has interrupted the check."""
    try:
        fault = fault_in_search_index(database)
    except Exception as error:
        if not ending.is_set():
            log.error(f"The search index of {database.storage.path} could not be checked.", exc_info=error)
        return
    if fault:
        mend_search_index(database, fault)


def mend_search_index(database: Database, fault: IndexFault) -> None:
    """Where it can't be done, the database's condition says why."""
    with suppress(Problem):
        with database.write() as session:
            make_anew(session.connection(), damaged_pages=fault.in_pages)
        log.warning(f"The search index of {database.storage.path} was not sound, and was made anew ({fault.what}).")
