"""A -wal that lacks changes which were saved: it was overwritten, cut short or removed after the app was killed.

SQLite reads a log up to the first frame that is not whole, and says nothing of the rest. That is right behind a power
cut, where the rest was never acknowledged; wal.py has what tells the two apart.
"""

from contextlib import suppress
from pathlib import Path

from app.database.header import read_header
from app.database.wal import WAL_HEADER, Index, read_index, read_log
from app.errors import StrangeLog
from app.storage.files import is_there, size_of
from app.storage.hint_commands import WHERE_IT_RUNS, one_a_line, set_aside
from app.storage.mounts import beside


class BrokenLog(StrangeLog):
    """Its own -wal lacks changes that were saved."""

    code = "broken_log"


def refuse_broken_log(database: Path) -> None:
    """Raises BrokenLog where saved changes can only be lost. Only reads.

    Without the index, which is on local disks only, a log that was cut at any place can't be told from a whole one.
    """
    before = _moment(database)
    problem = _broken(database)
    if problem and _moment(database) == before:  # else somebody is writing there just now
        raise problem


def log_was_emptied(database: Path) -> bool:
    """Is nothing in the log though its index tells of changes that only it had? A power cut leaves that, too: the file
    had them all, and of emptying the log the index's last word did not get to the disk."""
    wal, index = beside(database, "-wal"), read_index(beside(database, "-shm"))
    return index is not None and index.needs_log and is_there(wal) and size_of(wal) <= WAL_HEADER


def log_cant_be_judged(database: Path) -> bool:
    """Does the log hold something, and is its index gone, which tells how much that must be? To be asked of a database
    that was shared: there the index stays after a kill, and gets to the disk not later than the log."""
    wal = beside(database, "-wal")
    return size_of(wal) > WAL_HEADER and not is_there(beside(database, "-shm")) and read_log(wal) is not None


def _broken(database: Path) -> BrokenLog | None:
    wal, shm = beside(database, "-wal"), beside(database, "-shm")
    header = read_header(database) if size_of(database) else None
    if header is None or header.mode != "wal":
        return None
    index = read_index(shm)
    if not is_there(wal):
        return _removed(database, wal, shm) if index and index.needs_log else None
    if size_of(wal) <= WAL_HEADER:
        return None
    log = read_log(wal)
    if log is None and size_of(database) <= header.page_bytes:
        return None  # a first start that was cut off; where there were tables once, emptied.py says so
    if log is None or log.later_commits > 1:
        return _overwritten(database, wal, [file for file in (wal, shm) if is_there(file)])
    if index and index.salts == log.salts and log.frames < index.frames:
        return _cut(wal, shm, log.frames, index)
    return None


def _removed(database: Path, wal: Path, shm: Path) -> BrokenLog:
    return BrokenLog(
        f"{wal} is gone, and changes that were saved were only in it: somebody removed it. {database} lacks them.",
        f"{_back(wal)}\nTo go on without these changes, set aside what tells of them, there too:\n{_set_aside([shm])}",
    )


def _overwritten(database: Path, wal: Path, files: list[Path]) -> BrokenLog:
    return BrokenLog(
        f"{wal} ({size_of(wal):,} bytes) is damaged: a part of it is overwritten, and SQLite would leave out the "
        "changes from there on, which were saved.",
        f"{_back(wal)}\nTo go on with what {database.name} holds, without the log, set that aside, there too:\n"
        f"{_set_aside(files)}",
    )


def _cut(wal: Path, shm: Path, there: int, index: Index) -> BrokenLog:
    """Where the file has more of the changes than the rest of the log, SQLite would read older pages from that one."""
    what, files = ("the log's index", [shm]) if there >= index.folded else ("the log and its index", [wal, shm])
    return BrokenLog(
        f"{wal} is damaged or cut short: {there:,} of {index.frames:,} pages in it can be read, and the others hold "
        "changes that were saved.",
        f"{_back(wal)}\nTo go on without these changes, set aside what tells of them ({what}), there too:\n"
        f"{_set_aside(files)}",
    )


def _back(wal: Path) -> str:
    return (
        f"Nothing was changed. Put {wal.name} back as it was, or a backup in the place of both; the app then goes on by"
        f" itself:\n  task-assist restore FILE     {WHERE_IT_RUNS}"
    )


def _set_aside(files: list[Path]) -> str:
    return one_a_line(*map(set_aside, files))


def _moment(database: Path) -> tuple[object, ...]:
    """Changes with each commit and each checkpoint: by another program, since no app has the file."""
    wal, shm, found = beside(database, "-wal"), beside(database, "-shm"), []
    for file in (database, wal, shm):
        with suppress(FileNotFoundError):
            status = file.stat()
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return (*found, read_index(shm))
