"""What is told to NOTIFY_URL: each trouble once, and once that it is over. What can't be delivered is tried again."""

import threading
import time
from collections import deque

from app.operations.backups.notify import Notify

TRY_AGAIN_AFTER = 300.0
"""Seconds."""
MOST_WAITING = 50
"""Of what can't be delivered; then the oldest go."""
RECOVERED = {"backup": "Backups of Task Assist work again.", "drill": "Drills of Task Assist's backups work again."}


class Alarm:
    """Of troubles that may hold at the same time, and are found by several threads.

    What an event is about is its first word: backup_failed and backup_missing have one recovery, backup_recovered.
    """

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._troubles: set[str] = set()
        self._waiting: deque[tuple[str, str]] = deque(maxlen=MOST_WAITING)
        self._not_before = 0.0
        self._lock = threading.Lock()

    def trouble(self, event: str, text: str) -> None:
        with self._lock:
            if event not in self._troubles:
                self._troubles.add(event)
                self._waiting.append((event, text))
                self._deliver()

    def over(self, event: str) -> None:
        about = event.partition("_")[0]
        with self._lock:
            if event in self._troubles:
                self._troubles.remove(event)
                if not any(each.startswith(f"{about}_") for each in self._troubles):
                    self._waiting.append((f"{about}_recovered", RECOVERED[about]))
                    self._deliver()

    def tell(self, event: str, text: str) -> None:
        """What is no trouble that lasts."""
        with self._lock:
            self._waiting.append((event, text))
            self._deliver()

    def try_again(self) -> None:
        """To be called often."""
        with self._lock:
            self._deliver()

    def _deliver(self) -> None:
        while self._waiting and time.monotonic() >= self._not_before:
            if not self._notify(*self._waiting[0]):
                self._not_before = time.monotonic() + TRY_AGAIN_AFTER
                return
            self._waiting.popleft()
