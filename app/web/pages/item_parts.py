"""Forms on a work item's page. The HTML of each is made of its own data and today's date alone, so it is made once."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Template
from markupsafe import Markup

from app.web.context import web_app
from app.web.pages.forms import Refused

PARTS_KEPT = 256
"""About 2 KB each; one with the longest notes has 80."""


class ShownTask(NamedTuple):
    id: int
    title: str
    done: bool
    due: date | None


class ShownItem(NamedTuple):
    id: int
    title: str
    notes: str
    status: str
    priority: str
    due: date | None


def task_rows(tasks: Iterable[Any], here: str, today: date, refused: Refused | None) -> Markup:
    """Each with a form to change it, on the page `here`."""
    rows = (ShownTask(task.id, task.title, task.done, task.due) for task in tasks)
    html = "".join(_part("item_task.html", f"task-{row.id}", row, here, today, refused) for row in rows)
    return Markup(html)  # noqa: S704  (the template has escaped it)


def details_form(item: Any, here: str, today: date, refused: Refused | None) -> Markup:
    row = ShownItem(item.id, item.title, item.notes, item.status, item.priority, item.due)
    html = _part("item_details.html", "details", row, here, today, refused)
    return Markup(html)  # noqa: S704


def _part(name: str, form: str, row: ShownTask | ShownItem, here: str, today: date, refused: Refused | None) -> str:
    template = web_app().jinja_env.get_template(name)
    if refused and refused.form == form:
        return _made(template, row, here, today, refused)
    return _kept(template, row, here, today)


@lru_cache(PARTS_KEPT)
def _kept(template: Template, row: ShownTask | ShownItem, here: str, today: date) -> str:
    return _made(template, row, here, today)


def _made(
    template: Template, row: ShownTask | ShownItem, here: str, today: date, refused: Refused | None = None
) -> str:
    return template.render(task=row, item=row, here=here, today=today, refused=refused)
