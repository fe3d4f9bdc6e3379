"""What can be done with work items and tasks."""

from datetime import date, timedelta

import pytest

from app.database.base import utc_now
from app.database.engine import Database
from app.domain import shown, tasks, trash, work_items
from app.domain.models import Task, WorkItem
from app.domain.schemas import Filters, NewTask, NewWorkItem, TaskChange, WorkItemChange
from app.domain.upkeep import every_hour
from app.errors import NotFound

TODAY = date(2026, 11, 23)


def add(database: Database, *titles: str, **fields) -> list[int]:
    """Work items in the order of the titles, the first on top."""
    with database.write() as session:
        items = [
            work_items.add_item(session.connection(), None, NewWorkItem(title=title, **fields))
            for title in reversed(titles)
        ]
        return [item.id for item in reversed(items)]


def add_tasks(database: Database, item: int, *titles: str, **fields) -> list[int]:
    with database.write() as session:
        return [tasks.add_task(session, None, item, NewTask(title=title, **fields)).id for title in titles]


def titles(database: Database, **filters) -> list[str]:
    wanted = Filters(**filters)
    with database.read_columns() as connection:
        items = shown.list_items(connection, wanted, TODAY, limit=1000).rows
        assert shown.count_items(connection, wanted, TODAY) == len(items)
        return [item.title for item in items]


def task_titles(database: Database, item: int) -> list[str]:
    with database.read() as session:
        return [task.title for task in shown.list_tasks(session.connection(), item, limit=1000)]


def test_a_new_item_is_on_top_and_a_new_task_at_the_end(database):
    first, *_ = add(database, "first")
    add(database, "second")
    add_tasks(database, first, "one", "two")
    assert titles(database) == ["second", "first"]
    assert task_titles(database, first) == ["one", "two"]


def test_progress_counts_what_is_not_in_the_trash(database):
    (item,) = add(database, "item")
    one, _, three = add_tasks(database, item, "one", "two", "three")
    with database.write() as session:
        tasks.change_task(session, None, one, TaskChange(done=True))
        tasks.delete_task(session, None, three)
    with database.read() as session:
        found = shown.get_item(session.connection(), item)
        assert (found.tasks_done, found.tasks_total) == (1, 2)


# --- finding ----------------------------------------------------------------------------------------------


def test_due_filters_take_open_items_and_open_tasks(database):
    yesterday, tomorrow = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
    add(database, "late", due=yesterday)
    add(database, "today", due=TODAY)
    add(database, "tomorrow", due=tomorrow)
    add(database, "done", due=yesterday, status="done")
    (by_task,) = add(database, "by task")
    (task,) = add_tasks(database, by_task, "late task", due=yesterday)
    assert sorted(titles(database, due="overdue")) == ["by task", "late"]
    assert sorted(titles(database, due="today")) == ["by task", "late", "today"]
    with database.write() as session:
        tasks.change_task(session, None, task, TaskChange(done=True))
    assert titles(database, due="overdue") == ["late"]


def test_a_page_has_its_rows_and_the_total(database):
    add(database, *"ABCDE")
    with database.read() as session:
        connection = session.connection()
        third = shown.list_items(connection, Filters(), TODAY, limit=3).rows[-1]
        items = shown.list_items(connection, Filters(), TODAY, limit=2, after=(third.position, third.id)).rows
        assert ([item.title for item in items], shown.count_items(connection, Filters(), TODAY)) == (["D", "E"], 5)


# --- the trash --------------------------------------------------------------------------------------------


def test_what_is_deleted_is_gone_from_every_list_and_can_be_restored(database):
    a, b = add(database, "A", "B")
    (task,) = add_tasks(database, a, "task")
    with database.write() as session:
        tasks.delete_task(session, None, task)
        work_items.delete_item(session, None, b)
    assert titles(database) == ["A"] and task_titles(database, a) == []
    with database.read() as session:
        found = trash.list_trash(session.connection(), limit=9)
        assert ([item.id for item in found.items], [each.id for each in found.tasks]) == ([b], [task])
        with pytest.raises(NotFound, match="lies in the trash"):
            work_items.get_item(session, b)
    with database.write() as session:
        work_items.restore_item(session, None, b)
        tasks.restore_task(session, None, task)
    assert titles(database) == ["A", "B"] and task_titles(database, a) == ["task"]


