"""What a file server lets a client keep of a file, and waits for where that client died.

NFS 4.1 calls it a delegation, SMB a lease: the client that opened a file need not ask again. Before another client may
write to that file or take its name, the server calls it back; from a client that died no answer comes, and the server
waits: a Linux NFS server 90 s, Samba 70 s. So a dead standby would stop the one that writes, and a dead writer would be
followed much later than need be.
"""

import errno
import fcntl
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

from app.storage.mounts import Storage, beside


def open_undelegated(file: Path, flags: int, mode: int = 0o600) -> int:
    """A descriptor, as from os.open().

    With O_DIRECT Linux asks the server for no delegation (nfs4_map_atomic_open_share in fs/nfs/nfs4proc.c). The
    descriptor is an ordinary one again afterwards, since other file systems then want aligned buffers.
    """
    direct = getattr(os, "O_DIRECT", 0)
    try:
        descriptor = os.open(file, flags | direct, mode)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(file, flags, mode)  # no O_DIRECT on this file system, which then isn't NFS
    if direct:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~direct)
    return descriptor


def give_back_delegations(storage: Storage) -> None:
    """For the database, which SQLite has just opened in its own way: setting a mode, even the same, gives it back.

    Each opening is delegated anew, also where the same process has the file open already. What a Linux server since 6.6
    delegates for writing, a client can't give back (docs/decisions.md).
    """
    if storage.mount.filesystem == "nfs4":
        for file in _opened_by_sqlite(storage):
            with suppress(PermissionError, FileNotFoundError):  # another user's file: a take-over may have to wait
                file.chmod(stat.S_IMODE(file.stat().st_mode))


def call_back_leases(storage: Storage) -> list[threading.Thread]:
    """For a database whose writer is silent: on SMB, opening its files lets the server begin to wait. Never blocks.

    Gives the threads that do it. This process must not open the database before they have ended: each closes its file
    again, with which POSIX drops all locks that the process has on it (sqlite.org/howtocorrupt, 2.2). It takes them no
    longer than the opening would wait for the same answer.
    """
    if storage.mount.filesystem not in ("cifs", "smb3"):
        return []
    opening = [
        threading.Thread(target=_open_once, args=(file,), name="lease-call-back", daemon=True)
        for file in _opened_by_sqlite(storage)
    ]
    for thread in opening:
        thread.start()
    return opening


def _opened_by_sqlite(storage: Storage) -> tuple[Path, Path]:
    return storage.path, beside(storage.path, "-wal")


def _open_once(file: Path) -> None:
    with suppress(OSError):  # it is the server's work at the open that counts
        os.close(os.open(file, os.O_RDONLY))
