"""A file system that takes no writes, because it is full or read-only: how that is told, and when it is over."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from app.errors import ReadOnly, StorageFull, is_no_room
from app.storage.hint_commands import WHERE_IT_RUNS
from app.storage.mounts import Mount, Storage, mount_of, read_mounts

FULL_BELOW = 1 << 20
"""Bytes. With less than this free the file system counts as full, and with as much written as one that takes writes.
SQLite needs as much for a change: it also reports a full disk as "disk I/O error" where it can't grow its -shm file."""


def why_no_writes(storage: Storage) -> StorageFull | ReadOnly | None:
    """What the system says of the file system now. A quota that is used up, say, it does not tell."""
    mount = mount_of(storage.path.parent, read_mounts())
    if mount.read_only:
        return read_only(storage.path, mount)
    with suppress(OSError):  # the mount itself is gone
        if shutil.disk_usage(storage.path.parent).free < FULL_BELOW or has_no_inodes(storage.path.parent):
            return no_room(storage)
    return None


def has_no_inodes(folder: Path) -> bool:
    """Has its file system room for no file more, however much it has for bytes? Some count no files, and say 0 of 0."""
    status = os.statvfs(folder)
    return status.f_files > 0 and status.f_favail == 0


def takes_writes(folder: Path) -> bool:
    return refusal_of_writes(folder) is None


def refusal_of_writes(folder: Path) -> OSError | None:
    """Tries to write a megabyte there: None where that is on the disk now, as ENOSPC where it was less.

    Its name is gone before, so that nothing is left behind by a kill.
    """
    file = folder / f".takes-writes-{os.getpid()}"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            file.unlink()
            written = os.pwrite(descriptor, bytes(FULL_BELOW), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error
    return None if written == FULL_BELOW else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_room(storage: Storage) -> StorageFull:
    where = storage.mount.point
    return StorageFull(
        f"There is no room left on {where}. Nothing was changed, nothing is lost.",
        f"Make the volume or share larger, or free some space: then it goes on by itself. To see what is used,\n"
        f"{WHERE_IT_RUNS}:\n"
        f"  df -h {where}      bytes\n"
        f"  df -i {where}      files",
    )


def read_only(database: Path, mount: Mount) -> ReadOnly:
    if not mount.turned_read_only:
        return ReadOnly(
            f"{mount.point} is mounted read-only, so the database {database} can't be written.",
            "Mount it without :ro (Docker), readOnly (ECS, Cloud Run) or ro (mount).",
        )
    return ReadOnly(
        f"The file system at {mount.point} has become read-only, so the database {database} can't be written. Nothing "
        "is lost that was saved before.",
        "The system does that after an error of the disk. On the host:\n"
        "  dmesg | tail -50      says which error it was\n"
        f"  fsck {mount.source}      mends the file system, once the app is stopped and it is unmounted\n"
        "Start the app when it is mounted again.",
    )


def why_write_failed(storage: Storage, error: OSError) -> StorageFull | ReadOnly | None:
    """The system's own refusal of a write, in words; None for another kind of error."""
    if is_no_room(error):
        return no_room(storage)
    return why_no_writes(storage) if error.errno in (errno.EROFS, errno.EIO) else None
