"""What is in the database's files is not what was written there."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.database.sqlite import opened, sqlite_uri
from app.storage.files import size_of
from app.storage.mounts import beside, storage_under
from tests.adversary.faults.fault import BROKEN_LOG, DAMAGED, GONE, Fault
from tests.adversary.world import World

PAGE_BYTES = 4096
LOG_HEADER = 32
WRITE_VERSION = 18
"""A byte of the header (sqlite.org/fileformat2)."""
INDEX = "ix_work_items_deleted_at_position"


def _folded_or_not(world: World) -> None:
    """What is in the -wal too is not lost with the file; half of the time little is."""
    if world.profile == "shared" and world.random.random() < 0.5:
        with opened(sqlite_uri(storage_under(world.database), "rw"), world.database) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def emptied(world: World) -> None:
    _folded_or_not(world)
    os.truncate(world.database, 0)


def emptied_while_stopped(world: World) -> None:
    world.stop()
    emptied(world)
    world.start()


def cut_short(world: World) -> None:
    _folded_or_not(world)
    pages = world.database.stat().st_size // PAGE_BYTES
    os.truncate(world.database, world.random.randint(1, max(1, pages - 1)) * PAGE_BYTES)


def cut_short_while_stopped(world: World) -> None:
    world.stop()
    cut_short(world)
    world.start()


def cut_short_after_a_kill(world: World) -> None:
    world.kill()
    cut_short(world)
    world.start()


def page_zeroed(world: World) -> None:
    _folded_or_not(world)
    zero_a_page(world, world.database)


def zero_a_page(world: World, file: Path) -> None:
    """dd if=/dev/zero of=task_manager.db bs=4096 seek=N count=1 conv=notrunc"""
    pages = file.stat().st_size // PAGE_BYTES
    with file.open("r+b") as opened_file:
        opened_file.seek(world.random.randrange(pages) * PAGE_BYTES)
        opened_file.write(bytes(PAGE_BYTES))


def page_zeroed_after_a_kill(world: World) -> None:
    world.kill()
    page_zeroed(world)
    world.start()


def bad_sector(world: World) -> None:
    """A page that the disk can't read any more; not the first, of which every program that looks would say so."""
    _folded_or_not(world)
    pages = world.database.stat().st_size // PAGE_BYTES
    world.bad_sector.spoil(world.database, world.random.randrange(1, pages) * PAGE_BYTES)


def log_zeroed_after_a_kill(world: World) -> None:
    """From a place on: the changes there are missing, and all that came after them."""
    world.kill()
    log = beside(world.database, "-wal")
    if (size := size_of(log)) > LOG_HEADER:
        start = world.random.randrange(LOG_HEADER, size)
        with log.open("r+b") as file:
            file.seek(start)
            file.write(bytes(size - start))
    world.start()


def log_cut_after_a_kill(world: World) -> None:
    world.kill()
    log = beside(world.database, "-wal")
    if (size := size_of(log)) > LOG_HEADER:
        os.truncate(log, world.random.randrange(LOG_HEADER, size))
    world.start()


def header_overwritten(world: World) -> None:
    """By a version of the format that no SQLite knows."""
    world.stop()
    with world.database.open("r+b") as file:
        file.seek(WRITE_VERSION)
        file.write(b"\x09")
    world.start()


def index_of_before(world: World) -> None:
    """An old page of it is written over the new one, as a disk does that loses a write: each page for itself is sound,
    and by the index a work item lies in the trash that does not."""
    world.stop()
    with closing(sqlite3.connect(world.database)) as connection:
        ids = [number for (number,) in connection.execute("SELECT id FROM work_items WHERE deleted_at IS NULL")]
        (root,) = connection.execute(f"SELECT rootpage FROM sqlite_schema WHERE name = '{INDEX}'").fetchone()
    item = world.random.choice(ids)
    _change(world, "UPDATE work_items SET deleted_at = updated_at WHERE id = ?", item)
    before = _pages(world.database)[root - 1]
    _change(world, "UPDATE work_items SET deleted_at = NULL WHERE id = ?", item)
    with world.database.open("r+b") as file:
        file.seek((root - 1) * PAGE_BYTES)
        file.write(before)
    world.start()


def _change(world: World, sql: str, *values: int) -> None:
    """By the last one that has it open, so that all is in the file afterwards."""
    with closing(sqlite3.connect(world.database)) as connection, connection:
        connection.execute(sql, values)


def _pages(file: Path) -> list[bytes]:
    content = file.read_bytes()
    return [content[start : start + PAGE_BYTES] for start in range(0, len(content), PAGE_BYTES)]


FAULTS = (
    Fault("emptied", emptied, DAMAGED | GONE),
    Fault("emptied while stopped", emptied_while_stopped, GONE),
    Fault("cut short", cut_short, DAMAGED),
    Fault("cut short while stopped", cut_short_while_stopped, DAMAGED),
    Fault("cut short after a kill", cut_short_after_a_kill, DAMAGED),
    Fault("page zeroed", page_zeroed, DAMAGED),
    Fault("page zeroed after a kill", page_zeroed_after_a_kill, DAMAGED),
    Fault("place that can't be read", bad_sector, DAMAGED),
    Fault("log zeroed after a kill", log_zeroed_after_a_kill, BROKEN_LOG),
    Fault("log cut after a kill", log_cut_after_a_kill, BROKEN_LOG),
    Fault("byte 18 of the header overwritten", header_overwritten, DAMAGED),
    Fault("old page of an index", index_of_before, DAMAGED),
)
