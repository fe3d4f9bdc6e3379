"""What was deleted and can be restored for TRASH_DAYS days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from app.database.base import UtcDateTime
from app.database.remembered import remembered
from app.database.seen_time import seen_time
from app.domain.models import Task, WorkItem
from app.domain.paging import page_in
from app.domain.shown import ITEM, TASK

TRASH_DAYS = 30

Deletion = tuple[datetime, int, int]
"""Where something lies in the trash: when it was deleted, 1 for a task or 0 for a work item, and its id."""
LATEST: Deletion = (datetime.max.replace(tzinfo=UTC), 0, 0)

# --- what lies in it --------------------------------------------------------------------------------------

# Not a join, which SQLite would begin with all work items that are not in the trash.
ITEM_DELETED_AT = select(WorkItem.deleted_at).where(WorkItem.id == Task.work_item_id).scalar_subquery()
DELETED = union_all(
    select(WorkItem.deleted_at, literal(0).label("is_task"), WorkItem.id).where(WorkItem.deleted_at.is_not(None)),
    select(Task.deleted_at, literal(1), Task.id).where(Task.deleted_at.is_not(None), ITEM_DELETED_AT.is_(None)),
).subquery()
PLACE = (DELETED.c.deleted_at, DELETED.c.is_task, DELETED.c.id)
PAGE = (
    select(*PLACE)
    .where(tuple_(*PLACE) < tuple_(bindparam("at", type_=UtcDateTime()), bindparam("is_task"), bindparam("id")))
    .order_by(*(column.desc() for column in PLACE))
    .limit(bindparam("many"))
    .offset(bindparam("before"))
)
COUNT = select(func.count()).select_from(DELETED)
THESE = bindparam("these", expanding=True)
ITEMS = select(*ITEM).where(WorkItem.id.in_(THESE)).order_by(WorkItem.deleted_at.desc(), WorkItem.id.desc())
TITLES = ITEMS.with_only_columns(WorkItem.id, WorkItem.title, WorkItem.deleted_at)
TASKS = (
    select(*TASK, WorkItem.title.label("item_title"))
    .join(Task.work_item)
    .where(Task.id.in_(THESE))
    .order_by(Task.deleted_at.desc(), Task.id.desc())
)


@dataclass(frozen=True)
class TrashPage:
    """`last`: behind it the next page begins, None on the last one."""

    items: Sequence[Any]
    tasks: Sequence[Any]
    last: Deletion | None


def list_trash(connection: Connection, *, limit: int, after: Deletion = LATEST) -> TrashPage:
    """What can be restored, the latest first: work items, and tasks whose work item is not itself in the trash."""
    found = _places(connection, limit, after=after)
    places = found[:limit]
    items = page_in(connection.execute(ITEMS, {"these": _ids(places, 0)}), limit)
    if items.more:
        read = {item.id for item in items.rows}
        places = list(takewhile(lambda place: place.is_task or place.id in read, places))
    last = places[-1] if len(found) > len(places) else None
    return TrashPage(items.rows, _tasks(connection, places), (last.deleted_at, last.is_task, last.id) if last else None)


def list_titles_in_trash(connection: Connection, *, limit: int, offset: int) -> tuple[Sequence[Any], Sequence[Any]]:
    """The work items and tasks of the same list, from a number of rows on, without what else they hold."""
    places = _places(connection, limit, offset=offset)[:limit]
    return connection.execute(TITLES, {"these": _ids(places, 0)}).all(), _tasks(connection, places)


def _places(connection: Connection, limit: int, *, offset: int = 0, after: Deletion = LATEST) -> Sequence[Any]:
    """One more than `limit`, if there are."""
    at, is_task, row_id = after
    given = {"at": at, "is_task": is_task, "id": row_id, "many": limit + 1, "before": offset}
    return connection.execute(PAGE, given).all()


def _ids(places: Sequence[Any], is_task: int) -> list[int]:
    return [place.id for place in places if place.is_task == is_task]


def _tasks(connection: Connection, places: Sequence[Any]) -> Sequence[Any]:
    return connection.execute(TASKS, {"these": _ids(places, 1)}).all()


def count_trash(connection: Connection) -> int:
    return remembered(connection, "trash", lambda: connection.execute(COUNT).scalar_one())


# --- in and out -------------------------------------------------------------------------------------------


def put_into_trash(session: Session, row: WorkItem | Task) -> None:
    row.deleted_at = seen_time(session).now()
    row.version += 1


def take_out_of_trash(row: WorkItem | Task) -> None:
    row.deleted_at = None
    row.version += 1


def empty_trash(session: Session) -> None:
    """Deletes for good what has lain in the trash for TRASH_DAYS days that the database has seen."""
    end = seen_time(session).now() - timedelta(days=TRASH_DAYS)
    for table in (Task, WorkItem):
        session.execute(delete(table).where(table.deleted_at < end))
