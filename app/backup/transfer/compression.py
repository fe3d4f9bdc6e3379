"""zstd, as a stream: what is read is compressed, what is written is taken apart again."""

import sys

from app.backup.stores.store import Writer
from app.backup.transfer.hashing import Reader
from app.errors import Broken
from app.storage.files import CHUNK

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL, THREADS = 2, 2
"""Of items with tasks and their index (benchmarks/filled.py) level 2 makes 43 % in 6.7 seconds of the processor a GiB,
level 3 42 % in 11.7, level 1 45 % in 5.5; the threads share them."""
AT_ONCE = 1 << 20
"""Bytes that a piece may become when it is taken apart: some kilobytes can be made to hold gigabytes."""


class Compressed:
    """Reads as the zstd form of `source`, with a checksum in it, so that `zstd -t` finds what was damaged."""

    def __init__(self, source: Reader) -> None:
        parameter = zstd.CompressionParameter
        self._compressor = zstd.ZstdCompressor(
            options={parameter.compression_level: LEVEL, parameter.nb_workers: THREADS, parameter.checksum_flag: 1}
        )
        self._source, self._ready, self._ended = source, bytearray(), False

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and not self._ended:
            if piece := self._source.read(CHUNK):
                self._ready += self._compressor.compress(piece)
            else:
                self._ready += self._compressor.flush()
                self._ended = True
        given, self._ready = bytes(self._ready[:size]), self._ready[size:]
        return given


class Decompressing:
    """Writes to `target` what is compressed in what is written to it. Raises Broken, at the latest in `end()`."""

    def __init__(self, target: Writer) -> None:
        self._decompressor, self._target = zstd.ZstdDecompressor(), target

    def write(self, data: bytes) -> int:
        if self._decompressor.eof:
            raise Broken("Something follows its end.")
        try:
            self._target.write(self._decompressor.decompress(data, max_length=AT_ONCE))
            while not self._decompressor.needs_input and not self._decompressor.eof:
                self._target.write(self._decompressor.decompress(b"", max_length=AT_ONCE))
        except zstd.ZstdError as error:
            raise Broken(f"It can't be decompressed: {error}.") from None
        return len(data)

    def end(self) -> None:
        if not self._decompressor.eof or self._decompressor.unused_data:
            raise Broken("It is cut short, or something follows its end.")
