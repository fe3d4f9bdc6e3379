"""Work items in the API: HTTP in, a function of app/domain, JSON out."""

from sqlalchemy.orm import Session

from app.domain import shown, work_items
from app.domain.models import WorkItem
from app.domain.schemas import Filters, NewWorkItem, WorkItemChange
from app.web.api.blueprint import api
from app.web.api.etags import require_match
from app.web.api.openapi import IfMatch, IfNoneMatch, WorkItemOut, WorkItemsOut, described
from app.web.api.paging import PageQuery, page_as_json, place_in
from app.web.context import current_user_id, database, today


class WorkItemsQuery(PageQuery, Filters):
    pass


@api.get("/work-items")
@described(WorkItemsOut, condition=IfNoneMatch)
def list_work_items(query: WorkItemsQuery):
    """The work items that fit, in their order.

    A page has `limit` of them at most, and fewer where their notes are long.
    """
    filters = Filters.model_validate(query.model_dump(include=set(Filters.model_fields)))
    day = today()
    with database().read_columns() as connection:
        page = shown.list_items(connection, filters, day, limit=query.limit, after=place_in(query))
        total = shown.count_items(connection, filters, day)
    return page_as_json(WorkItemOut, query, page, total)


@api.post("/work-items")
@described(WorkItemOut, 201)
def add_work_item(json: NewWorkItem):
    """A new work item, at the top of the list."""
    with database().write_columns() as connection:
        item = work_items.add_item(connection, current_user_id(), json)
    return WorkItemOut.model_validate(item), 201


@api.get("/work-items/<int:id>")
@described(WorkItemOut, condition=IfNoneMatch)
def get_work_item(id: int):
    """One work item."""
    return WorkItemOut.model_validate(shown.get_item_alone(database(), id))


@api.patch("/work-items/<int:id>")
@described(WorkItemOut, condition=IfMatch)
def change_work_item(id: int, json: WorkItemChange):
    """Changes the fields that are given."""
    with database().write() as session:
        require_match(lambda: _now(session, id))
        return _written(session, work_items.change_item(session, current_user_id(), id, json))


@api.delete("/work-items/<int:id>")
@described(None, 204, condition=IfMatch)
def delete_work_item(id: int):
    """Puts a work item, with its tasks, into the trash, where it can be restored for some weeks."""
    with database().write() as session:
        require_match(lambda: _now(session, id))
        work_items.delete_item(session, current_user_id(), id)
    return "", 204


@api.post("/work-items/<int:id>/restore")
@described(WorkItemOut)
def restore_work_item(id: int):
    """Takes a work item back out of the trash."""
    with database().write() as session:
        return _written(session, work_items.restore_item(session, current_user_id(), id))


def _written(session: Session, item: WorkItem) -> WorkItemOut:
    """The item as it stands now, with the counts of its tasks."""
    session.flush()
    return _now(session, item.id)


def _now(session: Session, item_id: int) -> WorkItemOut:
    return WorkItemOut.model_validate(shown.get_item(session.connection(), item_id))
