"""Files through Docker's archive interface, a piece at a time: no more than one piece is in memory."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from .speak import Advance
from .stop import Stop

PIECE = 1 << 18
APP_USER = 1000
"""Who the app runs as in the image."""


def archive(folder: str, files: dict[str, Path], advance: Advance) -> Iterator[bytes]:
    """A tar archive of `folder`, which belongs to the app, with `files` in it under their new names."""
    yield _header(folder, tarfile.DIRTYPE, 0)
    for name, path in files.items():
        # Opened first: the size is that of what is read.
        with path.open("rb") as source:
            size = source.seek(0, io.SEEK_END)
            source.seek(0)
            yield _header(f"{folder}/{name}", tarfile.REGTYPE, size)
            yield from _pieces(source, path, size, advance)
            yield b"\0" * (-size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _header(name: str, kind: bytes, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size, entry.uid, entry.gid = kind, size, APP_USER, APP_USER
    entry.mode = 0o700 if kind == tarfile.DIRTYPE else 0o600
    return entry.tobuf(tarfile.GNU_FORMAT)


def _pieces(source: BinaryIO, path: Path, size: int, advance: Advance) -> Iterator[bytes]:
    done = 0
    while done < size:
        piece = source.read(min(PIECE, size - done))
        if not piece:
            raise Stop(
                f"{path} became shorter while it was read.", "Nothing was changed. Copy it when nothing writes to it."
            )
        yield piece
        done += len(piece)
        advance("Reading", done, size)


def write_from_archive(pieces: Iterable[bytes], to: BinaryIO, advance: Advance) -> str:
    """Writes the one file in the archive to `to`; gives its sha256."""
    digest, done = hashlib.sha256(), 0
    with tarfile.open(fileobj=_Reader(pieces), mode="r|") as opened:
        entry = opened.next()
        source = opened.extractfile(entry) if entry else None
        if not entry or not source:
            raise Stop("The Docker engine sent no file.")
        while piece := source.read(PIECE):
            digest.update(piece)
            to.write(piece)
            done += len(piece)
            advance("Writing", done, entry.size)
    return digest.hexdigest()


class _Reader(io.RawIOBase):
    """Pieces of any length as a file that tarfile can read from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size and (piece := next(self._pieces, b"")):
            self._left += piece
        result, self._left = self._left[:size], self._left[size:]
        return result
