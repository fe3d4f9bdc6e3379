"""What a standby answers: alive, not ready, and a page that reloads itself."""

import time

import pytest
from structlog.testing import capture_logs

from app import create_app
from app.web.context import WebApp
from app.writer import gate, watch
from app.writer.lease_files import folder_of
from tests.app.conftest import EMAIL, PASSWORD, session_cookie
from tests.app.processes import eventually


@pytest.fixture
def standby(app: WebApp, settings, monkeypatch):
    """A second instance beside the one that writes, which does not ask for the lease."""
    monkeypatch.setattr(gate, "MAX_HANDOVER_WAIT", 0.05)
    made = create_app(settings, requests_handover=False)
    yield made.test_client()
    made.instance.stop()


def test_it_is_alive_but_not_ready(standby):
    health = standby.get("/healthz")
    assert health.status_code == 200
    assert (health.json["status"], health.json["database"]["writer"]) == ("standby", False)
    ready = standby.get("/readyz")
    assert (ready.status_code, ready.json["error"]["code"]) == (503, "standby")


def test_after_a_minute_it_names_the_other_one_and_how_to_find_it(app: WebApp, standby, monkeypatch):
    """Two projects on one volume, say: the one that stands by would else say for ever that it takes a moment."""
    monkeypatch.setattr(watch, "LONG", 0.1)
    owner = app.instance.lease.owner
    with capture_logs() as lines:
        eventually(lambda: owner in standby.get("/").text)
        time.sleep(1)
    said = [line["event"] for line in lines if owner in line["event"]]
    assert len(said) == 1 and "more than a minute" in said[0] and "docker ps" in said[0]
    assert "docker ps" in standby.get("/readyz").json["error"]["message"]


def test_a_writer_whose_storage_is_silent_says_that(app, monkeypatch):
    with monkeypatch.context() as silent:
        silent.setattr(app.instance.lease, "holds", lambda: False)
        answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "The storage has not answered" in answer.json["error"]["message"]


def test_a_page_says_so_and_reloads_itself(standby):
    page = standby.get("/")
    assert page.status_code == 503
    assert "One moment, please" in page.text and "tries again by itself" in page.text
    assert int(page.headers["Refresh"]) > 0 and int(page.headers["Retry-After"]) > 0


def test_a_form_is_not_sent_again_by_itself(standby):
    page = standby.post("/work-items", data={"title": "milk"})
    assert page.status_code == 503
    assert "Refresh" not in page.headers
    assert "Nothing was changed" in page.text


def test_the_api_says_when_to_come_back(standby):
    answer = standby.post("/api/v1/work-items", json={"title": "milk"})
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "standby")
    assert int(answer.headers["Retry-After"]) > 0
    assert "Refresh" not in standby.get("/api/v1/work-items").headers


def test_who_is_signed_in_sees_the_same_page(locked_app: WebApp, locked_settings, signed_in, monkeypatch):
    monkeypatch.setattr(gate, "MAX_HANDOVER_WAIT", 0.05)
    made = create_app(locked_settings, requests_handover=False)
    client = made.test_client()
    cookie = session_cookie(signed_in)
    client.set_cookie(cookie.key, cookie.value)
    assert "One moment, please" in client.get("/").text
    assert client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 503
    made.instance.stop()


def test_the_folder_of_the_lease_is_for_its_own_user_alone(app: WebApp):
    assert folder_of(app.instance.storage).stat().st_mode & 0o777 == 0o700
