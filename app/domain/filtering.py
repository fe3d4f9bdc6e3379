"""Which work items a list shows."""

from datetime import date, timedelta

from sqlalchemy import CompoundSelect, Select, select, true, union_all

from app.domain.models import Task, WorkItem
from app.domain.schemas import Filters
from app.domain.text_search import mentions


def matching(filters: Filters, today: date) -> Select[WorkItem]:
    live = WorkItem.deleted_at.is_(None)
    # Where few fit, by their ids: SQLite takes nearly all to lie in the trash, and would go through all that do not.
    wanted = select(WorkItem).where(live == true() if filters.due or filters.q else live)
    if filters.status != "all":
        wanted = wanted.where(WorkItem.status == filters.status)
    if filters.priority:
        wanted = wanted.where(WorkItem.priority == filters.priority)
    if filters.due:
        last = today if filters.due == "today" else today - timedelta(days=1)
        wanted = wanted.where(WorkItem.id.in_(_due_until(last)))
    if filters.q:
        wanted = wanted.where(mentions(filters.q))
    return wanted


def _due_until(last: date) -> CompoundSelect[int]:
    """By the indexes of what is due, which hold neither what is done nor what lies in the trash (models.py)."""
    items = select(WorkItem.id).where(WorkItem.due <= last, WorkItem.status == "open", WorkItem.deleted_at.is_(None))
    tasks = select(Task.work_item_id).where(Task.due <= last, Task.done.is_(False), Task.deleted_at.is_(None))
    return union_all(items, tasks)
