"""Where a page of rows ends: after so many, and earlier where their notes are long."""

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import CursorResult

LONGEST_PAGE = 250_000
"""Characters of notes, a megabyte at most: a page of 200 work items with the longest notes would be 16, and several in
memory while it is made."""


class Page(NamedTuple):
    """`more`: others follow."""

    rows: Sequence[Any]
    more: bool


def page_in(found: Generator[Any, None, None] | CursorResult[Any], limit: int) -> Page:
    """The first `limit` rows that were found, or fewer, one at least. Not all that were found are read then."""
    rows, characters = [], 0
    with closing(found):
        for row in found:
            characters += len(row.notes)
            if len(rows) == limit or (rows and characters > LONGEST_PAGE):
                return Page(rows, more=True)
            rows.append(row)
    return Page(rows, more=False)
