"""What a place for backups can do, whichever it is: app/backup/stores/folder.py and bucket.py are the two kinds."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.errors import CannotStart, Problem
from app.setting_values import StoreUrl, store_url

SMALL = 1 << 20
"""Bytes. A manifest has some thousand; what is larger is nothing that this app has written, and may be of any size."""


class StoreFailed(Problem):
    """Where the backups are kept did not do what was asked."""

    code, status = "store_failed", 503


@dataclass(frozen=True)
class Entry:
    """`changed_at` is by the store's own clock."""

    name: str
    size_bytes: int
    changed_at: datetime


class Writer(Protocol):
    def write(self, data: bytes, /) -> int: ...


class Store(Protocol):
    """Names have no slash in them. All raise StoreFailed, and StorageFull where that is the reason."""

    url: StoreUrl

    def upload(self, name: str) -> AbstractContextManager[Writer]:
        """The object is there, whole and for good, when the block ends; after an error in it there is none."""
        ...

    def create(self, name: str, data: bytes) -> None:
        """A small object, whole or not at all. Raises Conflict where the name has other content already."""
        ...

    def read(self, name: str) -> bytes:
        """A small object; of one that is larger the first SMALL bytes. Raises NotFound."""
        ...

    def stream(self, name: str) -> Iterator[bytes]:
        """A large object, in pieces. Raises NotFound, at the latest with the first piece."""
        ...

    def entries(self) -> list[Entry]: ...

    def remove(self, name: str) -> None:
        """Also where it is gone already."""
        ...


def open_store(url: StoreUrl, *, to_write: bool) -> Store:
    """Raises StoreFailed where the place is not there, or can't be reached with what is configured."""
    if url.scheme == "file":
        from app.backup.stores.folder import Folder

        return Folder(url, to_write=to_write)
    from app.backup.stores.bucket import Bucket  # late: obstore takes 15 MB of the disk and a moment

    return Bucket(url)


def store_at(text: str | None, *, to_write: bool = True) -> Store:
    """By BACKUP_URL. Raises CannotStart where it is not set or can't be used. Without `to_write` it may lie where it
    would be no place for a backup."""
    if not text:
        raise CannotStart(
            "BACKUP_URL is not set, so there is no place for backups.",
            "Put a line like this into .env (docs/backups.md):\n    BACKUP_URL=file:///backups",
        )
    try:
        return open_store(store_url(text), to_write=to_write)
    except ValueError as error:
        raise CannotStart(f"The address of the backups can't be used: {error}") from None
