"""What the forms of one task do, on the list and on its work item's page."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from app.domain import shown, tasks
from app.domain.models import Task
from app.domain.schemas import TaskChange
from app.web.context import current_user_id, database, today
from app.web.pages.blueprint import pages
from app.web.pages.edit_conflicts import NOT_SAVED, own_changes, refused_edit
from app.web.pages.forms import (
    direction,
    flash_status,
    offer_undo,
    page_again,
    parse_form,
    redirect_to,
    return_path,
)
from app.web.pages.item_page import item_page, page_with_task, path_with_task
from app.web.pages.item_parts import task_rows
from app.web.pages.unsaved_form import keeps_text


@pages.post("/tasks/<int:task_id>")
@keeps_text(tasks.restore_task_and_item)
def change_task(task_id: int) -> Response:
    try:
        change = parse_form(TaskChange)
        with database().write() as session:
            task = tasks.get_task(session, task_id)
            tasks.change_task(session, current_user_id(), task_id, own_changes(change, task))
    except NOT_SAVED as error:
        item_id, page = _item_and_page_of(task_id)
        return page_again(item_page(item_id, refused_edit(f"task-{task_id}", error), page))
    flash_status(f"Saved “{task.title}”.")
    return redirect_to(return_path(), f"task-{task_id}-edit")


@pages.post("/tasks/<int:task_id>/tick")
def tick_task(task_id: int) -> Response:
    change = TaskChange(done=request.form.get("done") == "1")
    with database().write() as session:
        task = tasks.change_task(session, current_user_id(), task_id, change)
        item = shown.get_item(session.connection(), task.work_item_id)
        history = shown.list_events(session.connection(), item.id)
    progress = f"{item.tasks_done} of {item.tasks_total} tasks of “{item.title}” done."
    if "HX-Request" in request.headers and urlsplit(return_path()).path == f"/work-items/{item.id}":
        return _what_a_tick_changes(item, task, history, progress)
    flash_status(progress)
    return redirect_to(return_path(), f"task-{task_id}-tick")


@pages.post("/tasks/<int:task_id>/move")
def move_task(task_id: int) -> Response:
    way = direction()
    with database().write() as session:
        task = tasks.move_task(session, task_id, way)
        session.flush()
        path = path_with_task(session.connection(), task)
    flash_status(f"Moved “{task.title}” {way}.")
    return redirect_to(path, f"task-{task_id}-{way}")


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


def _what_a_tick_changes(item: Any, task: Task, history: Sequence[Any], said: str) -> Response:
    """Instead of the whole page, which has up to a hundred tasks."""
    row = task_rows([task], return_path(), today(), None)
    page = render_template("item_ticked.html", row_id=f"task-{task.id}", row=row, item=item, history=history, said=said)
    return make_response(page, 200, {"HX-Replace-Url": "false"})


def _item_and_page_of(task_id: int) -> tuple[int, str]:
    with database().read() as session:
        item_id = tasks.get_task(session, task_id).work_item_id
        return item_id, str(page_with_task(session.connection(), task_id))
