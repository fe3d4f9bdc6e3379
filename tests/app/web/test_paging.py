"""Lists in pages: what is added, deleted or moved between two of them neither hides a row nor tells one twice."""

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, update

from app.database.engine import Database
from app.domain import paging, tasks, work_items
from app.domain.models import WorkItem
from app.domain.schemas import NewTask, NewWorkItem
from app.web.pages.trash_page import PAGE
from tests.app.conftest import PASSWORD

ITEMS, TRASH = "/api/v1/work-items", "/api/v1/trash"
LISTS = (ITEMS, f"{ITEMS}/1/tasks", TRASH, "/api/v1/accounts", "/api/v1/tokens")


def add(database: Database, *titles: str, deleted: bool = False, tasks_each: int = 0) -> list[int]:
    """Work items in this order, the first on top; returns their ids."""
    ids = []
    with database.write() as session:
        for title in reversed(titles):
            item = work_items.add_item(session.connection(), None, NewWorkItem(title=title))
            for number in range(tasks_each):
                tasks.add_task(session, None, item.id, NewTask(title=f"task {number}"))
            if deleted:
                work_items.delete_item(session, None, item.id)
            ids.insert(0, item.id)
    return ids


def pages(client: FlaskClient, address: str, headers: dict | None = None) -> Iterator[dict]:
    following: str | None = address
    while following:
        answer = client.get(following, headers=headers or {})
        assert answer.status_code == 200
        yield answer.get_json()
        following = answer.get_json()["next"]


def titles(page: dict) -> list[str]:
    return [row["title"] for row in page["items"]]


def test_what_is_deleted_meanwhile_hides_nothing_that_follows(client, database) -> None:
    ids = add(database, *"ABCDEF")
    found = pages(client, f"{ITEMS}?limit=2")
    assert titles(next(found)) == ["A", "B"]
    for gone in ids[:3]:  # among them the one that the first page ended with
        client.delete(f"{ITEMS}/{gone}")
    assert titles(next(found)) == ["D", "E"]
    assert titles(next(found)) == ["F"]


def test_what_is_added_meanwhile_is_not_told_twice(client, database) -> None:
    add(database, *"ABCD")
    found = pages(client, f"{ITEMS}?limit=2")
    assert titles(next(found)) == ["A", "B"]
    add(database, "new 1", "new 2", "new 3")
    assert titles(next(found)) == ["C", "D"]
    assert next(found, None) is None


def test_the_last_page_is_told_as_the_last_also_where_it_is_full(client, database) -> None:
    add(database, *"ABCD")
    assert [titles(page) for page in pages(client, f"{ITEMS}?limit=2")] == [["A", "B"], ["C", "D"]]
    assert [page["total"] for page in pages(client, f"{ITEMS}?limit=3")] == [4, 4]


def test_the_tasks_of_an_item_come_in_pages(client, database) -> None:
    (item,) = add(database, "item", tasks_each=5)
    found = pages(client, f"{ITEMS}/{item}/tasks?limit=2")
    first = next(found)
    assert (titles(first), first["total"]) == (["task 0", "task 1"], 5)
    client.delete(f"/api/v1/tasks/{first['items'][0]['id']}")
    assert titles(next(found)) == ["task 2", "task 3"]
    assert titles(next(found)) == ["task 4"]


def test_the_trash_comes_in_pages_and_what_is_restored_meanwhile_hides_nothing(client, database) -> None:
    add(database, *"ABC", deleted=True)
    (live,) = add(database, "live", tasks_each=4)
    listed = client.get(f"{ITEMS}/{live}/tasks").json["items"]
    for task in listed:
        client.delete(f"/api/v1/tasks/{task['id']}")
    found, restored, told = pages(client, f"{TRASH}?limit=2"), 0, []
    for page in found:
        assert len(page["work_items"] + page["tasks"]) <= 2
        assert page["total"] == 7 - restored
        told += [row["title"] for row in page["tasks"] + page["work_items"]]
        if page["tasks"]:
            client.post(f"/api/v1/tasks/{page['tasks'][0]['id']}/restore")
            restored += 1
    assert told == ["task 3", "task 2", "task 1", "task 0", "A", "B", "C"]


def test_what_was_deleted_in_one_moment_is_told_once(client, database) -> None:
    add(database, *"ABCDE", deleted=True)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE work_items SET deleted_at = '2026-11-27 08:00:00.000000'")
    told = [row["title"] for page in pages(client, f"{TRASH}?limit=1") for row in page["work_items"]]
    assert sorted(told) == list("ABCDE")


def test_accounts_and_tokens_come_in_pages(stranger, token) -> None:
    admin = token("admin")
    for name in ("bob", "cid", "dan"):
        new = {"email": f"{name}@example.com", "password": PASSWORD, "role": "member"}
        stranger.post("/api/v1/accounts", json=new, headers=admin)
    for name in ("same", "same", "same", "ünïcödé " * 12):
        stranger.post("/api/v1/tokens", json={"name": name.strip(), "password": PASSWORD}, headers=admin)
    found = [row["email"] for page in pages(stranger, "/api/v1/accounts?limit=2", admin) for row in page["items"]]
    assert found == sorted(found) and len(set(found)) == 5
    ids = [row["id"] for page in pages(stranger, "/api/v1/tokens?limit=1", admin) for row in page["items"]]
    assert len(ids) == len(set(ids)) == 5


