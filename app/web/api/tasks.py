"""Tasks in the API."""

from app.domain import shown, tasks
from app.domain.schemas import NewTask, TaskChange
from app.web.api.blueprint import api
from app.web.api.etags import require_match
from app.web.api.openapi import IfMatch, IfNoneMatch, TaskOut, TasksOut, described
from app.web.api.paging import PageQuery, page_of, place_in, place_of
from app.web.context import current_user_id, database


@api.get("/work-items/<int:id>/tasks")
@described(TasksOut, condition=IfNoneMatch)
def list_tasks(id: int, query: PageQuery):
    """A work item's tasks, in their order."""
    with database().read_columns() as connection:
        total = shown.get_item(connection, id).tasks_total
        rows = shown.list_tasks(connection, id, limit=query.limit + 1, after=place_in(query))
    return TasksOut.model_validate({"total": total, **page_of(query, rows, place_of)})


@api.post("/work-items/<int:id>/tasks")
@described(TaskOut, 201)
def add_task(id: int, json: NewTask):
    """A new task, at the end of the work item's list."""
    with database().write() as session:
        return TaskOut.model_validate(tasks.add_task(session, current_user_id(), id, json)), 201


@api.get("/tasks/<int:id>")
@described(TaskOut, condition=IfNoneMatch)
def get_task(id: int):
    """One task."""
    with database().read() as session:
        return TaskOut.model_validate(tasks.get_task(session, id))


@api.patch("/tasks/<int:id>")
@described(TaskOut, condition=IfMatch)
def change_task(id: int, json: TaskChange):
    """Changes the fields that are given."""
    with database().write() as session:
        require_match(lambda: TaskOut.model_validate(tasks.get_task(session, id)))
        return TaskOut.model_validate(tasks.change_task(session, current_user_id(), id, json))


@api.delete("/tasks/<int:id>")
@described(None, 204, condition=IfMatch)
def delete_task(id: int):
    """Puts a task into the trash, where it can be restored for some weeks."""
    with database().write() as session:
        require_match(lambda: TaskOut.model_validate(tasks.get_task(session, id)))
        tasks.delete_task(session, current_user_id(), id)
    return "", 204


@api.post("/tasks/<int:id>/restore")
@described(TaskOut)
def restore_task(id: int):
    """Takes a task back out of the trash."""
    with database().write() as session:
        return TaskOut.model_validate(tasks.restore_task(session, current_user_id(), id))
