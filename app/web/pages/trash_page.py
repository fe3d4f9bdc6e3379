"""The page of what was deleted and can be restored."""

from flask import render_template, request

from app.domain.trash import count_trash, list_titles_in_trash
from app.web.context import database
from app.web.pages.blueprint import pages
from app.web.pages.pager import Pager, numbered

PAGE = 100
"""Work items and tasks on one page of the trash."""


@pages.get("/trash")
def trash() -> str:
    with database().read_columns() as connection:
        pager = Pager.of(request.args.get("page", ""), count_trash(connection), PAGE, numbered("/trash"))
        items, tasks = list_titles_in_trash(connection, limit=PAGE, offset=pager.offset)
        now = database().seen_time.now()
    return render_template("trash.html", items=items, tasks=tasks, now=now, pager=pager, here=pager.here)
