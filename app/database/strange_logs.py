"""A -wal or -journal that is not that of the file beside it: SQLite goes by the names alone, and would mix the two.

The app's own databases are in WAL mode, and its backups in rollback mode, so a log beside a backup is another one's. A
rollback journal is only ever made by the app for the first page of a new file, or to switch a whole file's mode.
Layouts: sqlite.org/fileformat2, "The Database Header", "The Rollback Journal".
"""

import os
import struct
from pathlib import Path

from app.database.broken_log import refuse_broken_log
from app.database.header import read_header
from app.errors import StrangeLog
from app.storage.delegations import open_undelegated
from app.storage.files import JOURNAL, is_there, sidecars, size_of
from app.storage.hint_commands import set_aside
from app.storage.mounts import beside

LARGEST_PAGE = LARGEST_SECTOR = 1 << 16
CHANGED_BY_A_SWITCH = (range(18, 20), range(24, 28), range(92, 100))
"""Of the header: both versions, the change counter, and for which change the number of pages was true."""

UNLESS_UNFINISHED = "If another program was killed while it changed this file, open it with that one again. "


def refuse_strange_log(database: Path) -> None:
    """Raises StrangeLog where SQLite would bring another database's changes into this one, and BrokenLog where it would
    leave out some of its own. Only reads."""
    for log in sidecars(database):
        is_wal = log.name.endswith("-wal")
        if not (_is_own_wal(database) if is_wal else _is_own_journal(log, database)):
            raise _strange(log, database, unless="" if is_wal else UNLESS_UNFINISHED)
    refuse_broken_log(database)


def _strange(log: Path, database: Path, unless: str) -> StrangeLog:
    return StrangeLog(
        f"{log.name} ({size_of(log):,} bytes) is not the log of {database} beside it, but that of a database that was"
        " there before. SQLite would mix the two without a word.",
        f"Nothing was changed. {unless}To go on with what {database.name} holds, set the log aside, where both are (in "
        f"the container: docker compose exec app ...):\n  {set_aside(log)}",
    )


def lacks_its_log(database: Path) -> bool:
    """Is there no -wal beside a file in WAL mode? While it is open there always is one."""
    in_wal_mode = bool(size_of(database)) and read_header(database).mode == "wal"
    return in_wal_mode and not is_there(beside(database, "-wal"))


def starts_a_database(journal: Path) -> bool:
    """Is it of the first change ever made to a file? Before that one the file had no page."""
    head = _start(journal, LARGEST_SECTOR)
    return not head.startswith(JOURNAL) or _facts(head)[0] == 0


def _is_own_wal(database: Path) -> bool:
    header = read_header(database)
    return header.start != b"" and header.mode != "rollback"


def _is_own_journal(journal: Path, database: Path) -> bool:
    head = _start(journal, LARGEST_SECTOR + LARGEST_PAGE + 8)
    if not head.startswith(JOURNAL):
        return True  # which SQLite takes for an ended one
    pages, sector, page = _facts(head)
    if pages == 0:
        return size_of(database) <= page
    if size_of(database) != pages * page:
        return False
    number, before = head[sector : sector + 4], head[sector + 4 : sector + 4 + page]
    only_the_first = size_of(journal) <= sector + page + 8 and int.from_bytes(number, "big") in (0, 1)
    return only_the_first and (not before or _switched(before) == _switched(_start(database, page)))


def _facts(journal: bytes) -> tuple[int, int, int]:
    """How many pages the database had, the bytes of a sector, and those of a page."""
    pages, sector, page = struct.unpack_from(">III", journal.ljust(28, b"\0"), 16)
    return pages, sector, page


def _switched(page: bytes) -> bytes:
    """A first page without what a switch of its file's mode changes in it."""
    same = bytearray(page)
    for part in CHANGED_BY_A_SWITCH:
        same[part.start : part.stop] = bytes(len(part))
    return bytes(same)


def _start(file: Path, size: int) -> bytes:
    descriptor = open_undelegated(file, os.O_RDONLY)
    try:
        return os.pread(descriptor, size, 0)
    finally:
        os.close(descriptor)
