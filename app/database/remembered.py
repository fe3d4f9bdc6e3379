"""What was counted in the database, remembered until the next write: counting takes as long as the table."""

import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

AT_MOST = 256
"""Answers between two writes: each search that somebody types is another one."""


SECONDS = 10.0
"""No answer is older. No other app may write while this one has the database, but a person can, with sqlite3."""


class Remembered:
    """Of one open database."""

    def __init__(self) -> None:
        self.forget()

    def until_next_write(self) -> dict[Hashable, Any]:
        """To be taken before a reader's moment: one that sees an older moment than this is never put into it."""
        self._forget_what_is_old()
        return self._answers

    def of_accounts(self) -> dict[Hashable, Any]:
        """The same of what is asked about accounts alone, at every request: new work items don't change it."""
        self._forget_what_is_old()
        return self._of_accounts

    def forget(self) -> None:
        """Something was written. A new dictionary: who still reads the moment before keeps the old one."""
        self._of_accounts: dict[Hashable, Any] = {}
        self._until = time.monotonic() + SECONDS
        self.forget_all_but_accounts()

    def forget_all_but_accounts(self) -> None:
        """Something else was written than accounts and their tokens."""
        self._answers: dict[Hashable, Any] = {}

    def _forget_what_is_old(self) -> None:
        if time.monotonic() > self._until:
            self.forget()


def remembered(connection: Connection, question: Hashable, ask: Callable[[], Any]) -> Any:
    """The answer of `ask()` to this question, from the last time if nothing was written since.

    A connection that writes asks each time.
    """
    answers = connection.get_execution_options().get("remembered")
    return ask() if answers is None else answered(answers, question, ask)


def answered(answers: dict[Hashable, Any], question: Hashable, ask: Callable[[], Any]) -> Any:
    """The same of what was taken from Remembered."""
    with suppress(KeyError):
        return answers[question]
    if len(answers) >= AT_MOST:
        answers.clear()
    answer = answers[question] = ask()
    return answer
