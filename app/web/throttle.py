"""How long the next try of a password or set-up code has to wait. Asked before anything is hashed.

Nobody is locked out: tries are slowed down, and those from a device on which the owner has signed in (devices.py) only
by its own wrong tries (owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies). The next turn is
drawn by lot among those that wait for it: a place in a queue would go to whoever asks the most often.
"""

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.web.client_address import network_of

FREE = {"account and address": 10, "account": 100, "address": 60, "device": 10}
"""So many wrong tries are not slowed."""
FORGET_SECONDS = 15 * 60
"""In these a count goes down by what is free: whoever has made a few mistakes is let in at once again later."""
GAP_SECONDS = 2.0
"""From one slowed try to the next: 43,200 a day at most, and there are 62^12 passwords of twelve letters and digits."""
MOST_COUNTS = 10_000
"""Of the tries that are known at once, 2 to 7 MB. The oldest are forgotten for new ones."""

Key = tuple[str, ...]


@dataclass(frozen=True)
class Try:
    """Who tries: for which account, from which IP address (or whatever else is counted like one), and on which device,
    if the account is known there."""

    account: str
    address: str
    device: str | None = None

    def counted_by(self) -> list[Key]:
        """By account and address together, since neither alone is the guesser's: behind a published port all share one
        address. Many addresses, or many accounts, are slowed only by far more wrong tries."""
        if self.device:
            return [("device", self.device, self.account)]
        network = network_of(self.address)
        return [("account and address", self.account, network), ("account", self.account), ("address", network)]


@dataclass
class Count:
    """The wrong tries of one key: `wrong` of them at the moment `at`. There is no turn before the moment `turn`."""

    free: int
    at: float
    wrong: float = 0.0
    turn: float = 0.0

    def forget(self, now: float) -> None:
        self.wrong = max(0.0, self.wrong - (now - self.at) * self.free / FORGET_SECONDS)
        self.at = now

    def add(self, now: float) -> None:
        # Less than twice what is free, so that nothing is slowed FORGET_SECONDS after the last one.
        self.wrong = min(self.wrong + 1, 2.0 * self.free - 1)
        self.turn = max(self.turn, now + GAP_SECONDS)

    @property
    def is_slowed(self) -> bool:
        return math.ceil(self.wrong) >= self.free


class Throttle:
    """The wrong tries of all accounts, in memory, which is enough for one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._counts: dict[Key, Count] = {}

    def seconds_until_turn(self, attempt: Try, *, drawn: bool = False) -> float:
        """0 where it is this one's turn, which it then has taken; else in how many seconds it is to ask again.

        `drawn`: it has waited for so long as it was told. Where tries are slowed, none is the first to ask.
        """
        with self._lock:
            now = self._clock()
            slowed = [count for key in attempt.counted_by() if (count := self._known(key, now)) and count.is_slowed]
            if not slowed:
                return 0.0
            wait = max(0.0, *(count.turn - now for count in slowed))
            if wait or not drawn:
                return wait + random.uniform(0, GAP_SECONDS)  # noqa: S311  (it is no secret)
            for count in slowed:
                count.turn = now + GAP_SECONDS
            return 0.0

    def wrong(self, attempt: Try) -> None:
        with self._lock:
            now = self._clock()
            for key in attempt.counted_by():
                count = self._known(key, now) or Count(FREE[key[0]], now)
                count.add(now)
                self._counts.pop(key, None)
                self._counts[key] = count  # the newest come last
            while len(self._counts) > MOST_COUNTS:
                del self._counts[next(iter(self._counts))]

    def right(self, attempt: Try) -> None:
        """What this one typed wrongly before does not count any more; what others typed does."""
        with self._lock:
            self._counts.pop(attempt.counted_by()[0], None)

    def _known(self, key: Key, now: float) -> Count | None:
        if count := self._counts.get(key):
            count.forget(now)
        return count
