"""The rows of the list are kept: what is shown changes with what is in them, and with the day."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from jinja2.meta import find_undeclared_variables

from app.database.engine import Database
from app.domain import tasks, work_items
from app.domain.schemas import NewTask, NewWorkItem, TaskChange, WorkItemChange
from app.web.context import WebApp
from app.web.pages import list_page, list_rows
from app.web.template_context import template_context
from tests.app.statements import statements

TODAY = date(2026, 11, 23)


@pytest.fixture
def item(database: Database) -> int:
    with database.write() as session:
        item = work_items.add_item(
            session.connection(), None, NewWorkItem(title="Plan & <b>do</b>", due=TODAY, priority="high")
        )
        for title in ("one", "two"):
            tasks.add_task(session, None, item.id, NewTask(title=title))
        return item.id


def change(database: Database, item: int, **fields) -> None:
    with database.write() as session:
        work_items.change_item(session, None, item, WorkItemChange(**fields))


def test_each_change_is_seen_at_once(client: FlaskClient, database: Database, item: int):
    assert "0/2" in client.get("/").text
    with database.write() as session:
        tasks.change_task(session, None, 1, TaskChange(done=True))
    assert "1/2" in client.get("/").text
    with database.write() as session:
        tasks.change_task(session, None, 2, TaskChange(title="renamed task"))
    assert "renamed task" in client.get("/").text
    for fields, shown in (
        ({"title": "renamed"}, ">renamed</a>"),
        ({"priority": "low"}, 'href="#low"'),
        ({"due": date(2031, 1, 2)}, "2 Jan 2031"),
        ({"status": "done"}, f'id="item-{item}" class="done"'),
    ):
        assert shown not in client.get("/?status=all").text
        change(database, item, **fields)
        assert shown in client.get("/?status=all").text


def test_midnight_makes_it_late(client: FlaskClient, item: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(list_page, "today", lambda: TODAY)
    assert ", overdue" not in client.get("/").text
    monkeypatch.setattr(list_page, "today", lambda: TODAY + timedelta(days=1))
    assert ", overdue" in client.get("/").text


def test_what_is_typed_is_text_and_no_html(client: FlaskClient, item: int):
    page = client.get("/").text
    assert "<b>do</b>" not in page
    assert len(re.findall(re.escape("Plan &amp; &lt;b&gt;do&lt;/b&gt;"), page)) == 5  # its link, and four buttons


def selects(ran: list[tuple[str, tuple]]) -> list[str]:
    return [statement for statement, _ in ran if statement.startswith("SELECT")]


def test_a_second_look_makes_no_row_and_counts_nothing(client: FlaskClient, database: Database, item: int):
    client.get("/")
    made = list_rows._row_html.cache_info().misses
    with statements(database) as ran:
        client.get("/")
    assert list_rows._row_html.cache_info().misses == made
    assert len(selects(ran)) == 1, ran
    change(database, item, title="new")
    with statements(database) as ran:
        client.get("/")
    assert list_rows._row_html.cache_info().misses == made + 1
    assert len(selects(ran)) == 3, ran  # of each status, and due: the list itself says how many it has


def test_who_ticks_many_tasks_one_after_the_other_sees_what_is_to_do_next(client: FlaskClient, database: Database):
    with database.write() as session:
        item = work_items.add_item(session.connection(), None, NewWorkItem(title="long"))
        made = [tasks.add_task(session, None, item.id, NewTask(title=f"step {n}")).id for n in range(30)]
        for task in made[:20]:
            tasks.change_task(session, None, task, TaskChange(done=True))
    page = client.get("/").text
    shown = [int(task) for task in re.findall(r'<li class="row task [^"]*" id="task-(\d+)"', page)]
    assert shown == made[8:24], "the last twelve that were ticked, and the first four that are to do"
    assert "+6 more" in page


@pytest.mark.parametrize("name", ["list.html", "item.html"])
def test_what_is_around_the_rows_is_made_of_nothing_but_what_it_is_kept_by(app: WebApp, name: str):
    """What the request or its session says, and what else Flask gives templates, is not in the page that is kept."""
    environment, names = app.jinja_env.overlay(), set()
    environment.globals = {}  # what is in them counts for declared
    for each in (name, "base.html", "_parts.html"):
        source, _, _ = environment.loader.get_source(environment, each)  # pyright: ignore[reportOptionalMemberAccess]
        names |= find_undeclared_variables(environment.parse(source))
    with app.test_request_context():
        given: dict[str, object] = {}
        app.update_template_context(given)
        kept_by = template_context()
    assert "today" in names
    assert not names & (given.keys() - kept_by.keys() | {"config", "session"})
