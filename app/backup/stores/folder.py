"""Backups in a folder (file:). Each file is written under another name first, put on disk, and renamed.

Not by obstore, which never waits until a file is on disk. No hard links: SMB and FUSE mounts have none.
"""

import os
import re
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from app.backup.copies.staging import folder_lock
from app.backup.stores.store import SMALL, Entry, StoreFailed, Writer
from app.errors import AS_ANOTHER, Conflict, NotFound, StorageFull, is_no_room
from app.setting_values import StoreUrl
from app.storage.files import CHUNK, SyncedFile, to_disk
from app.storage.mounts import IN_MEMORY, Mount, mount_of, outside, read_mounts
from app.storage.owner import chown_like

PARTIAL = ".partial"
UNDER_WAY = re.compile(r"\.(?P<name>.+?)(\.[0-9a-f]{8})?\.partial")


def under_way(name: str) -> str | None:
    """The object of which this file of a folder is a part; None for others. Those of before have no digits."""
    found = UNDER_WAY.fullmatch(name)
    return found["name"] if found else None


class Folder:
    def __init__(self, url: StoreUrl, *, must_last: bool = False) -> None:
        """The folder must be there: a mount that is missing must not be replaced by a folder that vanishes.

        Nor by one of the image's, with `must_last`: then it lies on a mount of its own, as the database does. A backup
        that somebody has copied into the container is read all the same, without it.
        """
        self.url, self._folder = url, Path(url.path)
        with self.translate_errors("look into"):
            if not self._folder.is_dir():
                raise StoreFailed(
                    f"There is no folder {self._folder} for the backups.",
                    f"Mount it, or make it:  {shlex.join(('mkdir', '-p', str(self._folder)))}",
                )
            if must_last:
                self._refuse_what_vanishes(mount_of(self._folder.resolve(), read_mounts()))

    def _refuse_what_vanishes(self, mount: Mount) -> None:
        if mount.point == "/" or mount.filesystem in IN_MEMORY:
            where = "in memory" if mount.filesystem in IN_MEMORY else "inside the container"
            raise StoreFailed(
                f"{self._folder}, where the backups should go, is {where}: they would be gone with it.",
                f"Mount a volume or a folder of the host there:  docker run -v task-manager-backups:{self._folder} ...",
            )

    @contextmanager
    def upload(self, name: str) -> Iterator[Writer]:
        partial = self._folder / f".{name}.{secrets.token_hex(4)}{PARTIAL}"  # two may be at it
        try:
            with self.translate_errors("write"):
                file = SyncedFile(partial)
            with file:
                yield _Told(file, self)
                with self.translate_errors("write"):
                    file.sync()
                    chown_like(partial, self._folder)
                    self._name(partial, name)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def create(self, name: str, data: bytes) -> None:
        with self.translate_errors("write"):
            if (self._folder / name).exists():
                return self._refuse_other(name, data)
        with self.upload(name) as file:
            file.write(data)
        return None

    def read(self, name: str) -> bytes:
        with self.translate_errors("read", name), self._opened(name) as file:
            return file.read(SMALL)

    def stream(self, name: str) -> Iterator[bytes]:
        with self.translate_errors("read", name), self._opened(name) as file:
            while piece := file.read(CHUNK):
                yield piece

    def entries(self) -> list[Entry]:
        with self.translate_errors("look into"), os.scandir(self._folder) as found:
            return [entry for each in found if (entry := _entry(each))]

    def remove(self, name: str) -> None:
        with self.translate_errors("remove from"):
            (self._folder / name).unlink(missing_ok=True)
            to_disk(self._folder)

    def _opened(self, name: str) -> BinaryIO:
        """Only a file: a pipe would be waited for, and a device may have no end."""
        descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
        raise StoreFailed(f"{self._folder / name} is no file, but a folder, pipe or device.", "Take another backup.")

    def _name(self, partial: Path, name: str) -> None:
        with folder_lock(self._folder):
            if os.path.lexists(self._folder / name):
                raise Conflict(f"{self._folder / name} exists already.", "Nothing was changed.")
            partial.rename(self._folder / name)
            to_disk(self._folder)

    def _refuse_other(self, name: str, data: bytes) -> None:
        if self.read(name) != data:
            raise Conflict(f"{self._folder / name} exists already.", "Nothing was changed.")

    def _whose(self) -> str:
        with suppress(OSError):
            owner, user = self._folder.stat().st_uid, os.geteuid()
            if owner != user:
                hand_over = shlex.join(("sudo", "chown", "-R", str(user), outside(self._folder)))
                return (
                    f"It is user {owner}'s. To hand it to user {user}, the one here:  {hand_over}\nElse: {AS_ANOTHER}"
                )
        return AS_ANOTHER

    @contextmanager
    def translate_errors(self, doing: str, name: str = "") -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if not self._folder.is_dir():
                raise StoreFailed(f"{self._folder}, where the backups are, is gone.", "Mount it again.") from None
            if name:
                raise NotFound(f"There is no {self._folder / name}.", "Nothing was changed.") from None
            raise StoreFailed(f"Can't {doing} {self._folder}: something removes files there.", "Try again.") from error
        except OSError as error:
            if is_no_room(error):
                raise StorageFull(f"There is no room left in {self._folder}.", "Free some space there.") from error
            hint = self._whose() if isinstance(error, PermissionError) else "The kernel's log may say why:  dmesg"
            raise StoreFailed(f"Can't {doing} {self._folder / name}: {error.strerror or error}.", hint) from error


class _Told:
    """What goes wrong with the file is the store's fault, what else goes wrong in the block is not."""

    def __init__(self, file: SyncedFile, store: Folder) -> None:
        self._file, self._store = file, store

    def write(self, data: bytes) -> int:
        with self._store.translate_errors("write"):
            return self._file.write(data)


def _entry(found: os.DirEntry[str]) -> Entry | None:
    """None for what is no file, or was renamed or removed while the folder was read."""
    try:
        status = found.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Entry(found.name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
