"""What a place for backups can do, whichever it is: app/backup/stores/folder.py and bucket.py are the two kinds."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.errors import CannotStart, Problem
from app.setting_values import StoreUrl, store_url
from app.settings import Settings

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


def open_store(url: StoreUrl, *, must_last: bool) -> Store:
    """Raises StoreFailed where the place is not there, or can't be reached with what is configured."""
    if url.scheme == "file":
        from app.backup.stores.folder import Folder

        return Folder(url, must_last=must_last)
    from app.backup.stores.bucket import Bucket  # late: obstore takes 15 MB of the disk and a moment

    return Bucket(url)


def own_store(settings: Settings, instead: str | None = None) -> Store:
    """Where the backups of this app go: BACKUP_URL, or what was typed `instead` of it. In production no folder that
    would be gone with the container. Raises what store_at() does."""
    return store_at(instead or settings.backup_url, must_last=settings.app_env == "production")


def store_at(text: str | None, *, must_last: bool = False) -> Store:
    """By its address. Raises CannotStart where there is none or it can't be used, and StoreFailed. Without `must_last`
    it may lie where it would be no place for a backup."""
    if not text:
        raise CannotStart(
            "BACKUP_URL is not set, so there is no place for backups.",
            "Put a line like this into .env (docs/backups.md):\n    BACKUP_URL=file:///backups",
        )
    try:
        return open_store(store_url(text), must_last=must_last)
    except ValueError as error:
        raise CannotStart(f"The address of the backups can't be used: {error}") from None
