"""What can be done with the tasks of a work item. What work_items.py says of sessions and user ids holds here too."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.history import apply_changes, record
from app.domain.models import Task
from app.domain.ordering import Direction, key_at_end, move_past_neighbour
from app.domain.rows import InTrash, find_live, find_row
from app.domain.schemas import NewTask, TaskChange
from app.domain.text_search import keep_searchable
from app.domain.trash import put_into_trash, take_out_of_trash
from app.domain.work_items import get_item, restore_item


def get_task(session: Session, task_id: int) -> Task:
    task = find_live(session, Task, task_id)
    if task.work_item.deleted_at:
        raise InTrash(f"“{task.title}” lies in the trash, with its work item.", "Restore the work item first.")
    return task


def add_task(session: Session, user_id: int | None, item_id: int, fields: NewTask) -> Task:
    """A new task at the end of the item's list."""
    item = get_item(session, item_id)
    task = Task(**fields.model_dump(), work_item_id=item.id, position=key_at_end(session, item.id))
    session.add(task)
    session.flush()
    keep_searchable(session, item.id)
    session.expire(item, ["tasks"])
    record(session.connection(), user_id, item.id, "added task", task.title)
    return task


def change_task(session: Session, user_id: int | None, task_id: int, change: TaskChange) -> Task:
    task = get_task(session, task_id)
    apply_changes(session, user_id, task, task.work_item_id, change.model_dump(exclude_unset=True))
    return task


def move_task(session: Session, task_id: int, direction: Direction) -> Task:
    task = get_task(session, task_id)
    move_past_neighbour(session, task, direction, _tasks_of(task.work_item_id))
    return task


def delete_task(session: Session, user_id: int | None, task_id: int) -> Task:
    """Puts the task into the trash, for TRASH_DAYS (trash.py)."""
    task = get_task(session, task_id)
    put_into_trash(session, task)
    keep_searchable(session, task.work_item_id)
    record(session.connection(), user_id, task.work_item_id, "deleted task", task.title)
    return task


def restore_task(session: Session, user_id: int | None, task_id: int) -> Task:
    """Takes the task back out of the trash. Does nothing to one that is not in it."""
    task = find_row(session, Task, task_id)
    get_item(session, task.work_item_id)
    if task.deleted_at:
        take_out_of_trash(task)
        keep_searchable(session, task.work_item_id)
        record(session.connection(), user_id, task.work_item_id, "restored task", task.title)
    return task


def restore_task_and_item(session: Session, user_id: int | None, task_id: int) -> Task:
    """The same where its work item may lie there too."""
    restore_item(session, user_id, find_row(session, Task, task_id).work_item_id)
    return restore_task(session, user_id, task_id)


def _tasks_of(item_id: int) -> Select[Task]:
    return select(Task).where(Task.work_item_id == item_id, Task.deleted_at.is_(None))
