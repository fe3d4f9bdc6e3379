"""Files whose sha256 is taken while they pass, so that nothing is read twice."""

import hashlib
from typing import Protocol

from app.backup.stores.store import Writer
from app.storage.files import CHUNK, Progress


class Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


def copy_stream(source: Reader, target: Writer) -> None:
    while piece := source.read(CHUNK):
        target.write(piece)


class Hashed:
    """`total`: the bytes that are expected, for `progress`."""

    def __init__(self, source: Reader, total: int, progress: Progress | None = None) -> None:
        self._source, self._total, self._progress = source, total, progress
        self._digest, self.size_bytes = hashlib.sha256(), 0

    def read(self, size: int) -> bytes:
        piece = self._source.read(size)
        self._digest.update(piece)
        self.size_bytes += len(piece)
        if self._progress:
            self._progress(min(self.size_bytes, self._total), self._total)
        return piece

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class HashedWriter:
    def __init__(self, target: Writer) -> None:
        self._target, self._digest, self.size_bytes = target, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._target.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
