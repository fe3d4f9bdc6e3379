"""Finds one row by its id, and says in words where there is none."""

from typing import TypeVar

from sqlalchemy.orm import Session

from app.domain.models import Task, WorkItem
from app.domain.schemas import LARGEST_ID
from app.errors import NotFound

Row = TypeVar("Row", WorkItem, Task)


class InTrash(NotFound):
    """It can be restored."""


def find_row(session: Session, table: type[Row], row_id: int) -> Row:
    row = session.get(table, row_id) if 0 < row_id <= LARGEST_ID else None
    if row is None:
        raise missing("work item" if table is WorkItem else "task", row_id)
    return row


def find_live(session: Session, table: type[Row], row_id: int) -> Row:
    row = find_row(session, table, row_id)
    if row.deleted_at:
        raise in_trash(row.title)
    return row


def missing(kind: str, row_id: int) -> NotFound:
    return NotFound(f"There is no {kind} {row_id}.", "It may have been deleted for good.")


def in_trash(title: str) -> InTrash:
    return InTrash(f"“{title}” lies in the trash.", "Restore it first.")
