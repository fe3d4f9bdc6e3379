"""Which file a name leads to, told without opening it: to close it again would drop SQLite's locks on it."""

from pathlib import Path

Identity = tuple[int, int]
"""Device and inode. Not st_nlink, which is 1 on SMB also for a file that is gone."""


def identity_of(path: Path) -> Identity | None:
    """None where the name leads nowhere. Raises OSError where the file system does not say.

    On a local disk a replaced or removed file is seen at once, on NFS after 0.5 to 2 s; on SMB what another client
    removed is never seen, only what it put in its place.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
