"""What is well and what is not with the database and the place it lies in, each finding with what mends it."""

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DatabaseError

from app.backup.copies.other_databases import other_filled_databases
from app.database import possible_loss
from app.database.condition import how_to_go_back
from app.database.connections import PRAGMAS
from app.database.migrations import known_revisions
from app.database.sqlite import sqlite_driver
from app.errors import Problem, Standby
from app.operations.control import control
from app.operations.control.control_commands import examined
from app.operations.doctor.finding import Finding
from app.operations.doctor.writer_finding import writer_finding
from app.storage.files import is_there
from app.storage.full_or_read_only import has_no_inodes, no_room
from app.storage.guard import guard
from app.storage.mounts import Storage, profile_of
from app.storage.privacy import open_to_others
from app.writer.exclusive_database import exclusive_database
from app.writer.safe_acquire import why_refused

FSYNCS = 20
SLOW_FSYNC = 0.1
"""Seconds. Every write waits for one or two of these."""
LITTLE_ROOM = 100 << 20
# sqlite.org/wal.html, "The WAL-Reset Bug".
WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))


def examine(storage: Storage, *, production: bool, keeps_secret: bool, full: bool) -> list[Finding]:
    """All findings, those that take longer last. Changes nothing but a small file that it writes and takes away."""
    findings = [_path(storage), _mount(storage, production=production, keeps_secret=keeps_secret), _profile(storage)]
    if findings[1].level == "fault":
        return findings
    findings += [
        _rights(storage, keeps_secret=keeps_secret),
        _room(storage),
        _fsync(storage),
        writer_finding(storage),
        *_condition(storage),
        *_may_lack(storage),
    ]
    return [*findings, *_inside(storage, full=full)]


def _path(storage: Storage) -> Finding:
    there = storage.path.parent.is_dir() and is_there(storage.path)
    if refused := why_refused(storage):
        fix = f"{refused.hint}\n{other_filled_databases(storage)}".rstrip()
        return Finding("database", "fault", refused.message, refused.code, fix)
    if not there:
        fix = other_filled_databases(storage) or "Start the app once."
        return Finding("database", "note", f"{storage.path}: there is none yet", None, fix)
    size = storage.path.stat().st_size
    return Finding("database", "ok", f"{storage.path}, {size:,} bytes", {"path": str(storage.path), "bytes": size})


def _mount(storage: Storage, *, production: bool, keeps_secret: bool) -> Finding:
    mount = storage.mount
    value = {"point": mount.point, "filesystem": mount.filesystem, "persistent": storage.persistent}
    where = f"{mount.point}, {mount.filesystem}" + (f", Docker volume {mount.volume}" if mount.volume else "")
    try:
        warnings = guard(storage, production=production, keeps_secret=keeps_secret)
    except Problem as refused:
        return Finding("mount", "fault", f"{where}: {refused.message}", value, refused.hint)
    if warnings or not storage.persistent:
        return Finding("mount", "note", f"{where}: {' '.join(warnings) or 'gone with this container'}", value)
    return Finding("mount", "ok", where, value)


def _profile(storage: Storage) -> Finding:
    found = profile_of(storage.mount)
    if storage.profile == found:
        return Finding("profile", "ok", f"{found}, by the file system", found)
    fix = "Use DATABASE_STORAGE=auto." if found == "exclusive" else ""
    text = f"{storage.profile} by DATABASE_STORAGE, where {found} fits {storage.mount.filesystem}"
    return Finding("profile", "fault" if fix else "note", text, storage.profile, fix)


def _rights(storage: Storage, *, keeps_secret: bool) -> Finding:
    found = open_to_others(storage, keeps_secret=keeps_secret)
    if not found:
        return Finding("rights", "ok", "other users can't read the database or the secret", [])
    text, fixes = zip(*(each.split(":  ", 1) for each in found), strict=True)
    return Finding("rights", "note", "; ".join(text), list(text), "\n".join(fixes))


def _room(storage: Storage) -> Finding:
    free = shutil.disk_usage(storage.path.parent).free
    size = storage.path.stat().st_size if storage.path.exists() else 0
    if has_no_inodes(storage.path.parent):
        text = f"{free:,} bytes, but room for no file more: every inode is used"
        return Finding("free space", "fault", text, free, no_room(storage).hint)
    if free >= max(LITTLE_ROOM, size):
        return Finding("free space", "ok", f"{free:,} bytes", free)
    needs = "a take-over after a crash and a restore need room for a copy of the database"
    return Finding(
        "free space", "fault", f"{free:,} bytes: {needs}", free, "Make the volume or share larger, or free some space."
    )