def test_a_task_of_a_deleted_item_waits_for_it(database):
    (item,) = add(database, "item")
    (task,) = add_tasks(database, item, "task")
    with database.write() as session:
        work_items.delete_item(session, None, item)
        for act in (lambda: tasks.get_task(session, task), lambda: tasks.restore_task(session, None, task)):
            with pytest.raises(NotFound, match="trash"):
                act()
        work_items.restore_item(session, None, item)
    assert task_titles(database, item) == ["task"]


def test_after_30_days_the_trash_is_emptied(database):
    old, young, live = add(database, "old", "young", "live")
    (task,) = add_tasks(database, live, "old task")
    with database.write() as session:
        for table, row, days in ((WorkItem, old, 31), (WorkItem, young, 29), (Task, task, 31)):
            session.get(table, row).deleted_at = utc_now() - timedelta(days=days)
    every_hour(database)
    with database.read() as session:
        found = trash.list_trash(session.connection(), limit=9)
        assert [item.title for item in found.items] == ["young"] and found.tasks == []


def test_an_id_is_never_used_again(database):
    (gone,) = add(database, "gone")
    with database.write() as session:
        session.delete(session.get(WorkItem, gone))
    assert add(database, "new") != [gone]


@pytest.mark.parametrize("wrong", [0, -1, 99, 2**63, 10**30])
def test_an_id_that_is_not_there_is_told(database, wrong: int):
    with database.read() as session, pytest.raises(NotFound, match=str(wrong)):
        work_items.get_item(session, wrong)


# --- versions ---------------------------------------------------------------------------------------------


def test_a_version_counts_the_changes_of_the_rows_own_fields_and_nothing_else(database):
    item, _other = add(database, "item", "other")
    (task,) = add_tasks(database, item, "task")

    def versions() -> tuple[int, int]:
        with database.read() as session:
            return session.get(WorkItem, item).version, session.get(Task, task).version

    def do(verb, *given) -> tuple[int, int]:
        with database.write() as session:
            verb(session, None, *given)
        return versions()

    assert versions() == (1, 1)
    assert do(work_items.change_item, item, WorkItemChange(title="new", priority="high")) == (2, 1), "one change"
    assert do(work_items.change_item, item, WorkItemChange(title="new")) == (2, 1), "nothing changed"
    assert do(work_items.change_item, item, WorkItemChange(position=2)) == (2, 1), "a place is no field of its own"
    assert do(work_items.change_item, item, WorkItemChange(after=None, status="done")) == (3, 1)
    assert do(tasks.change_task, task, TaskChange(done=True)) == (3, 2)
    assert do(tasks.delete_task, task) == (3, 3)
    assert do(tasks.restore_task, task) == (3, 4)
    assert do(work_items.delete_item, item) == (4, 4)
    assert do(work_items.restore_item, item) == (5, 4)
    assert do(work_items.restore_item, item) == (5, 4), "it was not in the trash"


# --- history ----------------------------------------------------------------------------------------------


def test_the_history_tells_what_changed_and_nothing_else(database):
    (item,) = add(database, "item")
    (task,) = add_tasks(database, item, "task")
    with database.write() as session:
        work_items.change_item(session, None, item, WorkItemChange(title="item", priority="high"))
        tasks.change_task(session, None, task, TaskChange(done=True))
    with database.read() as session:
        told = [(event.action, event.detail) for event in shown.list_events(session.connection(), item)]
    assert told == [("ticked", "task"), ("set priority", "high"), ("added task", "task"), ("created", "item")]