@pytest.mark.parametrize("deleted", [False, True], ids=["list", "trash"])
def test_a_page_of_long_notes_ends_before_it_is_a_megabyte_and_none_is_left_out(client, database, deleted) -> None:
    names = [f"{number:03}" for number in range(60)]
    ids = add(database, *names)
    with database.write() as session:
        session.execute(update(WorkItem).values(notes="😀" * 20_000))
        session.execute(update(WorkItem).where(WorkItem.id == ids[40]).values(notes=""))
    if deleted:
        (live,) = add(database, "live", tasks_each=1)
        (task,) = client.get(f"{ITEMS}/{live}/tasks").json["items"]
        for number in ids[:30]:
            client.delete(f"{ITEMS}/{number}")
        client.delete(f"/api/v1/tasks/{task['id']}")
        for number in ids[30:]:
            client.delete(f"{ITEMS}/{number}")
    found, told = list(pages(client, f"{TRASH if deleted else ITEMS}?limit=200")), []
    for page in found:
        rows = page["work_items"] + page["tasks"] if deleted else page["items"]
        assert len(rows) > 0 and len(json.dumps(rows, ensure_ascii=False).encode()) < 1_010_000
        told += [row["title"] for row in rows]
    assert len(found) == 5, "and a page is full"
    assert sorted(told) == sorted(names + ["task 0"] * deleted)


def test_notes_of_any_length_make_a_page(client, database, monkeypatch) -> None:
    monkeypatch.setattr(paging, "LONGEST_PAGE", 1)
    add(database, "A", "B")
    with database.write() as session:
        session.execute(update(WorkItem).values(notes="long"))
    assert [titles(page) for page in pages(client, ITEMS)] == [["A"], ["B"]]


def cursor(key: object) -> str:
    return urlsafe_b64encode(json.dumps(key).encode()).decode()


FORGED = [
    *("x", "ä", "W10", "%00", cursor([]), cursor({}), cursor(None), cursor([1]), cursor([1, 2, 3, 4])),
    *(cursor(["a", "b"]), cursor([2**70, 1]), cursor([1.5, 1]), cursor([-1, -1]), cursor(["\ud800", 1])),
    *(cursor(["9999-12-31T23:59:59-14:00", 0, 1]), cursor(["0001-01-01T00:00:00+14:00", 0, 1])),
    *(cursor(["2026-11-27T00:00:00Z", 2, 1]), cursor([1e300, 0, 1])),
]


@pytest.mark.parametrize("forged", FORGED)
def test_a_cursor_that_somebody_made_up_is_told(stranger, token, forged: str) -> None:
    admin = token("admin")
    stranger.post(ITEMS, json={"title": "item"}, headers=admin)
    for address in LISTS:
        answer = stranger.get(address, query_string={"cursor": forged}, headers=admin)
        if answer.status_code != 200:  # some fit one of the lists
            assert (answer.status_code, set(answer.get_json()["error"]["fields"])) == (404, {"cursor"}), address


# --- the page of the trash --------------------------------------------------------------------------------


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    """Those of this thread: others do what is done every hour."""
    asked: list[str] = []

    def note(_connection, _cursor, statement: str, *_more) -> None:
        if threading.current_thread() is threading.main_thread():
            asked.append(statement)

    event.listen(database._engine, "before_cursor_execute", note)
    yield asked
    event.remove(database._engine, "before_cursor_execute", note)


@pytest.mark.parametrize("address", ["/trash", TRASH])
def test_the_trash_asks_the_database_as_often_for_many_as_for_few(client, database, address: str) -> None:
    add(database, *"ABC", deleted=True, tasks_each=2)
    with counted_statements(database) as asked:
        client.get(address)
        few = len(asked)
        add(database, *map(str, range(90)), deleted=True, tasks_each=2)
        del asked[:]
        client.get(address)
    assert len(asked) == few <= 5


def test_the_page_of_the_trash_has_pages(client, database) -> None:
    ids = add(database, *(f"item {number:03}" for number in range(PAGE + 1)), deleted=True)
    first, second = (client.get(address).get_data(as_text=True) for address in ("/trash", "/trash?page=2"))
    assert f"Page 1 of 2, {PAGE + 1} deleted" in first
    assert "item 000" in first and f"item {PAGE:03}" not in first
    assert 'href="/trash?page=2" rel="next"' in first and 'href="/trash" rel="prev"' in second
    assert f"item {PAGE:03}" in second and 'name="back" value="/trash?page=2"' in second
    client.post(f"/work-items/{ids[0]}/restore")
    for asked in ("2", "99", "last"):  # there is one page left
        assert f"item {PAGE:03}" in client.get(f"/trash?page={asked}").get_data(as_text=True)
    for asked in ("0", "-1", "x", "9" * 5000, "²"):
        assert client.get(f"/trash?page={asked}").status_code == 200
