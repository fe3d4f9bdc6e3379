"""The order in which work items, and the tasks of one, stand: `position` sorts, and need not be consecutive."""

from typing import Literal

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from app.domain.models import Task, WorkItem
from app.domain.rows import Row

Direction = Literal["up", "down"]


def move_to(session: Session, row: WorkItem | Task, position: int) -> None:
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


def move_past_neighbour(session: Session, row: Row, direction: Direction, visible: Select[Row]) -> None:
    table = type(row)
    if direction == "up":
        neighbours = visible.where(table.position < row.position).order_by(table.position.desc())
    else:
        neighbours = visible.where(table.position > row.position).order_by(table.position)
    neighbour = session.scalar(neighbours.limit(1))
    if neighbour:
        move_to(session, row, neighbour.position)


def _siblings(row: WorkItem | Task) -> ColumnElement[bool]:
    """Those that share an order with `row`, in the trash or not: a restored one comes back to its old place."""
    return Task.work_item_id == row.work_item_id if isinstance(row, Task) else WorkItem.id.is_not(None)
