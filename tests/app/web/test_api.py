"""The JSON API: the paths and shapes that programs rest on."""

import pytest

from tests.app.conftest import PASSWORD


def add(client, **fields) -> dict:
    answer = client.post("/api/v1/work-items", json={"title": "item", **fields})
    assert answer.status_code == 201
    return answer.json


def test_a_work_item_from_first_to_last(client):
    item = add(client, title="  Garden  ", notes="mow\r\n", priority="high", due="2026-12-24")
    address = f"/api/v1/work-items/{item['id']}"
    assert item["title"] == "Garden" and item["notes"] == "mow"
    expected = {"status": "open", "priority": "high", "due": "2026-12-24", "version": 1, "tasks_total": 0}
    assert item.items() >= expected.items()
    assert client.get(address).json == item
    changed = client.patch(address, json={"status": "done", "due": None}).json
    assert (changed["status"], changed["due"], changed["title"], changed["version"]) == ("done", None, "Garden", 2)
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert [gone["id"] for gone in client.get("/api/v1/trash").json["work_items"]] == [item["id"]]
    assert client.post(f"{address}/restore").json["status"] == "done"
    assert client.get(address).status_code == 200


def test_a_task_from_first_to_last(client):
    item = add(client)
    tasks = f"/api/v1/work-items/{item['id']}/tasks"
    task = client.post(tasks, json={"title": "mow", "due": "2026-12-01"}).json
    assert task.items() >= {"work_item_id": item["id"], "done": False, "due": "2026-12-01", "version": 1}.items()
    address = f"/api/v1/tasks/{task['id']}"
    assert client.patch(address, json={"done": True}).json["done"] is True
    assert client.get(f"/api/v1/work-items/{item['id']}").json["tasks_done"] == 1
    assert client.get(tasks).json == {"items": [client.get(address).json], "total": 1, "next": None}
    assert client.delete(address).status_code == 204
    assert client.get(tasks).json["total"] == 0
    assert client.post(f"{address}/restore").status_code == 200


def test_pages_follow_each_other_to_the_end_and_keep_the_filters(client):
    for number in range(5):
        add(client, title=f"milk {number}")
    add(client, title="bread")
    address, titles = "/api/v1/work-items?q=milk&limit=2", []
    while address:
        page = client.get(address).json
        assert page["total"] == 5
        titles += [item["title"] for item in page["items"]]
        address = page["next"]
    assert titles == [f"milk {number}" for number in (4, 3, 2, 1, 0)]


def test_a_list_shows_every_status_unless_asked(client):
    add(client, status="archived")
    assert client.get("/api/v1/work-items").json["total"] == 1
    assert client.get("/api/v1/work-items?status=open").json["total"] == 0


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({}, "title", "This is needed."),
        ({"title": "   "}, "title", "This can't be empty."),
        ({"title": "x" * 201}, "title", "At most 200 characters."),
        ({"title": "a\0b"}, "title", "The character U+0000 can't be kept."),
        ({"title": "\ud800"}, "title", "A text."),
        ({"title": "a", "due": "tomorrow"}, "due", "A date like 2026-11-23."),
        ({"title": "a", "priority": "urgent"}, "priority", "One of 'high', 'normal' or 'low'."),
        ({"title": "a", "tittle": "b"}, "tittle", "There is no such field."),
        ({"title": None}, "title", "A text."),
        ({"title": 1}, "title", "A text."),
        ({"title": "a", "notes": ["b"]}, "notes", "A text."),
        ({"title": "a", "due": 86400}, "due", "A date like 2026-11-23."),
        ({"title": "a", "due": "86400"}, "due", "A date like 2026-11-23."),
        ({"title": "a", "due": 0.0}, "due", "A date like 2026-11-23."),
        ({"title": "a", "due": True}, "due", "A date like 2026-11-23."),
        ({"title": "a", "due": "2026-11-23T00:00:00"}, "due", "A date like 2026-11-23."),
        ({"title": "a", "due": "2026-02-30"}, "due", "There is no such day. A date like 2026-11-23."),
    ],
)
def test_what_cannot_be_used_is_told_field_by_field(client, body: dict, field: str, sentence: str):
    answer = client.post("/api/v1/work-items", json=body)
    assert answer.status_code == 422
    error = answer.json["error"]
    assert set(error) == {"code", "message", "hint", "fields"}
    assert error["fields"] == {field: sentence}
    assert client.get("/api/v1/work-items").json["total"] == 0


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        *(({"done": wrong}, "done", "true or false.") for wrong in (1, 0, 1.0, "true", "yes", "")),
        ({"after": 2**63}, "after", f"At most {2**63 - 1}."),
        ({"after": 1, "position": 1}, "body", "Either after or position, not both."),
        *(({"position": wrong}, "position", "A whole number.") for wrong in (True, 2.5, "2", None)),
        ({"due": 86400}, "due", "A date like 2026-11-23."),
    ],
)
def test_a_value_of_another_type_is_refused_and_never_turned_into_one_that_fits(client, change, field, sentence):
    item = add(client)
    task = client.post(f"/api/v1/work-items/{item['id']}/tasks", json={"title": "mow"}).json
    answer = client.patch(f"/api/v1/tasks/{task['id']}", json=change)
    assert (answer.status_code, answer.json["error"]["fields"]) == (422, {field: sentence})
    assert client.get(f"/api/v1/tasks/{task['id']}").json == task


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('"milk"', "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("9" * 5000, "application/json", 400),
        ("title=milk", "application/x-www-form-urlencoded", 415),
        ('{"title": "milk"}', "text/plain", 415),
        ("", "application/json", 400),
        ("", None, 400),
    ],
)
def test_a_body_that_is_no_json_object_is_told(client, body: str, kind: str | None, status: int):
    answer = client.post("/api/v1/work-items", data=body, content_type=kind)
    assert answer.status_code == status
    assert answer.json["error"]["message"]


