"""Files of the app that other users of the machine can read: it makes them for itself alone, but a copy may not be."""

import shlex
from pathlib import Path

from app.storage.guard import in_place
from app.storage.mounts import Storage, files_beside

WITHOUT_MODES = frozenset("cifs smb3 vfat exfat ntfs3 fuseblk 9p drvfs".split())
"""File systems whose modes come from the mount's options, and can't be changed for a file."""


def open_to_others(storage: Storage, *, keeps_secret: bool) -> list[str]:
    """One sentence a file, with the command that mends it."""
    if storage.mount.filesystem in WITHOUT_MODES or not _can_be_entered(storage.path.parent):
        return []
    files = [storage.path, *files_beside(storage.path), *([storage.secret] if keeps_secret else [])]
    return [
        f"{file} can be read or written by other users (mode {mode:03o}):  "
        + in_place(storage, shlex.join(("chmod", "600", str(file))))
        for file in files
        if (mode := _mode(file)) & 0o077
    ]


def _can_be_entered(folder: Path) -> bool:
    """By others than its owner."""
    return bool(_mode(folder) & 0o011)


def _mode(file: Path) -> int:
    """0 where there is no such file, or it can't be looked at."""
    try:
        return file.stat().st_mode & 0o777
    except OSError:
        return 0
