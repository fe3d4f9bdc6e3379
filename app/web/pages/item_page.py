"""The page of one work item: its details, its tasks, its history."""

from flask import url_for
from pydantic import ValidationError
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from app.domain import shown, tasks, work_items
from app.domain.models import Task
from app.domain.schemas import NewTask, WorkItemChange
from app.web.context import current_user_id, database, today
from app.web.pages.blueprint import pages
from app.web.pages.edit_conflicts import NOT_SAVED, own_changes, refused_edit
from app.web.pages.forms import (
    Refused,
    flash_status,
    offer_undo,
    page_again,
    parse_form,
    query_of_page,
    redirect_to,
    refused,
    return_path,
)
from app.web.pages.frame import page_around
from app.web.pages.item_parts import details_form, task_rows
from app.web.pages.pager import Pager, numbered
from app.web.pages.unsaved_form import keeps_text

TASKS_ON_PAGE = 100


@pages.get("/work-items/<int:item_id>")
def item(item_id: int) -> str:
    return item_page(item_id)


@pages.post("/work-items/<int:item_id>")
@keeps_text(work_items.restore_item)
def change_item(item_id: int) -> Response:
    try:
        change = parse_form(WorkItemChange)
        with database().write() as session:
            item = work_items.get_item(session, item_id)
            before = item.status
            work_items.change_item(session, current_user_id(), item_id, own_changes(change, item))
    except NOT_SAVED as error:
        return page_again(item_page(item_id, refused_edit("details", error)))
    if item.status in ("open", before):
        flash_status(f"Saved “{item.title}”.")
    else:
        undo = url_for("pages.change_item", item_id=item_id)
        offer_undo(f"“{item.title}” is {item.status} now.", undo, status=before)
    return redirect_to(return_path(), f"item-{item_id}-tick")


@pages.post("/work-items/<int:item_id>/tasks")
@keeps_text(work_items.restore_item)
def add_task(item_id: int) -> Response:
    try:
        fields = parse_form(NewTask)
    except ValidationError as error:
        return page_again(item_page(item_id, refused("new-task", error)))
    with database().write() as session:
        task = tasks.add_task(session, current_user_id(), item_id, fields)
        path = path_with_task(session.connection(), task)
    flash_status(f"Added “{task.title}”.")
    return redirect_to(path, "new-task-title")


def item_page(item_id: int, refusal: Refused | None = None, page: str | None = None) -> str:
    """`page`: of its tasks; without it that of the form that was sent, or the first."""
    with database().read_columns() as connection:
        item = shown.get_item(connection, item_id)
        pager = _pager(item_id, item.tasks_total, page or query_of_page().get("page", ""))
        here, day = pager.here, today()
        rows = shown.list_tasks(connection, item_id, limit=TASKS_ON_PAGE, offset=pager.offset)
        history = tuple(shown.list_events(connection, item_id))
    parts = {"task_rows": task_rows(rows, here, day, refusal), "details": details_form(item, here, day, refusal)}
    return page_around("item.html", parts, refusal, item=item, pager=pager, history=history, here=here)


def page_with_task(connection: Connection, task_id: int) -> int:
    """The page of its work item's tasks that shows it."""
    return shown.tasks_before(connection, task_id) // TASKS_ON_PAGE + 1


def path_with_task(connection: Connection, task: Task) -> str:
    return numbered(f"/work-items/{task.work_item_id}")(page_with_task(connection, task.id))


def _pager(item_id: int, total: int, page: str) -> Pager:
    return Pager.of(page, total, TASKS_ON_PAGE, numbered(f"/work-items/{item_id}"))
