"""The page of one work item: its details, its tasks, its history."""

from flask import render_template, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from app.domain import shown, tasks, work_items
from app.domain.schemas import NewTask, WorkItemChange
from app.web.context import current_user_id, database, today
from app.web.pages.blueprint import pages
from app.web.pages.edits import NOT_SAVED, own_changes, refused_edit
from app.web.pages.forms import (
    Refused,
    flash_status,
    offer_undo,
    page_again,
    parse_form,
    redirect_to,
    refused,
    return_path,
)
from app.web.pages.item_parts import details_form, task_rows
from app.web.pages.typed import keeps_text


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
    flash_status(f"Added “{task.title}”.")
    return redirect_to(return_path(), "new-task-title")


def item_page(item_id: int, refusal: Refused | None = None) -> str:
    here, day = url_for("pages.item", item_id=item_id), today()
    with database().read_columns() as connection:
        item = shown.get_item(connection, item_id)
        tasks = shown.list_tasks(connection, item_id, limit=1000)
        return render_template(
            "item.html",
            item=item,
            task_rows=task_rows(tasks, here, day, refusal),
            details=details_form(item, here, day, refusal),
            history=shown.list_events(connection, item_id),
            here=here,
            refused=refusal,
        )
