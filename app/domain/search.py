"""Which work items a list shows."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from app.domain.models import Task, WorkItem
from app.domain.schemas import Filters


def matching(filters: Filters, today: date) -> Select[WorkItem]:
    wanted = select(WorkItem).where(WorkItem.deleted_at.is_(None))
    if filters.status != "all":
        wanted = wanted.where(WorkItem.status == filters.status)
    if filters.priority:
        wanted = wanted.where(WorkItem.priority == filters.priority)
    if filters.due:
        last = today if filters.due == "today" else today - timedelta(days=1)
        late_task = WorkItem.tasks.any((Task.due <= last) & Task.done.is_(False))
        wanted = wanted.where(or_((WorkItem.due <= last) & (WorkItem.status == "open"), late_task))
    if filters.q:
        words = filters.q.split()
        wanted = wanted.where(*(_mentions(word) for word in words))
    return wanted


def _mentions(word: str) -> ColumnElement[bool]:
    return or_(
        _contains(WorkItem.title, word),
        _contains(WorkItem.notes, word),
        WorkItem.tasks.any(_contains(Task.title, word)),
    )


def _contains(column: Any, word: str) -> ColumnElement[bool]:
    return func.lower(column).contains(word.lower(), autoescape=True)
