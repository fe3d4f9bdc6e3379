"""What can be done with work items and their tasks. The pages and the API both call these.

Each takes a session inside a transaction (app/database/engine.py) and, where something changes, `user_id`: the
id of the account that does it, None for the local user while sign-in is off. They raise NotFound where there is no
such thing, or where it lies in the trash.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session, selectinload

from app.database.base import utc_now
from app.domain.models import Event, Task, WorkItem
from app.domain.schemas import Filters, NewTask, NewWorkItem, TaskChange, WorkItemChange
from app.errors import NotFound

TRASH_DAYS = 30
LARGEST_ID = 2**63 - 1
Row = TypeVar("Row", WorkItem, Task)
Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: list[Row]
    total: int


# --- work items -------------------------------------------------------------------------------------------


def list_items(session: Session, filters: Filters, today: date, *, limit: int, offset: int = 0) -> Page[WorkItem]:
    """The work items that fit, in their order, with their tasks loaded."""
    fitting = _fitting(filters, today)
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


def get_item(session: Session, item_id: int) -> WorkItem:
    return _live(session, WorkItem, item_id)


def add_item(session: Session, user_id: int | None, fields: NewWorkItem) -> WorkItem:
    """A new work item at the top of the list."""
    session.execute(update(WorkItem).values(position=WorkItem.position + 1, updated_at=WorkItem.updated_at))
    item = WorkItem(**fields.model_dump(), position=1)
    session.add(item)
    session.flush()
    _record(session, user_id, item.id, "created", item.title)
    return item


def change_item(session: Session, user_id: int | None, item_id: int, change: WorkItemChange) -> WorkItem:
    item = get_item(session, item_id)
    _apply(session, user_id, item, item.id, change.model_dump(exclude_unset=True))
    return item


def move_item(session: Session, item_id: int, direction: Direction, filters: Filters, today: date) -> WorkItem:
    """Moves the item past its neighbour in the list that these filters show; at the end of it nothing moves."""
    item = get_item(session, item_id)
    _move_past_neighbour(session, item, direction, _fitting(filters, today))
    return item


def delete_item(session: Session, user_id: int | None, item_id: int) -> WorkItem:
    """Puts the item, with its tasks, into the trash for 30 days."""
    item = get_item(session, item_id)
    item.deleted_at = utc_now()
    _record(session, user_id, item.id, "deleted", item.title)
    empty_trash(session)
    return item


def restore_item(session: Session, user_id: int | None, item_id: int) -> WorkItem:
    """Takes the item back out of the trash, into its old place. Does nothing to one that is not in it."""
    item = _row(session, WorkItem, item_id)
    if item.deleted_at:
        item.deleted_at = None
        _record(session, user_id, item.id, "restored", item.title)
    return item


def history(session: Session, item_id: int, limit: int = 20) -> list[Event]:
    """What happened to the item, the latest first."""
    events = select(Event).where(Event.work_item_id == item_id).order_by(Event.id.desc()).limit(limit)
    return list(session.scalars(events.options(selectinload(Event.user))))


# --- tasks ------------------------------------------------------------------------------------------------


def list_tasks(session: Session, item_id: int, *, limit: int, offset: int = 0) -> Page[Task]:
    get_item(session, item_id)
    fitting = _tasks_of(item_id)
    rows = session.scalars(fitting.order_by(Task.position, Task.id).limit(limit).offset(offset))
    return Page(list(rows), session.scalar(select(func.count()).select_from(fitting.subquery())) or 0)


def get_task(session: Session, task_id: int) -> Task:
    task = _live(session, Task, task_id)
    if task.work_item.deleted_at:
        raise NotFound(f"Task {task_id} lies in the trash, with its work item.", "Restore the work item first.")
    return task


def add_task(session: Session, user_id: int | None, item_id: int, fields: NewTask) -> Task:
    """A new task at the end of the item's list."""
    item = get_item(session, item_id)
    last = session.scalar(select(func.max(Task.position)).where(Task.work_item_id == item.id)) or 0
    task = Task(**fields.model_dump(), work_item_id=item.id, position=last + 1)
    session.add(task)
    session.flush()
    session.expire(item, ["tasks"])
    _record(session, user_id, item.id, "added task", task.title)
    return task


def change_task(session: Session, user_id: int | None, task_id: int, change: TaskChange) -> Task:
    task = get_task(session, task_id)
    _apply(session, user_id, task, task.work_item_id, change.model_dump(exclude_unset=True))
    return task


def move_task(session: Session, task_id: int, direction: Direction) -> Task:
    task = get_task(session, task_id)
    _move_past_neighbour(session, task, direction, _tasks_of(task.work_item_id))
    return task


