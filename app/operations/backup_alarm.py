"""What is told to NOTIFY_URL: each trouble once, and once that all is well again."""

import threading

from app.operations.notify import Notify


class Alarm:
    """Of troubles that may hold at the same time, and are found by several threads."""

    def __init__(self, notify: Notify) -> None:
        self.notify = notify
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def trouble(self, kind: str, event: str, text: str) -> None:
        with self._lock:
            is_new = kind not in self._told
            self._told.add(kind)
        if is_new:
            self.notify(event, text)

    def over(self, kind: str) -> None:
        with self._lock:
            was_last = self._told == {kind}
            self._told.discard(kind)
        if was_last:
            self.notify("backup_recovered", "Backups of Task Assist work again.")