@pytest.mark.parametrize("address", ["/api/v1/work-items/7", f"/api/v1/tasks/{10**30}", "/api/v1/nothing"])
def test_what_is_not_there_is_told_in_the_same_shape(client, address: str):
    answer = client.get(address)
    assert answer.status_code == 404
    assert set(answer.json["error"]) == {"code", "message", "hint", "fields"}


def test_a_wrong_method_names_the_right_ones(client):
    answer = client.put("/api/v1/work-items")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_without_a_token_the_answer_says_where_to_get_one(stranger):
    answer = stranger.get("/api/v1/work-items")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "account page" in answer.json["error"]["hint"]


def test_tokens_and_accounts_by_an_admin_token(stranger, token):
    admin = token("admin")
    made = stranger.post(
        "/api/v1/tokens", json={"name": "ci", "scope": "write", "password": PASSWORD}, headers=admin
    ).json
    assert made["token"].startswith("ta_")
    mine = {"Authorization": f"Bearer {made['token']}"}
    assert stranger.get("/api/v1/me", headers=mine).json["scope"] == "write"
    assert "token" not in stranger.get("/api/v1/tokens", headers=admin).json["items"][0]
    assert stranger.delete(f"/api/v1/tokens/{made['id']}", headers=admin).status_code == 204
    assert stranger.get("/api/v1/me", headers=mine).status_code == 401
    new = {"email": "bob@example.com", "password": "a long enough password", "role": "member"}
    bob = stranger.post("/api/v1/accounts", json=new, headers=admin)
    assert bob.status_code == 201 and "password" not in bob.text
    assert stranger.post("/api/v1/accounts", json=new, headers=admin).status_code == 409
    address = f"/api/v1/accounts/{bob.json['id']}"
    assert stranger.patch(address, json={"role": "admin"}, headers=admin).json["role"] == "admin"
    assert stranger.delete(address, headers=admin).status_code == 204


def test_a_page_and_the_api_tell_the_same(client):
    item = add(client, title="Garden")
    client.post(f"/work-items/{item['id']}/tasks", data={"title": "mow"})
    assert client.get(f"/api/v1/work-items/{item['id']}").json["tasks_total"] == 1
    assert "Garden" in client.get("/").text


def test_a_whole_number_may_be_written_with_a_point_and_a_part_of_one_is_none(client):
    item = client.post("/api/v1/work-items", json={"title": "a"}).json["id"]
    assert client.patch(f"/api/v1/work-items/{item}", json={"position": 1.0}).status_code == 200
    for wrong in (1.5, 1e300, "1"):
        assert client.patch(f"/api/v1/work-items/{item}", json={"position": wrong}).status_code == 422
