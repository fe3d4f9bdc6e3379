"""Group commit: the changes of several requests in one transaction, so that one commit, and one wait for the disk, is
for all of them.

A thread that makes one change after the other asks for it (`group_commits()`). A change of such a thread is on disk not
when its block ends, but after the thread's `commit()`: until then it answers nobody who has made one.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from typing import Any

from sqlalchemy import Connection

from app.errors import Busy, Problem

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Begins one that writes, and commits it where the block ends without an error."""


NOTHING_CHANGED = "Nothing was changed. Try again in a moment."


class Group:
    """Changes that are committed together."""

    def __init__(self, transaction: Transaction) -> None:
        self._block = transaction()
        self._connection = self._block.__enter__()
        self._sqlite: Any = self._connection.connection.driver_connection
        self._changes, self._changing = 0, False
        self._when_ended: list[Callable[[bool], None]] = []
        self._error: Exception | None = None

    @property
    def error(self) -> Exception | None:
        """Why they were not committed, once that is known. A copy: raised for many, one would keep all their stacks."""
        return copy(self._error) if isinstance(self._error, Problem) else self._error

    @contextmanager
    def change(self) -> Iterator[Connection]:
        before, self._changing = self._sqlite.total_changes, True
        try:
            yield self._connection
        except BaseException as error:
            # A refusal harms none of those before it where it has changed nothing yet.
            unchanged = self._is_open() and self._sqlite.total_changes == before
            if isinstance(error, Problem) and unchanged and self._changes:
                raise
            told = self._end(error)
            if not isinstance(told, Problem):  # a fault of ours in this one
                self._error = Busy("An error in another change undid this one.", NOTHING_CHANGED, retry_after=1)
            try:
                if told is error:
                    raise
                raise told from error  # pyright: ignore[reportGeneralTypeIssues]
            finally:
                del told  # as in _end()
        finally:
            self._changing = False
        self._changes += 1

    def when_ended(self, call: Callable[[bool], None]) -> None:
        self._when_ended.append(call)

    def commit(self) -> None:
        if self._changing:
            raise RuntimeError("A change is not made yet, so nothing else can be written by the same thread.")
        self._end(None if self._is_open() else RuntimeError("SQLite has undone this transaction."))

    def _is_open(self) -> bool:
        """SQLite ends a transaction by itself where the disk is full, or can't be read."""
        return self._sqlite.in_transaction

    def _end(self, why: BaseException | None) -> BaseException | None:
        """Commits it, or undoes all of it because of this. Gives what is told to whom that was met by."""
        try:
            self._block.__exit__(*((type(why), why, why.__traceback__) if why else (None, None, None)))
        except BaseException as error:
            why = error
        if why:
            self._error = _kept(why)
        for call in self._when_ended:
            call(why is None)
        try:
            return why
        finally:
            del why  # its traceback leads here: what leads back keeps a request's body until the collector comes


def _kept(why: BaseException) -> Exception:
    if isinstance(why, Problem):
        return copy(why)  # without its traceback
    return why if isinstance(why, Exception) else RuntimeError(repr(why))


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
        group.commit()
        _thread.waiting = None


def commit_own() -> None:
    """Before the present request looks at what it has changed. Raises why that was not saved."""
    if group := _thread.own:
        if group is _thread.waiting:
            commit()
        if error := group.error:
            raise error


def commit_before_another() -> None:
    """Before another transaction that writes begins in this thread: its turn is taken. Raises as `commit_own()`."""
    commit()
    commit_own()


def when_committed(call: Callable[[bool], None]) -> None:
    """Calls it when the present request's change is on disk, with True, or undone, with False.

    At once where the request has changed nothing, or that is decided already.
    """
    group = _thread.own
    if group and group is _thread.waiting:
        group.when_ended(call)
    else:
        call(group is None or group.error is None)


def take_own() -> Group | None:
    """The group in which the request that has just ended has a change. The next request begins without one."""
    group, _thread.own = _thread.own, None
    return group
