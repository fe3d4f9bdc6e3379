"""The trash in the API."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter

from app.domain.schemas import Id
from app.domain.trash import LATEST, Deletion, count_trash, list_trash
from app.web.api.blueprint import api
from app.web.api.openapi import IfNoneMatch, TrashOut, described
from app.web.api.paging import PageQuery, key_in, next_address
from app.web.context import database

Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
PLACE: TypeAdapter[Deletion] = TypeAdapter(tuple[Moment, Annotated[int, Field(ge=0, le=1)], Id])


@api.get("/trash")
@described(TrashOut, condition=IfNoneMatch)
def trash(query: PageQuery):
    """What can be restored, the latest first: a page has `limit` work items and tasks together at most, and
    fewer where their notes are long."""
    with database().read_columns() as connection:
        page = list_trash(connection, limit=query.limit, after=key_in(query, PLACE, LATEST))
        total = count_trash(connection)
    found = {"work_items": page.items, "tasks": page.tasks, "total": total, "next": next_address(query, page.last)}
    return TrashOut.model_validate(found)
