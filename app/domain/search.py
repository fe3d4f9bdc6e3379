"""Which work items a list shows, and how many there are of each status."""

from datetime import date, timedelta

from sqlalchemy import CompoundSelect, Select, func, select, union_all
from sqlalchemy.orm import Session, selectinload

from app.domain.models import Task, WorkItem
from app.domain.rows import Page
from app.domain.schemas import Filters
from app.domain.text_search import mentions


def list_items(session: Session, filters: Filters, today: date, *, limit: int, offset: int = 0) -> Page[WorkItem]:
    """The work items that fit, in their order, with their tasks loaded."""
    fitting = matching(filters, today)
    rows = session.scalars(
        fitting.options(selectinload(WorkItem.tasks))
        .order_by(WorkItem.position, WorkItem.id)
        .limit(limit)
        .offset(offset)
    )
    return Page(list(rows), session.scalar(select(func.count()).select_from(fitting.subquery())) or 0)


def count_by_status(session: Session) -> dict[str, int]:
    counts = select(WorkItem.status, func.count()).where(WorkItem.deleted_at.is_(None)).group_by(WorkItem.status)
    return {"open": 0, "done": 0, "archived": 0} | dict(session.execute(counts).all())


def matching(filters: Filters, today: date) -> Select[WorkItem]:
    wanted = select(WorkItem).where(WorkItem.deleted_at.is_(None))
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
