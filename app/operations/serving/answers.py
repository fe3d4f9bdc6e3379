"""Sends an answer piece by piece, each when the server has taken the one before.

So what a client does not read stays here, where it is counted over all connections: the server would take it at once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from app.operations.serving.wsgi import Answer

PIECE = 16 << 10
"""Bytes. The server keeps six of them at most for a connection: four in its channel, two on their way to the socket
(https://github.com/emmett-framework/granian/blob/v2.8.1/src/asgi/io.rs)."""
SENT_AT_ONCE = 64 << 10
"""Bytes of an answer that is not worth pieces: it is no more than the server keeps of a longer one, and the kernel
takes as much for each connection (listening.py)."""
BEING_SENT = 32 << 20
"""Bytes of longer answers that may wait for their clients at once."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Answers:
    """All the longer ones that are being sent.

    Where there is no room for a new one, that is cut off of which nothing was taken for the longest time: none is
    refused, which may be of a write that was saved, and who reads nothing keeps nobody from what he reads.
    """

    def __init__(self) -> None:
        self._sending: OrderedDict[asyncio.Timeout, int] = OrderedDict()
        self.bytes = 0

    async def send(self, send: Send, answer: Answer) -> bool:
        """False if it was cut off. In the event loop alone."""
        status, headers, body = answer
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        if len(body) <= SENT_AT_ONCE:
            await send({"type": "http.response.body", "body": body})
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as until_cut:
                self._begin(until_cut, len(body))
                try:
                    await self._send_pieces(send, body, until_cut)
                    return True
                finally:
                    self._forget(until_cut)
        return False

    async def _send_pieces(self, send: Send, body: bytes, until_cut: asyncio.Timeout) -> None:
        for begin in range(0, len(body), PIECE):
            end = begin + PIECE
            await send({"type": "http.response.body", "body": body[begin:end], "more_body": end < len(body)})
            if until_cut in self._sending:
                self._sending.move_to_end(until_cut)

    def _begin(self, until_cut: asyncio.Timeout, size: int) -> None:
        while self._sending and self.bytes + size > BEING_SENT:
            slowest = next(iter(self._sending))
            self._forget(slowest)
            slowest.reschedule(0)
        self._sending[until_cut] = size
        self.bytes += size

    def _forget(self, until_cut: asyncio.Timeout) -> None:
        """Also again."""
        self.bytes -= self._sending.pop(until_cut, 0)
