"""Reads a request's body whole, in the event loop, before anything else is done about it.

Until a body is there it costs what has come of it, and neither a thread nor the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.http import parse_options_header

from app.errors import Busy, CutOff, Ending, Problem, TooLarge, TooSlow

DEADLINE = 10.0
"""Seconds for a body, from its first byte to its last."""
SMALL = 16 << 10
"""Bytes of a form that anybody may send without being signed in."""
MAX_FIELDS = 100
"""Fields of a form; the largest page has 12. A form of 1 MB takes 90 MB when its 180,000 fields are taken apart."""
IN_FLIGHT = 16 << 20
"""Bytes of small bodies, and again of larger ones, that may be in memory at once, over all connections."""

MAX_DROPPED = 4 << 20
"""Bytes of a body that is too large which are still taken from the connection, so that its sender sees the answer."""

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Bodies:
    """All the bodies that are being read, or are in memory because their request is not answered yet."""

    def __init__(self) -> None:
        self._ending = False
        self._reading: set[asyncio.Timeout] = set()
        self._in_flight = {True: 0, False: 0}

    @contextmanager
    def counted(self, length: int | None) -> Iterator["MemoryShare"]:
        """For as long as the body is in memory. Small ones have an account of their own, which others can't fill."""
        small = length is not None and length <= SMALL
        count = MemoryShare(self._in_flight, small)
        try:
            yield count
        finally:
            self._in_flight[small] -= count.bytes

    async def read(
        self, receive: Receive, length: int | None, limit: int, count: "MemoryShare", *, expects_continue: bool
    ) -> bytes:
        """The whole body; `expects_continue` where the client sends it only when asked to (Expect: 100-continue).

        Raises TooLarge, TooSlow, CutOff, Busy and, when the server ends meanwhile, Ending."""
        deadline = asyncio.timeout(DEADLINE)
        try:
            async with deadline:
                self._reading.add(deadline)
                if self._ending:
                    raise Ending
                if length is None or length <= limit:
                    return await _whole(receive, length, limit, count)
                if not expects_continue:
                    await _discard_rest(receive)
                raise TooLarge(limit)
        except TimeoutError:
            raise (Ending if self._ending else TooSlow) from None
        finally:
            self._reading.discard(deadline)

    def end(self) -> None:
        """Those that are still being read are answered now. Called in the event loop."""
        self._ending = True
        for deadline in self._reading:
            if not deadline.expired():  # else it is being answered, and can't be set any more
                deadline.reschedule(0)


class MemoryShare:
    """How much of one body is in memory."""

    def __init__(self, in_flight: dict[bool, int], small: bool) -> None:
        self._in_flight, self._small = in_flight, small
        self.bytes = 0

    def add(self, more: int) -> None:
        if self._in_flight[self._small] + more > IN_FLIGHT:
            raise Busy("Too much is being sent at once.", "Nothing was changed. Try again in a moment.", retry_after=2)
        self._in_flight[self._small] += more
        self.bytes += more


async def _whole(receive: Receive, length: int | None, limit: int, count: MemoryShare) -> bytes:
    body = bytearray()
    while len(body) != length:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CutOff
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > limit:
            await _discard_rest(receive)
            raise TooLarge(limit)
        count.add(len(chunk))
        body += chunk
        if not message.get("more_body", False):
            break
    if length is not None and len(body) != length:
        raise CutOff
    return bytes(body)


async def _discard_rest(receive: Receive) -> None:
    """Reads on and keeps nothing: a browser that is still sending sees no answer, only a broken connection."""
    dropped, more = 0, True
    while more and dropped < MAX_DROPPED:
        message = await receive()
        dropped, more = dropped + len(message.get("body", b"")), message.get("more_body", False)


def refuse_many_fields(content_type: str, body: bytes) -> None:
    """Raises TooLarge."""
    if _fields_in(content_type, body) > MAX_FIELDS:
        raise TooLarge(MAX_FIELDS, "fields")


def _fields_in(content_type: str, body: bytes) -> int:
    """Counted without taking the form apart."""
    kind, options = parse_options_header(content_type)
    match kind.lower():
        case "application/x-www-form-urlencoded":
            return body.count(b"&") + 1
        case "multipart/form-data":
            # Each begins with one, and the last one ends them. Werkzeug takes any line break before it, or none.
            return body.count(b"--" + options.get("boundary", "").encode("latin-1", "replace")) - 1
        case _:
            return 0


def is_refusal_of_body(problem: Problem) -> bool:
    """After these the connection is closed: what may still come of the body is not another request."""
    return isinstance(problem, CutOff | Ending | TooLarge | TooSlow | Busy)
