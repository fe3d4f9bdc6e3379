"""ETag, If-Match and If-None-Match of the API, by RFC 9110."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ITEM, TASK = "/api/v1/work-items/1", "/api/v1/tasks/1"


@pytest.fixture
def client(client: FlaskClient) -> FlaskClient:
    """With one work item that has one task."""
    client.post("/api/v1/work-items", json={"title": "Garden"})
    client.post(f"{ITEM}/tasks", json={"title": "rake"})
    return client


def etag_of(client, address: str) -> str:
    return client.get(address).headers["ETag"]


def refused(answer: TestResponse) -> dict:
    assert answer.status_code == 412
    return answer.get_json()["error"]


READS = [ITEM, TASK, "/api/v1/work-items", f"{ITEM}/tasks", "/api/v1/trash", "/api/v1/me", "/api/v1/openapi.json"]


@pytest.mark.parametrize("address", READS)
def test_what_a_program_has_already_is_not_sent_again(client, address: str) -> None:
    etag = etag_of(client, address)
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(address, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag), sent
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Type" not in answer.headers
    assert client.get(address, headers={"If-None-Match": '"other", W/"another"'}).status_code == 200
    assert client.head(address, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("address", [ITEM, TASK])
def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused_with_what_is_there(client, address: str) -> None:
    old = etag_of(client, address)
    client.patch(address, json={"title": "theirs"})
    now = client.get(address)
    for method, sent in (("PATCH", {"title": "mine"}), ("DELETE", None)):
        error = refused(client.open(address, method=method, json=sent, headers={"If-Match": old}))
        assert error["code"] == "changed_meanwhile"
        assert error["now"] == now.json
        assert error["etag"] == now.headers["ETag"]
        assert f"If-Match: {now.headers['ETag']}" in error["hint"]
    assert client.get(address).json == now.json


@pytest.mark.parametrize("address", [ITEM, TASK])
@pytest.mark.parametrize("form", ["{}", '"other", {}', "*"])
def test_a_change_of_what_is_still_as_it_was_seen_is_made(client, address: str, form: str) -> None:
    sent = {"If-Match": form.format(etag_of(client, address))}
    changed = client.patch(address, json={"title": "mine"}, headers=sent)
    assert (changed.status_code, changed.json["title"], changed.json["version"]) == (200, "mine", 2)
    sent = {"If-Match": form.format(etag_of(client, address))}
    assert client.delete(address, headers=sent).status_code == 204


@pytest.mark.parametrize("sent", ["W/{}", '"other"', 'W/"other"', "other", "", ","])
def test_a_weak_tag_or_one_that_cannot_be_read_changes_nothing(client, sent: str) -> None:
    before = client.get(ITEM)
    refused(client.patch(ITEM, json={"title": "mine"}, headers={"If-Match": sent.format(before.headers["ETag"])}))
    refused(client.get(ITEM, headers={"If-Match": sent.format(before.headers["ETag"])}))
    assert client.get(ITEM).json == before.json


def test_a_change_only_if_it_does_not_exist_is_refused_where_it_does(client) -> None:
    for sent in ("*", etag_of(client, ITEM)):
        refused(client.patch(ITEM, json={"title": "mine"}, headers={"If-None-Match": sent}))
    assert client.patch(ITEM, json={"title": "mine"}, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_etag_is_of_the_whole_answer(client) -> None:
    etag, version = etag_of(client, ITEM), client.get(ITEM).json["version"]
    client.patch(TASK, json={"done": True})
    assert (client.get(ITEM).json["version"], client.get(ITEM).json["tasks_done"]) == (version, 1)
    assert etag_of(client, ITEM) != etag
    refused(client.patch(ITEM, json={"title": "mine"}, headers={"If-Match": etag}))


def test_an_answer_to_a_change_has_the_etag_for_the_next_one(client) -> None:
    made = client.post("/api/v1/work-items", json={"title": "House"})
    address = f"/api/v1/work-items/{made.json['id']}"
    assert made.headers["ETag"] == etag_of(client, address)
    changed = client.patch(address, json={"title": "Home"}, headers={"If-Match": made.headers["ETag"]})
    assert changed.headers["ETag"] == etag_of(client, address) != made.headers["ETag"]
    assert "ETag" not in client.post(f"{address}/restore").headers


def test_what_is_gone_is_told_as_that_whatever_the_condition(client) -> None:
    client.delete(ITEM)
    assert client.patch(ITEM, json={"title": "mine"}, headers={"If-Match": "*"}).status_code == 404
    assert "ETag" not in client.get(ITEM).headers


def test_wrong_input_is_told_before_a_condition(client) -> None:
    assert client.patch(ITEM, json={"title": ""}, headers={"If-Match": '"other"'}).status_code == 422


def test_an_account_is_changed_only_as_it_was_seen(stranger, token) -> None:
    admin = token("admin")
    new = {"email": "bob@example.com", "password": "a long enough password", "role": "member"}
    address = f"/api/v1/accounts/{stranger.post('/api/v1/accounts', json=new, headers=admin).json['id']}"
    old = admin | {"If-Match": stranger.get(address, headers=admin).headers["ETag"]}
    assert stranger.patch(address, json={"role": "admin"}, headers=old).status_code == 200
    assert refused(stranger.patch(address, json={"role": "admin"}, headers=old))["now"]["role"] == "admin"
    refused(stranger.delete(address, headers=old))


def test_the_document_names_the_conditions(client) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert "If-Match" in document["info"]["description"]
    paths = document["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            headers = [found["name"] for found in operation["parameters"] if found["in"] == "header"]
            if not path.startswith("/api/") or path.endswith("openapi.json"):
                continue
            if method == "get":
                assert headers == ["If-None-Match"] and "304" in operation["responses"], path
            elif method in ("patch", "delete") and "tokens" not in path:
                assert headers == ["If-Match"] and "412" in operation["responses"], path
