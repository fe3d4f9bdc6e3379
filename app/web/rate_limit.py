"""How often a password or set-up code may be tried. Asked before anything is hashed."""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.errors import TooMany

MINUTES = 15
# By account as well as by address: behind a published port every client has the address of Docker's gateway.
PER_ACCOUNT = RateLimitItemPerMinute(10, MINUTES, namespace="account")
PER_ADDRESS = RateLimitItemPerMinute(60, MINUTES, namespace="address")


class Throttle:
    """Counts tries in memory, which is enough for one process."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, account: str, address: str) -> None:
        """Counts one try. Raises TooMany when this account or this address has used up its tries."""
        for limit, key in ((PER_ADDRESS, address), (PER_ACCOUNT, account)):
            if not self._limiter.hit(limit, key):
                ends = self._limiter.get_window_stats(limit, key).reset_time
                wait = max(1, round(ends - time.time()))
                raise TooMany("Too many tries.", f"Try again in {max(1, wait // 60)} minutes.", retry_after=wait)

    def forget(self, account: str) -> None:
        """After a right password the account's count starts again."""
        self._limiter.clear(PER_ACCOUNT, account)
