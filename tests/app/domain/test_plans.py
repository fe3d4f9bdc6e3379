"""No write looks at a whole table, however large that is: what SQLite means to do for each statement of each verb."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.database import migrations
from app.database.base import utc_now
from app.database.engine import Database
from app.domain import accounts, shown, tasks, tokens, trash, upkeep, work_items
from app.domain.models import Base, User
from app.domain.passwords import PasswordHash
from app.domain.schemas import Filters, NewTask, NewToken, NewWorkItem, TaskChange, WorkItemChange
from app.storage.mounts import storage_under
from tests.app.statements import statements

TODAY = date(2026, 11, 23)
READS_WHOLE = re.compile("SCAN (work_items|tasks|events|search VIRTUAL TABLE INDEX 0:$)")
"""Of the tables that grow; there are few accounts. Of a virtual table SQLite always says SCAN, and then by what."""
EVERY_FIELD = {"title": "changed", "notes": "more", "status": "done", "priority": "high", "due": TODAY}
DELETED, TASK_DELETED = 9, 22
"""The ids of an item and of a task that lie in the trash."""


def forget_all_but_one_event(session: Session) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "EVENTS_KEPT", 1)
        upkeep.forget_old_events(session)


WRITES = {
    "create": lambda session: work_items.add_item(session.connection(), None, NewWorkItem(title="new", due=TODAY)),
    "change": lambda session: work_items.change_item(session, None, 1, WorkItemChange(**EVERY_FIELD)),
    "move up": lambda session: work_items.move_item(session, 1, "up", Filters(status="open"), TODAY),
    "move down": lambda session: work_items.move_item(session, 5, "down", Filters(), TODAY),
    "move behind": lambda session: work_items.change_item(session, None, 1, WorkItemChange(after=5)),
    "move to the top": lambda session: work_items.change_item(session, None, 1, WorkItemChange(after=None)),
    "move to a rank": lambda session: work_items.change_item(session, None, 1, WorkItemChange(position=3)),
    "move to a key": lambda session: work_items.change_item(session, None, 1, WorkItemChange(position=2**30 - 1500)),
    "delete": lambda session: work_items.delete_item(session, None, 1),
    "restore": lambda session: work_items.restore_item(session, None, DELETED),
    "create a task": lambda session: tasks.add_task(session, None, 1, NewTask(title="new", due=TODAY)),
    "tick": lambda session: tasks.change_task(session, None, 1, TaskChange(done=True)),
    "change a task": lambda session: tasks.change_task(session, None, 1, TaskChange(title="changed", due=TODAY)),
    "move a task": lambda session: tasks.move_task(session, 1, "down"),
    "move a task behind": lambda session: tasks.change_task(session, None, 1, TaskChange(after=3)),
    "delete a task": lambda session: tasks.delete_task(session, None, 1),
    "restore a task": lambda session: tasks.restore_task(session, None, TASK_DELETED),
    "empty the trash": trash.empty_trash,
    "forget old events": forget_all_but_one_event,
    "delete an account": lambda session: accounts.delete_account(session, 2),
    "make a token": lambda session: tokens.add_token(session, 1, NewToken(name="new"), proven=""),
    "note a token's use": lambda session: tokens.note_use(session, 1, TODAY),
    "reset a password": lambda session: accounts.reset_password(session, session.get_one(User, 1), PasswordHash("")),
    "sign out": lambda session: accounts.end_sessions(session, 1),
    "delete a token": lambda session: tokens.delete_token(session, 1, 1),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(storage_under(tmp_path_factory.mktemp("plans") / "a.db"))
    migrations.upgrade(database)
    with database.write() as session:
        session.add_all(User(email=name, password_hash="", role="admin") for name in ("ann", "bob"))
        session.flush()
        tokens.add_token(session, 1, NewToken(name="one"), proven="")
        for number in range(9):
            item = work_items.add_item(session.connection(), 1, NewWorkItem(title=f"item {number}"))
            for task in range(3):
                tasks.add_task(session, 1, item.id, NewTask(title=f"task {task}"))
        tasks.delete_task(session, None, TASK_DELETED)
        work_items.delete_item(session, None, DELETED)
    yield database
    database.close()


def plan(database: Database, statement: str, parameters: tuple) -> list[str]:
    with database.read() as session:
        found = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [line for *_, line in found]


@pytest.mark.parametrize("write", WRITES)
def test_no_write_reads_a_whole_table(filled: Database, write: str):
    with statements(filled) as ran, pytest.raises(RuntimeError, match="undo"), filled.write() as session:
        WRITES[write](session)
        session.flush()
        raise RuntimeError("undo")
    assert any(not statement.startswith(("BEGIN", "SELECT")) for statement, _ in ran), "it wrote nothing"
    for statement, parameters in ran:
        if not statement.startswith("BEGIN"):
            whole = [line for line in plan(filled, statement, parameters) if READS_WHOLE.match(line)]
            assert whole == [], statement


FEW_FIT: dict[str, Any] = {
    "words": {"q": "item"},
    "a short word": {"q": "it"},
    "words and a status": {"q": "item", "status": "open"},
    "due": {"due": "today"},
    "due and open": {"due": "overdue", "status": "open"},
}


@pytest.mark.parametrize("filters", FEW_FIT)
def test_where_few_fit_a_list_reads_no_others(filled: Database, filters: str):
    wanted = Filters(**FEW_FIT[filters])
    with statements(filled) as ran, filled.read_columns() as connection:
        shown.count_items(connection, wanted, TODAY)
        shown.list_items(connection, wanted, TODAY, limit=50)
        shown.list_with_tasks(connection, wanted, TODAY, limit=50, offset=0, tasks_to_do=4, ticked_since=utc_now())
    lists = [each for each in ran if "work_items" in each[0]]
    assert len(lists) == 3
    for statement, parameters in lists:
        lines = plan(filled, statement, parameters)
        by = [line for line in lines if line.startswith(("SEARCH work_items", "SCAN work_items"))]
        not_by_id = [line for line in by if "INTEGER PRIMARY KEY" not in line and "due<" not in line]
        assert not_by_id == [], statement


def test_a_list_without_words_is_read_in_its_order_up_to_its_end(filled: Database):
    for wanted in (Filters(), Filters(status="open")):
        with statements(filled) as ran, filled.read_columns() as connection:
            shown.list_items(connection, wanted, TODAY, limit=50)
        ((statement, parameters),) = [each for each in ran if "work_items" in each[0]]
        lines = plan(filled, statement, parameters)
        assert any("COVERING INDEX ix_work_items_deleted_at_" in line for line in lines)
        assert lines.count("USE TEMP B-TREE FOR ORDER BY") == 1, "of the page alone"


def test_what_hangs_on_a_row_is_found_by_an_index_when_that_goes():
    """SQLite looks for it at each delete, and its plans don't show how."""
    for table in Base.metadata.tables.values():
        indexed = {next(iter(index.columns)).name for index in table.indexes}
        assert {key.parent.name for key in table.foreign_keys} <= indexed, table.name


@pytest.mark.parametrize(("limit", "offset", "counted"), [(50, 0, 0), (8, 0, 1), (50, 5, 0), (50, 100, 1)])
def test_what_a_list_came_to_the_end_of_is_not_counted_again(filled: Database, limit: int, offset: int, counted: int):
    wanted = Filters(q="item")
    filled._remembered.forget()
    with statements(filled) as ran, filled.read_columns() as connection:
        shown.list_with_tasks(
            connection, wanted, TODAY, limit=limit, offset=offset, tasks_to_do=4, ticked_since=utc_now()
        )
        assert shown.count_items(connection, wanted, TODAY) == 8
    assert len([each for each in ran if "work_items" in each[0]]) == 1 + counted
