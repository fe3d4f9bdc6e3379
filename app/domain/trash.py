"""What was deleted and can be restored for TRASH_DAYS days."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from app.database.seen_time import seen_time
from app.domain.models import Task, WorkItem

TRASH_DAYS = 30


def list_trash(session: Session) -> tuple[list[WorkItem], list[Task]]:
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
