"""Reads a request's body whole, in the event loop, before anything else is done about it.

Until a body is there it costs what has come of it, and neither a thread nor the database.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.http import parse_options_header

from app.errors import Busy, CutOff, Ending, Problem, TooLarge, TooSlow

DEADLINE = 10.0
"""Seconds for a body, from the end of its request's head to its last byte."""
SMALL = 16 << 10
"""Bytes of a form that anybody may send without being signed in."""
MAX_FIELDS = 100
"""Fields of a form; the largest page has 12. A form of 1 MB takes 90 MB when its 180,000 fields are taken apart."""
IN_FLIGHT = 16 << 20
"""Bytes of small bodies, and again of larger ones, that may be in memory at once, over all connections."""
KEEPS_ROOM = 1.0
"""Seconds for which a body that is still coming keeps its room. Then it gives way where there is no more: else anybody
could have all others' bodies refused for DEADLINE by sending all but the last byte of some."""
HEADS_IN_FLIGHT = 64 << 20
"""Bytes of memory for heads of requests that are not answered yet: 10,000 as browsers send them, 1,500 of MAX_HEAD."""

MAX_DROPPED = 4 << 20
"""Bytes of a refused body which are still taken from the connection, so that its sender sees the answer."""
MOST_DROPPED_AT_ONCE = 64

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Bodies:
    """All the bodies that are being read, or are in memory because their request is not answered yet."""

    def __init__(self) -> None:
        self._ending = False
        self._reading: dict[asyncio.Timeout, Share] = {}
        """The oldest first."""
        self._small, self._large = Account(IN_FLIGHT), Account(IN_FLIGHT)
        self._dropping = 0

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Of the memory, for as long as a body is in it."""
        share = Share(self._small, self._large)
        try:
            yield share
        finally:
            share.give_back()

    async def read(
        self, receive: Receive, length: int | None, limit: int, share: "Share", *, expects_continue: bool
    ) -> bytes:
        """The whole body; `expects_continue` where the client sends it only when asked to (Expect: 100-continue).

        Raises TooLarge, TooSlow, CutOff, Busy and, when the server ends meanwhile, Ending."""
        deadline = asyncio.timeout(DEADLINE)
        try:
            async with deadline:
                self._reading[deadline] = share
                if self._ending:
                    raise Ending
                if length is None or length <= limit:
                    return await self._whole(receive, length, limit, share)
                if not expects_continue:
                    await self._drop_rest(receive)
                raise TooLarge(limit)
        except TimeoutError:
            raise (too_much() if share.gave_way else Ending() if self._ending else TooSlow()) from None
        finally:
            self._reading.pop(deadline, None)

    async def _whole(self, receive: Receive, length: int | None, limit: int, share: "Share") -> bytes:
        body = bytearray()
        while len(body) != length:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise CutOff
            chunk, more = message.get("body", b""), message.get("more_body", False)
            del message  # nothing that is not counted is kept while it waits for what comes next
            try:
                if len(body) + len(chunk) > limit:
                    raise TooLarge(limit)
                self._take(share, len(chunk))
            except (Busy, TooLarge):
                del body, chunk
                share.give_back()
                if more:
                    await self._drop_rest(receive)
                raise
            body += chunk
            del chunk
            if not more:
                break
        if length is not None and len(body) != length:
            raise CutOff
        return bytes(body)

    def _take(self, share: "Share", more: int) -> None:
        """Raises Busy."""
        account = share.account_for(more)
        while not share.has_room(more) and self._gives_way_in(account, share):
            pass
        share.add(more)

    def _gives_way_in(self, account: "Account", newer: "Share") -> bool:
        """The oldest of those that are still coming, unless it came a moment ago. False if there is none."""
        for deadline, share in self._reading.items():
            if share is newer or share.since > time.monotonic() - KEEPS_ROOM:
                return False
            if share.account is account and share.bytes and not deadline.expired():  # else it is answered already
                del self._reading[deadline]
                share.give_way()
                deadline.reschedule(0)
                return True
        return False

    async def _drop_rest(self, receive: Receive) -> None:
        """Reads on and keeps nothing: a browser that is still sending sees no answer, only a broken connection.

        Of a few at once: each keeps its connection meanwhile, and what the server has read ahead for it.
        """
        if self._dropping == MOST_DROPPED_AT_ONCE:
            return
        self._dropping += 1
        try:
            dropped, more = 0, True
            while more and dropped < MAX_DROPPED:
                message = await receive()
                dropped, more = dropped + len(message.get("body", b"")), message.get("more_body", False)
                del message
        finally:
            self._dropping -= 1

    def end(self) -> None:
        """Those that are still being read are answered now. Called in the event loop."""
        self._ending = True
        for deadline in self._reading:
            if not deadline.expired():  # else it is being answered, and can't be set any more
                deadline.reschedule(0)


class Account:
    """Bytes in memory, `most` of them at once. In the event loop alone, so that nothing comes between."""

    def __init__(self, most: int) -> None:
        self._most, self.bytes = most, 0

    def has_room(self, more: int) -> bool:
        return self.bytes + more <= self._most

    def take(self, more: int) -> None:
        """Raises Busy."""
        if not self.has_room(more):
            raise too_much()
        self.bytes += more

    def give_back(self, number: int) -> None:
        self.bytes -= number


class Share:
    """What one body has in memory. Small ones have an account of their own, which larger ones can't fill."""

    def __init__(self, small: Account, large: Account) -> None:
        self.account, self._large = small, large
        self.bytes, self.since = 0, time.monotonic()
        self.gave_way = False

    def account_for(self, more: int) -> Account:
        return self._large if self.bytes + more > SMALL else self.account

    def has_room(self, more: int) -> bool:
        account = self.account_for(more)
        return account.has_room(more if account is self.account else self.bytes + more)

    def add(self, more: int) -> None:
        """Raises Busy."""
        account = self.account_for(more)
        if account is not self.account:
            account.take(self.bytes)
            self.account.give_back(self.bytes)
            self.account = account
        account.take(more)
        self.bytes += more

    def give_way(self) -> None:
        self.gave_way = True
        self.give_back()

    def give_back(self) -> None:
        """Also again."""
        self.account.give_back(self.bytes)
        self.bytes = 0


def too_much() -> Busy:
    return Busy("Too much is being sent at once.", "Nothing was changed. Try again in a moment.", retry_after=2)


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
