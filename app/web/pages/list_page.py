"""The list of work items: what it shows, and what its forms do."""

from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from app.database.base import utc_now
from app.domain import shown, work_items
from app.domain.schemas import Filters, NewWorkItem
from app.web.context import current_user_id, database, today
from app.web.pages.blueprint import pages
from app.web.pages.forms import (
    Refused,
    direction,
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
from app.web.pages.frame import page_around
from app.web.pages.list_rows import TASKS_IN_LIST, rows_html
from app.web.pages.pager import Pager

PAGE = 50
"""Work items on one page of the list: with a few hundred tasks it still draws and ticks without a wait."""
JUST_TICKED = timedelta(minutes=10)
"""So long it stays in the list, for the focus and for a slip."""
DUE = Filters(status="open", due="today")


@pages.get("/")
def index() -> str:
    return _list_page(filters_in(request.args), request.args.get("page", ""))


@pages.post("/work-items")
def add_item() -> Response:
    try:
        fields = parse_form(NewWorkItem)
    except ValidationError as error:
        return page_again(_list_page(filters_of_form(), refusal=refused("new-item", error)))
    with database().write_columns() as connection:
        item = work_items.add_item(connection, current_user_id(), fields)
    flash_status(f"Added “{item.title}”.")
    # Where it can be seen: it may not fit the filters of the list it was typed into.
    return redirect_to(url_for("pages.index"), "new-item-title")


@pages.post("/work-items/<int:item_id>/move")
def move_item(item_id: int) -> Response:
    way = direction()
    with database().write() as session:
        item = work_items.move_item(session, item_id, way, filters_of_form(), today())
    flash_status(f"Moved “{item.title}” {way}.")
    return redirect_to(return_path(), f"item-{item_id}-{way}")


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


def _list_page(filters: Filters, page: str = "", refusal: Refused | None = None) -> str:
    day = today()
    with database().read_columns() as connection:
        just = utc_now() - JUST_TICKED
        read = partial(
            shown.list_with_tasks, connection, filters, day, limit=PAGE, tasks_to_do=TASKS_IN_LIST, ticked_since=just
        )
        first = None if page else read(offset=0)  # before they are counted: that is known, then, where all are here
        pager = Pager.of(page, shown.count_items(connection, filters, day), PAGE, partial(list_url, filters))
        items = read(offset=pager.offset) if first is None else first
        counts = shown.count_by_status(connection)
        due_count = shown.count_items(connection, DUE, day)
    parts = {"rows": rows_html(items, day)}
    seen = {"filters": filters, "counts": counts, "due_count": due_count, "pager": pager, "here": pager.here}
    return page_around("list.html", parts, refusal, **seen)


@pages.app_template_global()
def list_url(filters: Filters, page: int = 1, **changed: str) -> str:
    """The address of the list with these filters; those that are not set stay out of it."""
    query: dict[str, Any] = filters.model_dump() | changed
    if query["status"] == "open":
        query["status"] = ""
    query["page"] = page if page > 1 else ""
    given = {name: value for name, value in query.items() if value}
    return f"/?{urlencode(given)}" if given else "/"