def delete_task(session: Session, user_id: int | None, task_id: int) -> Task:
    """Puts the task into the trash for 30 days."""
    task = get_task(session, task_id)
    task.deleted_at = utc_now()
    _record(session, user_id, task.work_item_id, "deleted task", task.title)
    empty_trash(session)
    return task


def restore_task(session: Session, user_id: int | None, task_id: int) -> Task:
    """Takes the task back out of the trash. Does nothing to one that is not in it."""
    task = _row(session, Task, task_id)
    get_item(session, task.work_item_id)
    if task.deleted_at:
        task.deleted_at = None
        _record(session, user_id, task.work_item_id, "restored task", task.title)
    return task


# --- the trash --------------------------------------------------------------------------------------------


def trash(session: Session) -> tuple[list[WorkItem], list[Task]]:
    """What can be restored, the latest first: work items, and tasks whose work item is not itself in the trash."""
    items = select(WorkItem).where(WorkItem.deleted_at.is_not(None)).order_by(WorkItem.deleted_at.desc())
    tasks = (
        select(Task)
        .join(Task.work_item)
        .where(Task.deleted_at.is_not(None), WorkItem.deleted_at.is_(None))
        .order_by(Task.deleted_at.desc())
        .options(selectinload(Task.work_item))
    )
    return list(session.scalars(items)), list(session.scalars(tasks))


def empty_trash(session: Session) -> None:
    """Deletes for good what has lain in the trash for 30 days."""
    end = utc_now() - timedelta(days=TRASH_DAYS)
    for table in (Task, WorkItem):
        session.execute(delete(table).where(table.deleted_at < end))


# --- shared by both ---------------------------------------------------------------------------------------


def _fitting(filters: Filters, today: date) -> Select[WorkItem]:
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


def _tasks_of(item_id: int) -> Select[Task]:
    return select(Task).where(Task.work_item_id == item_id, Task.deleted_at.is_(None))


def _row(session: Session, table: type[Row], row_id: int) -> Row:
    name = "work item" if table is WorkItem else "task"
    row = session.get(table, row_id) if 0 < row_id <= LARGEST_ID else None
    if row is None:
        raise NotFound(f"There is no {name} {row_id}.", "It may have been deleted for good.")
    return row


def _live(session: Session, table: type[Row], row_id: int) -> Row:
    row = _row(session, table, row_id)
    if row.deleted_at:
        raise NotFound(f"“{row.title}” lies in the trash.", "Restore it first.")
    return row


def _apply(session: Session, user_id: int | None, row: WorkItem | Task, item_id: int, changes: dict[str, Any]) -> None:
    position = changes.pop("position", None)
    if position is not None:
        _move_to(session, row, position)
    for name, value in changes.items():
        old = getattr(row, name)
        if old != value:
            setattr(row, name, value)
            _record(session, user_id, item_id, *_told(row, name, old, value))
    session.flush()


def _told(row: WorkItem | Task, name: str, old: Any, value: Any) -> tuple[str, str]:
    """An event's action and detail for one changed field."""
    if name == "done":
        return "ticked" if value else "unticked", row.title
    if name == "title":
        return "renamed", f"{old} → {value}"
    if name == "notes":
        return "changed notes", ""
    return f"set {name}", f"{value or 'none'}" if isinstance(row, WorkItem) else f"{value or 'none'}: {row.title}"


def _siblings(row: WorkItem | Task) -> ColumnElement[bool]:
    """Those that share an order with `row`, in the trash or not: a restored one comes back to its old place."""
    return Task.work_item_id == row.work_item_id if isinstance(row, Task) else WorkItem.id.is_not(None)


def _move_to(session: Session, row: WorkItem | Task, position: int) -> None:
    table, others = type(row), _siblings(row)
    last = session.scalar(select(func.max(table.position)).where(others)) or 1
    old, new = row.position, min(position, last)
    step, between = (-1, (old, new)) if new > old else (1, (new, old))
    session.execute(
        update(table)
        .where(others, table.position.between(*between))
        .values(position=table.position + step, updated_at=table.updated_at)
    )
    session.refresh(row, ["position"])
    row.position = new


def _move_past_neighbour(session: Session, row: Row, direction: Direction, visible: Select[Row]) -> None:
    table = type(row)
    if direction == "up":
        neighbours = visible.where(table.position < row.position).order_by(table.position.desc())
    else:
        neighbours = visible.where(table.position > row.position).order_by(table.position)
    neighbour = session.scalar(neighbours.limit(1))
    if neighbour:
        _move_to(session, row, neighbour.position)


def _record(session: Session, user_id: int | None, item_id: int, action: str, detail: str) -> None:
    session.add(Event(user_id=user_id, work_item_id=item_id, action=action, detail=detail))
