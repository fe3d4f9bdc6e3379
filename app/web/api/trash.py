"""The trash in the API."""

from app.domain.trash import list_trash
from app.web.api.blueprint import api
from app.web.api.openapi import IfNoneMatch, TrashOut, described
from app.web.context import database


@api.get("/trash")
@described(TrashOut, condition=IfNoneMatch)
def trash():
    """What can be restored, the latest first."""
    with database().read() as session:
        items, tasks = list_trash(session)
        return TrashOut.model_validate({"work_items": items, "tasks": tasks})
