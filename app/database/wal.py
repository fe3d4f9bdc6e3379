"""The write-ahead log (-wal) and its index (-shm), read without SQLite (sqlite.org/fileformat2, sqlite.org/walformat).

What SQLite promises of them, with synchronous=FULL (sqlite3WalFrames in its src/wal.c), over a kill and a power cut:
- The log's header is on disk before its first frame is written, and a commit before the next one begins. So of what
  is not whole all belongs to one change, which nobody was told of.
- The index counts a commit once it is on disk. So the log holds what the index has counted, or has been begun anew
  since, with other salts.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.storage.delegations import open_undelegated
from app.storage.files import size_of

WAL_HEADER, FRAME_HEADER = 32, 24
BYTE_ORDERS = {b"\x37\x7f\x06\x82": "<", b"\x37\x7f\x06\x83": ">"}
"""By the log's first bytes: that of its checksums."""
INDEX_HEADER = 48
"""Bytes. It is there twice, and then comes how much of the log is in the file."""
VERSION = 3_007_000
CHECKED = 64 << 20
"""Bytes of a log whose checksums are compared, which Python does slowly; behind them only the salts are."""


@dataclass(frozen=True)
class Index:
    """`frames`: how many the last commit has left in the log; `folded`: how many of them are in the file by now."""

    salts: bytes
    frames: int
    folded: int

    @property
    def needs_log(self) -> bool:
        """Is there more in the log than in the file?"""
        return self.frames > self.folded


@dataclass(frozen=True)
class Log:
    """`frames`: up to the last whole commit, which is what SQLite reads.

    `later_commits`: of this same log, in or behind the first frame that is not whole; at most 2 are counted.
    """

    salts: bytes
    frames: int
    later_commits: int


def read_index(file: Path) -> Index | None:
    """None where there is none, or it is not whole. Raises OSError."""
    if not size_of(file):
        return None
    with _reading(file) as descriptor:
        start = os.pread(descriptor, 2 * INDEX_HEADER + 4, 0)
    header = start[:INDEX_HEADER]
    if len(start) < 2 * INDEX_HEADER + 4 or header != start[INDEX_HEADER : 2 * INDEX_HEADER]:
        return None
    version, initialized, frames = struct.unpack_from("=I8xB3xI", header)
    (folded,) = struct.unpack_from("=I", start, 2 * INDEX_HEADER)
    whole = struct.pack("=II", *_checksum(header[:40], "=")) == header[40:]
    return Index(header[32:40], frames, folded) if whole and initialized and version == VERSION else None


def read_log(file: Path) -> Log | None:
    """None where its header is not whole. Raises OSError."""
    with _reading(file) as descriptor:
        header = os.pread(descriptor, WAL_HEADER, 0)
        order, (page,) = BYTE_ORDERS.get(header[:4]), struct.unpack_from(">I", header.ljust(WAL_HEADER), 8)
        if order is None or not 512 <= page <= 1 << 16 or _pair(_checksum(header[:24], order)) != header[24:32]:
            return None
        return _walked(descriptor, header, order, page)


def _walked(descriptor: int, header: bytes, order: str, page: int) -> Log:
    salts, before, whole, frames, later = header[16:24], header[24:32], True, 0, 0
    for number, (start, frame) in enumerate(_frames(descriptor, page), 1):
        own, commits = frame[8:16] == salts, frame[4:8] != bytes(4)
        whole = whole and own and (start >= CHECKED or _is_whole(frame, before, order))
        before = frame[16:24]
        if whole and commits:
            frames = number
        elif own and commits:
            later += 1
        if later == 2:
            break
    return Log(salts, frames, later)


def _frames(descriptor: int, page: int) -> Iterator[tuple[int, bytes]]:
    """Where each begins, and its bytes; without its page behind CHECKED."""
    size = FRAME_HEADER + page
    for start in range(WAL_HEADER, os.fstat(descriptor).st_size - size + 1, size):
        yield start, os.pread(descriptor, size if start < CHECKED else FRAME_HEADER, start)


def _is_whole(frame: bytes, before: bytes, order: str) -> bool:
    """`before`: the checksum of the frame before it, from which its own goes on."""
    first = _checksum(frame[:8], order, struct.unpack(">II", before))
    return _pair(_checksum(frame[FRAME_HEADER:], order, first)) == frame[16:24]


def _checksum(content: bytes, order: str, start: tuple[int, ...] = (0, 0)) -> tuple[int, int]:
    """SQLite's own ("Checksum Algorithm"). Only the last 32 bits of the sums count, so the rest goes now and then."""
    first, second = start
    for one, two in struct.iter_unpack(f"{order}II", content):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second


def _pair(checksum: tuple[int, int]) -> bytes:
    return struct.pack(">II", *checksum)


@contextmanager
def _reading(file: Path) -> Iterator[int]:
    descriptor = open_undelegated(file, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
