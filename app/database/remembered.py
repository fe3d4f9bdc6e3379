"""What was counted in the database, remembered until the next write: counting takes as long as the table."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

AT_MOST = 256
"""Answers between two writes: each search that somebody types is another one."""


class Remembered:
    """Of one open database. Only what this process writes is a write: nobody else may, while it has the database."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Any] = {}

    def until_next_write(self) -> dict[Hashable, Any]:
        """To be taken before a reader's moment: one that sees an older moment than this is never put into it."""
        return self._answers

    def forget(self) -> None:
        """Something was written. A new dictionary: who still reads the moment before keeps the old one."""
        self._answers = {}


def remembered(connection: Connection, question: Hashable, ask: Callable[[], Any]) -> Any:
    """The answer of `ask()` to this question, from the last time if nothing was written since.

    A connection that writes asks each time.
    """
    answers = connection.get_execution_options().get("remembered")
    if answers is None:
        return ask()
    with suppress(KeyError):
        return answers[question]
    if len(answers) >= AT_MOST:
        answers.clear()
    answer = answers[question] = ask()
    return answer
