"""The pages around the list and a work item are kept: each person sees their own, and what is said once is not kept."""

import pytest
from flask.testing import FlaskClient

from app.web.pages import frame
from tests.app.conftest import EMAIL, PASSWORD

PATHS = ["/", "/work-items/1"]


def add(client: FlaskClient, title: str) -> None:
    assert client.post("/work-items", data={"title": title}).status_code == 303


@pytest.mark.parametrize("path", PATHS)
def test_a_second_look_makes_no_page(client: FlaskClient, path: str):
    add(client, "milk")
    client.get("/")  # says that it was added
    first, made = client.get(path).text, frame._frame.cache_info().misses
    assert client.get(path).text == first
    assert frame._frame.cache_info().misses == made


@pytest.mark.parametrize("path", PATHS)
def test_each_person_sees_their_own(signed_in: FlaskClient, path: str):
    add(signed_in, "milk")
    signed_in.post("/accounts", data={"email": "bob@example.com", "password": PASSWORD, "role": "member"})
    other = signed_in.application.test_client()
    assert other.post("/sign-in", data={"email": "bob@example.com", "password": PASSWORD}).status_code == 303
    for _ in range(2):
        own, theirs = signed_in.get(path).text, other.get(path).text
        assert f'title="{EMAIL}"' in own and "/accounts" in own
        assert 'title="bob@example.com"' in theirs and EMAIL not in theirs.partition("</header>")[0]
        assert "/accounts" not in theirs


def test_what_is_said_once_is_said_to_one_once(client: FlaskClient):
    client.get("/")
    add(client, "milk")
    other = client.application.test_client()
    assert [("Added “milk”" in each.get("/").text) for each in (other, client, client)] == [False, True, False]


def test_what_is_refused_is_shown_beside_what_was_typed_and_not_kept(client: FlaskClient):
    client.get("/")
    assert "can&#39;t be kept" in client.post("/work-items", data={"title": "half\0"}).text
    assert "can&#39;t be kept" not in client.get("/").text


def test_all_parts_are_in_their_places(client: FlaskClient):
    add(client, "milk")
    client.post("/work-items/1/tasks", data={"title": "whole"})
    client.get("/work-items/1")
    page = client.get("/work-items/1").text
    places = [page.index(part) for part in ("<h1>milk", 'id="task-1"', 'id="details"', 'id="events"', "</html>")]
    assert places == sorted(places)
    assert str(frame.HOLE) not in page
