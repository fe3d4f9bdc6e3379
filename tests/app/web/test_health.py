"""/healthz and /readyz, and the line at the foot of each page."""

import json

import pytest

from app import create_app
from app.errors import Damaged, Ending, ReadOnly, Replaced, StorageFull, Unwell
from app.storage.mounts import Mount, Storage
from app.web.error_pages import answer_in_loop
from app.web.health import kept_line


def test_alive_says_where_the_data_is(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert set(answer.json) == {"status", "version", "started", "database", "backup"}
    facts = {"kind", "mount", "filesystem", "profile", "persistent", "writer", "may_lack_changes"}
    assert set(answer.json["database"]) == facts
    assert answer.json["database"]["may_lack_changes"] is False
    assert answer.json["status"] == "ok" and answer.json["database"]["writer"] is True
    assert answer.json["backup"] is None


def test_nothing_secret_in_it(locked_app, stranger):
    text = stranger.get("/healthz").text + stranger.get("/readyz").text
    assert locked_app.config["SECRET_KEY"] not in text
    assert "example.com" not in text


def test_ready_only_while_the_database_answers(app, client):
    assert client.get("/readyz").status_code == 200
    path = app.instance.database.storage.path
    app.instance.database.close()
    path.unlink()
    path.write_bytes(b"not a database" * 100)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "not an SQLite database" in answer.json["error"]["message"]
    assert client.get("/healthz").status_code == 200


def test_the_foot_of_the_page_says_where_the_data_is(tmp_path):
    def line(point: str, filesystem: str) -> str:
        return kept_line(Storage(tmp_path / "a.db", Mount(point, "/", filesystem, "", False), "shared"))

    assert line("/app/data", "ext4") == "Saved on a volume of its own (ext4)"
    assert line("/", "ext4") == "Saved on this computer (a.db, ext4)"
    assert "Not kept" in line("/", "overlay")


def test_a_refusal_in_the_event_loop_is_json_too(app):
    status, headers, body = answer_in_loop(app, "/readyz", Ending())
    assert (status, json.loads(body)["error"]["code"]) == (503, "ending")
    assert ("Content-Type", "application/json") in headers


@pytest.mark.parametrize(
    ("kind", "takes_writes"), [(StorageFull, True), (ReadOnly, True), (Damaged, False), (Replaced, False)]
)
def test_what_is_wrong_is_told_everywhere_in_the_same_words(app, client, kind: type[Unwell], takes_writes: bool):
    app.instance.database.condition.report(kind("It is broken.", "Type this."))
    ready, alive = client.get("/readyz"), client.get("/healthz")
    assert (ready.status_code, ready.get_json()["error"]["code"]) == (503, kind.code)
    assert (ready.get_json()["error"]["message"], ready.get_json()["error"]["hint"]) == ("It is broken.", "Type this.")
    assert (alive.status_code, alive.get_json()["status"]) == (200, kind.code)
    assert "Not well: It is broken." in client.get("/").text
    answer = client.post("/api/v1/work-items", json={"title": "milk"})
    assert answer.status_code == (201 if takes_writes else kind.status)
    assert takes_writes or answer.get_json()["error"]["message"] == "It is broken."


def test_what_is_over_is_green_again(app, client):
    condition = app.instance.database.condition
    condition.report(Damaged("It is broken."))
    condition.mended(Damaged)
    assert client.get("/readyz").status_code == 200
    assert client.get("/healthz").get_json()["status"] == "ok"


def test_a_database_that_is_not_opened_is_told_everywhere_in_the_same_words(settings):
    create_app(settings).instance.stop()
    settings.database_path.unlink()
    app = create_app(settings)
    client = app.test_client()
    ready, alive = client.get("/readyz"), client.get("/healthz")
    assert (ready.status_code, ready.get_json()["error"]["code"]) == (503, "emptied")
    assert (alive.status_code, alive.get_json()["status"], alive.get_json()["database"]["writer"]) == (
        200,
        "emptied",
        False,
    )
    page, answer = client.get("/"), client.post("/api/v1/work-items", json={"title": "milk"})
    assert page.status_code == answer.status_code == 503
    assert answer.get_json()["error"] == ready.get_json()["error"]
    message = f"{settings.database_path} is gone, but the last Task Assist that ran here had a database in it"
    assert message in ready.get_json()["error"]["message"] and message in page.text
    assert "task-assist start-empty" in page.text and "One moment" not in page.text
    app.instance.stop()