def _fsync(storage: Storage) -> Finding:
    try:
        median = statistics.median(_fsync_seconds(storage.path.parent))
    except OSError as error:
        text = f"nothing can be written to {storage.path.parent}: {error.strerror}"
        return Finding("fsync", "fault", text, None, "The findings on mount and free space say more.")
    text = f"{median * 1000:.1f} ms until a write is on disk (median of {FSYNCS})"
    if median < SLOW_FSYNC:
        return Finding("fsync", "ok", text, round(median, 6))
    fix = "Move the storage nearer to the app: the same region and zone, or a faster tier."
    return Finding("fsync", "note", text, round(median, 6), fix)


def _fsync_seconds(folder: Path) -> list[float]:
    file = folder / f".doctor-{os.getpid()}"
    # It may be there: in a new container a command has the same process id as the one that was killed in the last.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        took = []
        for _ in range(FSYNCS):
            began = time.perf_counter()
            os.pwrite(descriptor, b"x" * 4096, 0)
            os.fsync(descriptor)
            took.append(time.perf_counter() - began)
        return took
    finally:
        os.close(descriptor)
        file.unlink()


def _condition(storage: Storage) -> Iterator[Finding]:
    """What the running app has found, which shows as this on its pages and on /readyz."""
    found = None
    with suppress(Problem):  # of an app that does not answer, the findings that follow say more
        found = control.ask(storage, "condition")
    if found:
        yield Finding("condition", "fault", found["message"], found["code"], found["hint"])
    elif found is not None:
        yield Finding("condition", "ok", "the running app has found nothing wrong", None)


def _may_lack(storage: Storage) -> Iterator[Finding]:
    """Until somebody has looked."""
    if what := possible_loss.what_is_noted(storage.path):
        yield Finding("changes", "fault", f"perhaps some are missing. {what}", None, possible_loss.how_to_end(storage))


def _inside(storage: Storage, *, full: bool) -> Iterator[Finding]:
    """What only the process that has the database can say: the running app, or this one if there is none."""
    if not storage.path.exists():
        yield _sqlite(sqlite_driver().sqlite_version)
        return
    try:
        control.ask(storage, "condition")  # an app that hangs is not waited for as long as an examination may take
        facts = control.ask(storage, "examine", seconds=control.SECONDS_OF_CHECK, full=full)
        source = "the running app"
        if facts is None:
            source = "this command"
            facts = _examine_here(storage, full=full)
    except Standby as standby:
        yield Finding("inside", "note", standby.message, None, standby.hint)
        return
    except Problem as problem:
        yield Finding("inside", "fault", problem.message, problem.code, problem.hint)
        return
    except DatabaseError as error:
        yield Finding("inside", "fault", f"SQLite refused to look into it: {error.orig}.", None, "Please report it.")
        return
    yield Finding("read by", "ok", source, source)
    yield _sqlite(facts["sqlite_version"])
    yield _schema(facts["revision"])
    yield _pragmas(facts["pragmas"])
    yield _log(facts["log"])
    yield _integrity(storage, facts["integrity"], full=full)


def _examine_here(storage: Storage, *, full: bool) -> dict[str, Any]:
    with exclusive_database(storage, by_force=False) as database:
        return examined(database, full=full)


def _sqlite(version: str) -> Finding:
    number = tuple(map(int, version.split(".")))
    first, last = WAL_RESET_BUG
    if not first <= number <= last:
        return Finding("sqlite", "ok", version, version)
    text = f"{version} has the WAL-reset bug; here it can't strike, since all writes of the app queue on one lock"
    return Finding("sqlite", "note", text, version, "Let no other program write to the file while the app runs.")


def _schema(revision: str | None) -> Finding:
    if revision is None:
        return Finding("schema", "note", "none yet: the file holds no tables", None, "Start the app: it makes them.")
    known = known_revisions()
    if revision in known:
        return Finding("schema", "ok", revision, revision)
    fix = "Run the newer version again, or restore a backup made by this one."
    return Finding("schema", "fault", f"{revision}; this version knows up to {known[-1]}", revision, fix)


def _pragmas(found: dict[str, Any]) -> Finding:
    wrong = [name for name, value in found.items() if value != PRAGMAS[name][1]]
    text = ", ".join(f"{name} {value if name in wrong else PRAGMAS[name][0]}" for name, value in found.items())
    if not wrong:
        return Finding("pragmas", "ok", text, found)
    expected = ", ".join(f"{name} {PRAGMAS[name][0]}" for name in wrong)
    return Finding("pragmas", "fault", text, found, f"SQLite should answer {expected} here. Please report it.")


def _log(found: dict[str, Any] | None) -> Finding:
    if found is None:
        return Finding("log", "ok", "of a usual size", None)
    return Finding("log", "fault", found["text"], found["size"], found["fix"])


def _integrity(storage: Storage, said: str, *, full: bool) -> Finding:
    kind = "full" if full else "quick"
    if said == "ok":
        return Finding("integrity", "ok", f"ok ({kind} check)", "ok")
    return Finding("integrity", "fault", f"{said} ({kind} check)", said, how_to_go_back(storage.path))
