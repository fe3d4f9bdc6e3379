"""The JSON API of work items, tasks and the trash: HTTP in, a function of app/domain, JSON out."""

from urllib.parse import urlencode

from flask import Blueprint, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import BadRequest

from app.domain import search, tasks, trash, work_items
from app.domain.schemas import Filters, NewTask, NewWorkItem, TaskChange, WorkItemChange
from app.errors import Problem
from app.web.api.openapi import TaskOut, TasksOut, TrashOut, WorkItemOut, WorkItemsOut, described, spec
from app.web.context import current_user_id, database, today

api = Blueprint("api", __name__, url_prefix="/api/v1")


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=2**31)


class WorkItemsQuery(PageQuery, Filters):
    pass


class NotJson(Problem):
    code, status = "not_json", 400


class NotJsonType(Problem):
    code, status = "not_json", 415


@api.before_request
def refuse_other_bodies() -> None:
    """spectree takes a body that it can't read for an empty one; a person should hear what is wrong with it."""
    if request.method not in ("POST", "PATCH") or not (request.mimetype or request.get_data()):
        return
    if not request.is_json:
        raise NotJsonType(f"The body is {request.mimetype or 'of no type'}.", "Send Content-Type: application/json.")
    try:
        body = request.get_json()
    except (BadRequest, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise NotJson("The body is not a JSON object.", 'Send one like {"title": "Buy milk"}.')


def next_page(query: PageQuery, total: int) -> str | None:
    """The address of the next page, None on the last one."""
    after = query.offset + query.limit
    if after >= total:
        return None
    return f"{request.path}?{urlencode(query.model_dump(exclude_defaults=True) | {'offset': after})}"


@api.get("/openapi.json")
@described(None)
def openapi():
    """This document."""
    return spec.spec


# --- work items -------------------------------------------------------------------------------------------


@api.get("/work-items")
@described(WorkItemsOut)
def list_work_items(query: WorkItemsQuery):
    """The work items that fit, in their order."""
    filters = Filters.model_validate(query.model_dump(include=set(Filters.model_fields)))
    with database().read() as session:
        page = search.list_items(session, filters, today(), limit=query.limit, offset=query.offset)
        items = [WorkItemOut.model_validate(item) for item in page.rows]
    return WorkItemsOut(items=items, total=page.total, next=next_page(query, page.total))


@api.post("/work-items")
@described(WorkItemOut, 201)
def add_work_item(json: NewWorkItem):
    """A new work item, at the top of the list."""
    with database().write() as session:
        return WorkItemOut.model_validate(work_items.add_item(session, current_user_id(), json)), 201


@api.get("/work-items/<int:id>")
@described(WorkItemOut)
def get_work_item(id: int):
    """One work item."""
    with database().read() as session:
        return WorkItemOut.model_validate(work_items.get_item(session, id))


@api.patch("/work-items/<int:id>")
@described(WorkItemOut)
def change_work_item(id: int, json: WorkItemChange):
    """Changes the fields that are given."""
    with database().write() as session:
        return WorkItemOut.model_validate(work_items.change_item(session, current_user_id(), id, json))


@api.delete("/work-items/<int:id>")
@described(None, 204)
def delete_work_item(id: int):
    """Puts a work item, with its tasks, into the trash for 30 days."""
    with database().write() as session:
        work_items.delete_item(session, current_user_id(), id)
    return "", 204


@api.post("/work-items/<int:id>/restore")
@described(WorkItemOut)
def restore_work_item(id: int):
    """Takes a work item back out of the trash."""
    with database().write() as session:
        return WorkItemOut.model_validate(work_items.restore_item(session, current_user_id(), id))


# --- tasks ------------------------------------------------------------------------------------------------


@api.get("/work-items/<int:id>/tasks")
@described(TasksOut)
def list_tasks(id: int, query: PageQuery):
    """A work item's tasks, in their order."""
    with database().read() as session:
        page = tasks.list_tasks(session, id, limit=query.limit, offset=query.offset)
        items = [TaskOut.model_validate(task) for task in page.rows]
    return TasksOut(items=items, total=page.total, next=next_page(query, page.total))


@api.post("/work-items/<int:id>/tasks")
@described(TaskOut, 201)
def add_task(id: int, json: NewTask):
    """A new task, at the end of the work item's list."""
    with database().write() as session:
        return TaskOut.model_validate(tasks.add_task(session, current_user_id(), id, json)), 201


@api.get("/tasks/<int:id>")
@described(TaskOut)
def get_task(id: int):
    """One task."""
    with database().read() as session:
        return TaskOut.model_validate(tasks.get_task(session, id))


@api.patch("/tasks/<int:id>")
@described(TaskOut)
def change_task(id: int, json: TaskChange):
    """Changes the fields that are given."""
    with database().write() as session:
        return TaskOut.model_validate(tasks.change_task(session, current_user_id(), id, json))


@api.delete("/tasks/<int:id>")
@described(None, 204)
def delete_task(id: int):
    """Puts a task into the trash for 30 days."""
    with database().write() as session:
        tasks.delete_task(session, current_user_id(), id)
    return "", 204


@api.post("/tasks/<int:id>/restore")
@described(TaskOut)
def restore_task(id: int):
    """Takes a task back out of the trash."""
    with database().write() as session:
        return TaskOut.model_validate(tasks.restore_task(session, current_user_id(), id))


@api.get("/trash")
@described(TrashOut)
def trash():
    """What can be restored, the latest first."""
    with database().read() as session:
        items, tasks = trash.list_trash(session)
        return TrashOut.model_validate({"work_items": items, "tasks": tasks})
