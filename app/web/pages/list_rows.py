"""The rows of the list. The HTML of each is made of its own data and today's date alone, so it is made once."""

import json
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Template
from markupsafe import Markup

from app.web.context import web_app

TASKS_IN_LIST = 4
"""Of each work item, so many of those that are to do."""
ROWS_KEPT = 512
"""About 4 KB each, 20 with the longest titles."""


class ListedTask(NamedTuple):
    position: int
    id: int
    title: str
    done: bool
    due: date | None


class ListedItem(NamedTuple):
    """As `shown.list_with_tasks` gives it."""

    id: int
    title: str
    status: str
    priority: str
    due: date | None
    tasks_done: int
    tasks_total: int
    to_do: str
    ticked: str


def rows_html(items: Iterable[Any], today: date) -> Markup:
    template = web_app().jinja_env.get_template("list_row.html")
    html = "".join(_row_html(template, tuple(item), today) for item in items)
    return Markup(html)  # noqa: S704  (the template has escaped it)


@lru_cache(ROWS_KEPT)
def _row_html(template: Template, fields: tuple[Any, ...], today: date) -> str:
    item = ListedItem(*fields)
    tasks = _shown_tasks(item.to_do, item.ticked) if item.status == "open" else []
    more = item.tasks_total - item.tasks_done - TASKS_IN_LIST
    return template.render(item=item, tasks=tasks, more=max(0, more), today=today)


def _shown_tasks(to_do: str, ticked: str) -> list[ListedTask]:
    """Also those that were just ticked, so that the focus stays and a slip can be mended at once."""
    return sorted(
        ListedTask(position, number, title, done, due and date.fromisoformat(due))
        for position, number, title, done, due in json.loads(to_do) + json.loads(ticked)
    )
