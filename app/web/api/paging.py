"""Lists in pages: each begins behind the last row of the one before, so nothing is left out or told twice.

Not by a number of rows: one that is deleted meanwhile would move all that follow.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.domain.paging import Page
from app.domain.schemas import Id
from app.domain.shown import TOP, Place
from app.errors import NotFound
from app.web.api.openapi import Json, Shape

Key = TypeVar("Key")
"""What a list is sorted by, of one row."""


ROWS_KEPT, NOTES_KEPT = 512, 2000
"""Of rows with so many characters of notes at most: 1 KB each, about, and 16 at most. The longest would take 160."""
PLACE: TypeAdapter[Place] = TypeAdapter(tuple[Id, Id])


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # An address holds text alone, so this is read from it whatever the fields beside it do.
    limit: int = Field(50, ge=1, le=200, strict=False)
    cursor: str = Field("", max_length=1000, description="From `next` of the page before.")


def key_in(query: PageQuery, kind: TypeAdapter[Key], first: Key) -> Key:
    """The key of the last row of the page before, `first` for the first page. Raises NotFound."""
    try:
        return kind.validate_json(urlsafe_b64decode(query.cursor)) if query.cursor else first
    except (ValueError, OverflowError):
        raise NotFound("This is not a page of the list.", fields={"cursor": "Take it from “next”."}) from None


def place_in(query: PageQuery) -> Place:
    return key_in(query, PLACE, TOP)


def place_of(row: Any) -> Place:
    return row.position, row.id


def page_of(query: PageQuery, rows: Sequence[Any], key: Callable[[Any], tuple[Any, ...]]) -> dict[str, Any]:
    """`items` and `next`, the address of the next page or None: `rows` are one more than fit, if there are."""
    items = rows[: query.limit]
    return {"items": items, "next": next_address(query, key(items[-1]) if len(rows) > query.limit else None)}


def page_as_json(shape: type[Shape], query: PageQuery, page: Page, total: int) -> Json:
    """The same of rows that have a place, and how many there are, where many of the rows were asked for before."""
    items = ",".join([_row_as_json(shape, row) for row in page.rows])
    following = next_address(query, place_of(page.rows[-1]) if page.more else None)
    return Json(f'{{"items":[{items}],"total":{total},"next":{json.dumps(following)}}}')


def _row_as_json(shape: type[Shape], row: Any) -> str:
    return (_kept_as_json if len(row.notes) <= NOTES_KEPT else _as_json)(shape, row)


def _as_json(shape: type[Shape], row: tuple[Any, ...]) -> str:
    """Made of the row alone, so it is made once for what is in it."""
    return shape.model_validate(row).model_dump_json()


_kept_as_json = lru_cache(ROWS_KEPT)(_as_json)


def next_address(query: PageQuery, last: tuple[Any, ...] | None) -> str | None:
    if last is None:
        return None
    cursor = urlsafe_b64encode(json.dumps(last, default=str, ensure_ascii=False).encode()).decode()
    return f"{request.path}?{urlencode(query.model_dump(exclude_defaults=True) | {'cursor': cursor})}"
