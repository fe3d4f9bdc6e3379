"""Finds work items by words, wherever in the title, the notes or a task each stands.

How that is done is behind these functions: SQLite has an index of its own for it (app/database/search_index.py).
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    case,
    column,
    func,
    literal,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from app.database.search_index import TABLE, TRIGRAMS, write_new_text, write_text
from app.domain.models import WorkItem
from app.domain.rows import LARGEST_ID

SEARCHED = {"title", "notes"}
"""Fields of work items, and of tasks."""
WORDS = 10
"""Of a search, the first so many that differ. Each narrows down what is found."""
SHORT = 3
"""A shorter word is not in the index, but the groups of three letters that begin with it are."""
MANY = 4
"""From so many words on the index is asked for a part of each: all groups of ten words that a third of 100,000 texts
have take 47 ms, the first and last ones 12, on the same busy machine (benchmarks/growth)."""
FEW = 500
"""Groups that are looked up; the time grows with the square of them. With more of them the texts are read instead."""

TEXTS = table(TABLE, column("rowid", Integer), column("text", Text), column(TABLE, Text))
GROUPS = table(TRIGRAMS, column("term", Text))


NOTHING = '""'
"""FTS5's words for what is in no text."""


def keep_searchable(session: Session, item_id: int) -> None:
    """To be called where a title, notes, or what lies in the trash was changed. Does it before the transaction ends."""
    session.flush()
    write_text(session.connection(), item_id)


def make_searchable(connection: Connection, item_id: int, title: str, notes: str) -> None:
    """The same for a new work item."""
    write_new_text(connection, item_id, title, notes)


def mentions(words: str) -> ColumnElement[bool]:
    """True of the work items in which all the words stand. They need not be whole words; case does not count."""
    wanted = list(dict.fromkeys(words.casefold().split()))[:WORDS]
    found: list[Any] = [_with_short(word) for word in wanted if len(word) < SHORT]
    if long := [word for word in wanted if len(word) >= SHORT]:
        found.append(_with_all(long) if len(long) < MANY else _with_many(long))
    return and_(true(), *(WorkItem.id.in_(ids) for ids in found))


def _with_all(words: list[str]) -> Select[int]:
    return _matching(literal(" ".join(_quoted(word) for word in words)))


def _with_many(words: list[str]) -> Select[int]:
    """By the first and last letters of each, which few texts have of all words; these are read then."""
    ends = " ".join(_quoted(letters) for word in words for letters in (word[:SHORT], word[-SHORT:]))
    return _matching(literal(ends)).where(*(func.instr(TEXTS.c.text, word) > 0 for word in words))


def _matching(expression: ColumnElement[str]) -> Select[int]:
    """In FTS5's language (sqlite.org/fts5, "Full-text Query Syntax")."""
    return select(TEXTS.c.rowid).where(TEXTS.c[TABLE].op("MATCH")(expression))


def _with_short(word: str) -> CompoundSelect[int]:
    """By one of two ways: the other finds nothing, since it is given no group, or no text to read."""
    after = f"{word}\U0010ffff"
    groups = select(GROUPS.c.term).where(GROUPS.c.term >= word, GROUPS.c.term < after).limit(FEW + 1).subquery()
    few = func.count() <= FEW
    any_group = func.coalesce(func.group_concat(_quoted(groups.c.term), " OR "), NOTHING)
    looked_up = select(case((few, any_group), else_=NOTHING)).select_from(groups).scalar_subquery()
    read_from = select(case((few, LARGEST_ID), else_=0)).select_from(groups).scalar_subquery()
    read = select(TEXTS.c.rowid).where(TEXTS.c.rowid > read_from, func.instr(TEXTS.c.text, word) > 0)
    return union_all(_matching(looked_up), read)


def _quoted(text: Any) -> Any:
    """As one word of FTS5's language, of a text or of a column."""
    if isinstance(text, str):
        return '"' + text.replace('"', '""') + '"'
    return literal('"') + func.replace(text, '"', '""') + '"'
