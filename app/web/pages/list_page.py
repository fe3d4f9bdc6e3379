"""The pages: a form comes in, a function of app/domain does what it says, a page or a redirect goes out."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from app.database.base import utc_now
from app.domain import history, ordering, search, tasks, trash, work_items
from app.domain.models import Task, WorkItem
from app.domain.schemas import Filters, NewTask, NewWorkItem, TaskChange, WorkItemChange
from app.errors import Invalid
from app.settings import PASSWORD_LENGTH
from app.web.context import current_user_id, database, settings, today
from app.web.pages import formatting
from app.web.pages.forms import (
    Refused,
    filters_in,
    filters_of_form,
    flash_status,
    offer_undo,
    page_again,
    parse_form,
    redirect_to,
    refused,
    return_path,
)

PAGE = 50
"""Work items on one page of the list: with a few hundred tasks it still draws and ticks without a wait."""
TASKS_IN_LIST = 4
JUST_TICKED = timedelta(minutes=10)

pages = Blueprint("pages", __name__)
for word in (formatting.due_words, formatting.long_date, formatting.trash_words):
    pages.add_app_template_filter(word)


@pages.app_template_filter()
def local_time(moment: datetime) -> str:
    return f"{moment.astimezone(settings().zone):%Y-%m-%d %H:%M}"


@pages.app_context_processor
def _rules_to_tell() -> dict[str, int]:
    return {"password_length": PASSWORD_LENGTH, "trash_days": trash.TRASH_DAYS}


# --- the list ---------------------------------------------------------------------------------------------


@pages.get("/")
def index() -> str:
    return _list_page(filters_in(request.args), request.args.get("page", 1, type=int))


@pages.post("/work-items")
def add_item() -> Response:
    try:
        fields = parse_form(NewWorkItem)
    except ValidationError as error:
        return page_again(_list_page(filters_of_form(), refusal=refused("new-item", error)))
    with database().write() as session:
        item = work_items.add_item(session, current_user_id(), fields)
    flash_status(f"Added “{item.title}”.")
    # Where it can be seen: it may not fit the filters of the list it was typed into.
    return redirect_to(url_for("pages.index"), "new-item-title")


@pages.post("/work-items/<int:item_id>/move")
def move_item(item_id: int) -> Response:
    direction = _direction()
    with database().write() as session:
        item = work_items.move_item(session, item_id, direction, filters_of_form(), today())
    flash_status(f"Moved “{item.title}” {direction}.")
    return redirect_to(return_path(), f"item-{item_id}-{direction}")


@pages.post("/work-items/<int:item_id>/delete")
def delete_item(item_id: int) -> Response:
    with database().write() as session:
        item = work_items.delete_item(session, current_user_id(), item_id)
    offer_undo(f"Deleted “{item.title}”.", url_for("pages.restore_item", item_id=item_id))
    return redirect_to(return_path())


@pages.post("/work-items/<int:item_id>/restore")
def restore_item(item_id: int) -> Response:
    with database().write() as session:
        item = work_items.restore_item(session, current_user_id(), item_id)
    flash_status(f"Restored “{item.title}”.")
    return redirect_to(return_path(), f"item-{item_id}-tick")


def _list_page(filters: Filters, page: int = 1, refusal: Refused | None = None) -> str:
    with database().read() as session:
        total = search.list_items(session, filters, today(), limit=0).total
        last = max(1, -(-total // PAGE))
        page = min(max(page, 1), last)
        return render_template(
            "list.html",
            items=search.list_items(session, filters, today(), limit=PAGE, offset=(page - 1) * PAGE).rows,
            total=total,
            page=page,
            last=last,
            filters=filters,
            counts=search.count_by_status(session),
            due_count=search.list_items(session, Filters(status="open", due="today"), today(), limit=0).total,
            here=list_url(filters, page),
            refused=refusal,
        )


@pages.app_template_global()
def tasks_in_list(item: WorkItem) -> tuple[list[Task], int]:
    """The first tasks to do of an open item, and how many more there are.

    One that was just ticked stays among them, so that the focus stays and a slip can be mended at once.
    """
    if item.status != "open":
        return [], 0
    shown, to_do = [], [task for task in item.tasks if not task.done]
    for task in item.tasks:
        if task in to_do[:TASKS_IN_LIST] or (task.done and task.updated_at > utc_now() - JUST_TICKED):
            shown.append(task)
    return shown, len(to_do[TASKS_IN_LIST:])


@pages.app_template_global()
def list_url(filters: Filters, page: int = 1, **changed: str) -> str:
    """The address of the list with these filters; those that are not set stay out of it."""
    query: dict[str, Any] = filters.model_dump() | changed
    if query["status"] == "open":
        query["status"] = ""
    query["page"] = page if page > 1 else ""
    return url_for("pages.index", **{name: value for name, value in query.items() if value})


# --- one work item ----------------------------------------------------------------------------------------


@pages.get("/work-items/<int:item_id>")
def item(item_id: int) -> str:
    return _item_page(item_id)


@pages.post("/work-items/<int:item_id>")
def change_item(item_id: int) -> Response:
    try:
        change = parse_form(WorkItemChange)
    except ValidationError as error:
        return page_again(_item_page(item_id, refused("details", error)))
    with database().write() as session:
        before = work_items.get_item(session, item_id).status
        item = work_items.change_item(session, current_user_id(), item_id, change)
    if item.status in ("open", before):
        flash_status(f"Saved “{item.title}”.")
    else:
        undo = url_for("pages.change_item", item_id=item_id)
        offer_undo(f"“{item.title}” is {item.status} now.", undo, status=before)
    return redirect_to(return_path(), f"item-{item_id}-tick")


@pages.post("/work-items/<int:item_id>/tasks")
def add_task(item_id: int) -> Response:
    try:
        fields = parse_form(NewTask)
    except ValidationError as error:
        return page_again(_item_page(item_id, refused("new-task", error)))
    with database().write() as session:
        task = tasks.add_task(session, current_user_id(), item_id, fields)
    flash_status(f"Added “{task.title}”.")
    return redirect_to(return_path(), "new-task-title")


def _item_page(item_id: int, refusal: Refused | None = None) -> str:
    with database().read() as session:
        return render_template(
            "item.html",
            item=work_items.get_item(session, item_id),
            history=history.list_events(session, item_id),
            here=url_for("pages.item", item_id=item_id),
            refused=refusal,
        )


# --- tasks ------------------------------------------------------------------------------------------------


@pages.post("/tasks/<int:task_id>")
def change_task(task_id: int) -> Response:
    try:
        change = parse_form(TaskChange)
    except ValidationError as error:
        return page_again(_item_page(_item_of(task_id), refused(f"task-{task_id}", error)))
    with database().write() as session:
        task = tasks.change_task(session, current_user_id(), task_id, change)
    flash_status(f"Saved “{task.title}”.")
    return redirect_to(return_path(), f"task-{task_id}-edit")


@pages.post("/tasks/<int:task_id>/tick")
def tick_task(task_id: int) -> Response:
    change = TaskChange(done=request.form.get("done") == "1")
    with database().write() as session:
        item = tasks.change_task(session, current_user_id(), task_id, change).work_item
        progress = f"{item.tasks_done} of {item.tasks_total} tasks of “{item.title}” done."
    flash_status(progress)
    return redirect_to(return_path(), f"task-{task_id}-tick")


@pages.post("/tasks/<int:task_id>/move")
def move_task(task_id: int) -> Response:
    direction = _direction()
    with database().write() as session:
        task = tasks.move_task(session, task_id, direction)
    flash_status(f"Moved “{task.title}” {direction}.")
    return redirect_to(return_path(), f"task-{task_id}-{direction}")


@pages.post("/tasks/<int:task_id>/delete")
def delete_task(task_id: int) -> Response:
    with database().write() as session:
        task = tasks.delete_task(session, current_user_id(), task_id)
    offer_undo(f"Deleted “{task.title}”.", url_for("pages.restore_task", task_id=task_id))
    return redirect_to(return_path())


@pages.post("/tasks/<int:task_id>/restore")
def restore_task(task_id: int) -> Response:
    with database().write() as session:
        task = tasks.restore_task(session, current_user_id(), task_id)
    flash_status(f"Restored “{task.title}”.")
    return redirect_to(return_path(), f"task-{task_id}-tick")


def _item_of(task_id: int) -> int:
    with database().read() as session:
        return tasks.get_task(session, task_id).work_item_id


def _direction() -> ordering.Direction:
    match request.form.get("direction"):
        case "up" | "down" as direction:
            return direction
        case _:
            raise Invalid("A move goes up or down.", fields={"direction": "One of up, down."})


# --- the trash --------------------------------------------------------------------------------------------


@pages.get("/trash")
def trash() -> str:
    with database().read() as session:
        items, tasks = trash.list_trash(session)
        return render_template("trash.html", items=items, tasks=tasks, here=url_for("pages.trash"))
