"""A work item with many tasks: its page shows a hundred of them, and a tick sends what it changes."""

import re

import pytest
from flask.testing import FlaskClient

from app.database.engine import Database
from app.domain import tasks, work_items
from app.domain.schemas import NewTask, NewWorkItem
from app.web.pages.item_page import TASKS_ON_PAGE

MANY = 2 * TASKS_ON_PAGE + 1
HTMX = {"HX-Request": "true"}


@pytest.fixture
def task_ids(database: Database) -> list[int]:
    """The tasks of work item 1, in their order."""
    with database.write() as session:
        item = work_items.add_item(session.connection(), None, NewWorkItem(title="Long"))
        return [tasks.add_task(session, None, item.id, NewTask(title=f"task {number:03}")).id for number in range(MANY)]


def page(client: FlaskClient, address: str) -> str:
    return client.get(address).get_data(as_text=True)


def shown(text: str) -> list[str]:
    return re.findall(r'<span class="title">(task \d+)', text)


def test_its_page_shows_a_hundred_and_leads_to_the_others(client, task_ids) -> None:
    first, second, last = (page(client, f"/work-items/1{query}") for query in ("", "?page=2", "?page=99"))
    assert shown(first) == [f"task {number:03}" for number in range(TASKS_ON_PAGE)]
    assert shown(second)[0] == f"task {TASKS_ON_PAGE}" and shown(last) == [f"task {MANY - 1}"]
    assert f"Page 1 of 3, {MANY} tasks" in first and f"0/{MANY}" in last
    assert 'href="/work-items/1?page=2" rel="next"' in first and 'href="/work-items/1" rel="prev"' in second
    assert 'name="back" value="/work-items/1?page=2"' in second


def test_a_new_task_is_shown_where_it_stands(client, task_ids) -> None:
    answer = client.post("/work-items/1/tasks", data={"title": "new", "back": "/work-items/1"})
    assert answer.location == "/work-items/1?page=3#new-task-title"


def test_a_task_that_moves_to_another_page_is_followed(client, task_ids) -> None:
    moved = task_ids[TASKS_ON_PAGE]
    answer = client.post(f"/tasks/{moved}/move", data={"direction": "up", "back": "/work-items/1?page=2"})
    assert answer.location == f"/work-items/1#task-{moved}-up"
    answer = client.post(f"/tasks/{moved}/move", data={"direction": "down", "back": "/work-items/1"})
    assert answer.location == f"/work-items/1?page=2#task-{moved}-down"


def test_a_refused_task_is_shown_on_its_page_whatever_page_it_was_typed_on(client, task_ids) -> None:
    answer = client.post(f"/tasks/{task_ids[-1]}", data={"title": " ", "due": "", "back": "/"})
    assert answer.status_code == 422
    assert "This can&#39;t be empty." in answer.text and "Page 3 of 3" in answer.text


def test_a_refused_form_beside_the_tasks_keeps_their_page(client, task_ids) -> None:
    for path in ("/work-items/1", "/work-items/1/tasks"):
        answer = client.post(path, data={"title": " ", "back": "/work-items/1?page=2"})
        assert answer.status_code == 422 and "Page 2 of 3" in answer.text


def test_a_tick_sends_the_row_the_counts_and_the_history(client, task_ids) -> None:
    tick = {"done": "1", "back": "/work-items/1?page=2"}
    answer = client.post(f"/tasks/{task_ids[150]}/tick", data=tick, headers=HTMX)
    assert answer.status_code == 200
    assert answer.headers["HX-Replace-Url"] == "false"
    assert re.findall(r'hx-target="(\S+)"', answer.text) == [
        *(f"#task-{task_ids[150]}", "#facts", "#events", "#said", "#undo")
    ]
    assert shown(answer.text) == ["task 150"]
    assert 'aria-checked="true"' in answer.text and 'name="back" value="/work-items/1?page=2"' in answer.text
    assert f"1/{MANY}" in answer.text and "ticked: task 150" in answer.text
    assert len(answer.data) < len(client.get("/work-items/1?page=2").data) / 10


@pytest.mark.parametrize(("headers", "back"), [({}, "/work-items/1"), (HTMX, "/"), (HTMX, "/work-items/2")])
def test_elsewhere_and_without_javascript_a_tick_leads_to_the_page(client, task_ids, headers: dict, back: str) -> None:
    answer = client.post(f"/tasks/{task_ids[0]}/tick", data={"done": "1", "back": back}, headers=headers)
    assert (answer.status_code, answer.location) == (303, f"{back}#task-{task_ids[0]}-tick")
