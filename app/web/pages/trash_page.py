"""The page of what was deleted and can be restored."""

from flask import render_template, url_for

from app.database.seen_time import seen_time
from app.domain.trash import list_trash
from app.web.context import database
from app.web.pages.blueprint import pages


@pages.get("/trash")
def trash() -> str:
    with database().read() as session:
        items, tasks = list_trash(session)
        now = seen_time(session).now()
        return render_template("trash.html", items=items, tasks=tasks, now=now, here=url_for("pages.trash"))
