"""Group commit: the changes of several requests in one transaction, so that one commit, and one wait for the disk, is
for all of them.

A thread that makes one change after the other asks for it (`group_commits()`). A change of such a thread is on disk not
when its block ends, but after the thread's `commit()`: until then it answers nobody who has made one.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Begins one that writes, and commits it where the block ends without an error."""


class Group:
    """Changes that are committed together. `error`: why they were not, once it has ended."""

    def __init__(self, transaction: Transaction) -> None:
        self._block = ExitStack()
        self._connection = self._block.enter_context(transaction())
        self._sqlite: Any = self._connection.connection.driver_connection
        self._changes = 0
        self._when_ended: list[Callable[[bool], None]] = []
        self.error: BaseException | None = None

    @contextmanager
    def change(self) -> Iterator[Connection]:
        before = self._sqlite.total_changes
        try:
            yield self._connection
        except BaseException as error:
            # Before it has changed anything it harms none of those before it.
            harmless = self._changes and self.is_open and self._sqlite.total_changes == before
            if not harmless:
                self.end(error)
            if self.error and self.error is not error:
                raise self.error from error
            raise
        self._changes += 1

    @property
    def is_open(self) -> bool:
        """SQLite ends a transaction by itself where the disk is full, or can't be read."""
        return self._sqlite.in_transaction

    def when_ended(self, call: Callable[[bool], None]) -> None:
        self._when_ended.append(call)

    def end(self, why: BaseException | None = None) -> None:
        """Commits it, or undoes all of it because of this."""
        if why is None and not self.is_open:
            why = RuntimeError("SQLite has undone this transaction.")
        try:
            self._block.__exit__(*((type(why), why, why.__traceback__) if why else (None, None, None)))
            self.error = why
        except BaseException as error:
            self.error = error
        for call in self._when_ended:
            call(self.error is None)


class _OfThread(threading.local):
    groups = False
    waiting: Group | None = None
    """The one that is not committed yet."""
    own: Group | None = None
    """The one in which the present request has a change."""


_thread = _OfThread()


def group_commits() -> None:
    """In this thread, from now on."""
    _thread.groups = True


@contextmanager
def change(transaction: Transaction) -> Iterator[Connection]:
    """One change: in a transaction of its own, or in one with those before it that are not committed yet."""
    if not _thread.groups:
        with transaction() as connection:
            yield connection
        return
    group = _thread.waiting = _thread.waiting or Group(transaction)
    try:
        with group.change() as connection:
            yield connection
    finally:
        if group.error:
            _thread.waiting = None
    _thread.own = group


def is_waiting() -> bool:
    """Does this thread have changes that are not committed yet?"""
    return _thread.waiting is not None


def commit() -> None:
    """Whatever this thread has not committed yet. Who hears of an error are those who made the changes (`take_own`)."""
    if group := _thread.waiting:
        _thread.waiting = None
        group.end()


def commit_own() -> None:
    """Before the present request looks at what it has changed. Raises why that was not saved."""
    if group := _thread.own:
        if group is _thread.waiting:
            commit()
        if group.error:
            raise group.error


def commit_before_another() -> None:
    """Before another transaction that writes begins in this thread: its turn is taken. Raises as `commit_own()`."""
    commit()
    commit_own()


def when_committed(call: Callable[[bool], None]) -> None:
    """Calls it when the present request's change is on disk, with True, or undone, with False; without one at once."""
    group = _thread.own
    if group and group is _thread.waiting:
        group.when_ended(call)
    else:
        call(group is None or group.error is None)


def take_own() -> Group | None:
    """The group in which the request that has just ended has a change. The next request begins without one."""
    group, _thread.own = _thread.own, None
    return group
