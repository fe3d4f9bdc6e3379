"""API tokens: made with the password, shown once, at an end some day or when they are deleted, seen by the admins."""

import re
from datetime import UTC, datetime, timedelta
from threading import get_ident

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from app.database.engine import Database
from app.domain import accounts, tokens
from app.domain.passwords import hashed
from app.domain.schemas import NewAccount
from app.errors import StorageFull
from app.operations.control.control_commands import new_password
from app.web import auth
from app.web.context import WebApp
from tests.app.conftest import EMAIL, PASSWORD

BOB = "bob@example.com"
WRONG = "not the right one"


def make_token(client: FlaskClient, name: str = "laptop", **more: str):
    return client.post("/account/tokens", data={"name": name, "scope": "write", "password": PASSWORD, **more})


def token_in(page: str) -> dict[str, str]:
    """The header that the token goes into."""
    return {"Authorization": f"Bearer {re.search(r'ta_[A-Za-z0-9_-]{43}', page)[0]}"}  # type: ignore[index]


def status(app: WebApp, headers: dict[str, str]) -> int:
    return app.test_client().get("/api/v1/me", headers=headers).status_code


@pytest.fixture
def bob(locked_app: WebApp) -> FlaskClient:
    """The browser of a member."""
    fields = NewAccount.model_validate({"email": BOB, "password": PASSWORD})
    with locked_app.instance.database.write() as session:
        accounts.add_account(session, fields, hashed(fields.password))
    client = locked_app.test_client()
    client.post("/sign-in", data={"email": BOB, "password": PASSWORD})
    return client


@pytest.fixture
def database(locked_app: WebApp) -> Database:
    return locked_app.instance.database


# --- making one ---------------------------------------------------------------------------------------------


def test_it_is_shown_once_and_works_until_it_is_deleted(locked_app: WebApp, signed_in: FlaskClient):
    page = make_token(signed_in).text
    headers = token_in(page)
    assert headers["Authorization"].removeprefix("Bearer ") not in signed_in.get("/account").text
    api = locked_app.test_client()
    assert api.post("/api/v1/work-items", json={"title": "by token"}, headers=headers).status_code == 201
    assert signed_in.post("/account/tokens/1/delete").status_code == 303
    assert status(locked_app, headers) == 401


@pytest.mark.parametrize("typed", [{"password": WRONG}, {"password": ""}])
def test_none_is_made_without_the_password(signed_in: FlaskClient, database: Database, typed: dict[str, str]):
    answer = make_token(signed_in, name="kept in the form", **typed)
    assert answer.status_code == 403
    assert "This is not your password." in answer.text and 'value="kept in the form"' in answer.text
    assert WRONG not in answer.text
    with database.read() as session:
        assert tokens.list_tokens(session, None) == []


def test_none_is_made_by_a_token_without_the_password(stranger: FlaskClient, token):
    admin = token("admin")
    for asked, status in (({"name": "x"}, 422), ({"name": "x", "password": WRONG}, 403)):
        refused = stranger.post("/api/v1/tokens", json=asked, headers=admin)
        assert refused.status_code == status
        assert list(refused.json["error"]["fields"]) == ["password"]  # type: ignore[index]
    assert len(stranger.get("/api/v1/tokens", headers=admin).json["items"]) == 1  # type: ignore[index]


def test_guessing_the_password_for_one_is_stopped(signed_in: FlaskClient):
    answers = [make_token(signed_in, password=WRONG).status_code for _ in range(12)]
    assert answers[0] == 403 and answers[-1] == 429


def test_none_is_made_of_a_password_that_was_changed_meanwhile(
    locked_app: WebApp, signed_in: FlaskClient, database: Database, monkeypatch
):
    """Between the check of the password and the turn to write, or a token would outlive the reset after all."""
    add = tokens.add_token

    def reset_first(session, account_id: int, *given, **named):
        accounts.reset_password(session, accounts.get_account(session, account_id), hashed_anew)
        return add(session, account_id, *given, **named)

    hashed_anew = hashed(NewAccount.model_validate({"email": EMAIL, "password": "another password"}).password)
    monkeypatch.setattr(tokens, "add_token", reset_first)
    assert make_token(signed_in).status_code == 403
    with database.read() as session:
        assert tokens.list_tokens(session, None) == []


def test_a_member_makes_no_admin_token(bob: FlaskClient):
    assert make_token(bob, scope="admin").status_code == 422
    assert make_token(bob, scope="read").status_code == 200


# --- its end ------------------------------------------------------------------------------------------------


def test_a_reset_password_ends_the_tokens_of_that_account_alone(
    locked_app: WebApp, signed_in: FlaskClient, bob: FlaskClient, token
):
    bobs, anns, admin = token_in(make_token(bob).text), token_in(make_token(signed_in).text), token("admin")
    assert (status(locked_app, bobs), status(locked_app, anns)) == (200, 200)
    new = {"password": "another long password"}
    assert locked_app.test_client().patch("/api/v1/accounts/2", json=new, headers=admin).status_code == 200
    assert (status(locked_app, bobs), status(locked_app, anns)) == (401, 200)
    assert (bob.get("/").status_code, signed_in.get("/").status_code) == (303, 200), "and its sessions"


def test_reset_password_on_the_command_line_ends_them_too(locked_app: WebApp, bob: FlaskClient, database: Database):
    bobs = [token_in(make_token(bob, name).text) for name in ("one", "two")]
    assert new_password(database, BOB)["tokens"] == 2
    assert [status(locked_app, each) for each in bobs] == [401, 401]


def test_who_changes_the_own_password_is_told_that_the_tokens_still_work(locked_app: WebApp, bob: FlaskClient):
    headers = token_in(make_token(bob).text)
    change = {"current": PASSWORD, "password": "another long password"}
    page = bob.post("/account/password", data=change, follow_redirects=True).text
    assert "Your API tokens still work." in page
    assert status(locked_app, headers) == 200


def test_it_expires_after_90_days_unless_something_else_was_chosen(signed_in: FlaskClient, database: Database):
    for days in ("", "30", "365", "never"):
        chosen = {"expires_in_days": days} if days else {}
        assert make_token(signed_in, days or "default", **chosen).status_code == 200
    with database.read() as session:
        made = {
            each.name: each.expires_at and each.expires_at - each.created_at for each in tokens.list_tokens(session, 1)
        }
    lasts = {name: span and round(span / timedelta(days=1)) for name, span in made.items()}
    assert lasts == {"default": 90, "30": 30, "365": 365, "never": None}
    assert make_token(signed_in, expires_in_days="1").status_code == 422
    assert "never expires" in signed_in.get("/account").text


def test_by_the_api_it_expires_when_that_says_so(stranger: FlaskClient, token):
    admin = token("admin")
    asked = {"name": "ci", "password": PASSWORD}
    for days, expected in (({}, 90), ({"expires_in_days": 7}, 7), ({"expires_in_days": None}, None)):
        made = stranger.post("/api/v1/tokens", json={**asked, **days}, headers=admin).json
        assert made and (made["expires_at"] is None) is (expected is None)
        if expected:
            span = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
            assert round(span / timedelta(days=1)) == expected
    for days in (0, -1, 3651, "90", True):
        assert (
            stranger.post("/api/v1/tokens", json={**asked, "expires_in_days": days}, headers=admin).status_code == 422
        )


def test_an_expired_one_is_told_so_and_works_no_more(locked_app: WebApp, signed_in: FlaskClient, monkeypatch):
    headers = token_in(make_token(signed_in, "nightly").text)
    later = datetime.now(UTC) + timedelta(days=91)
    monkeypatch.setattr(auth, "utc_now", lambda: later)
    answer = locked_app.test_client().get("/api/v1/work-items", headers=headers)
    assert answer.status_code == 401 and answer.json
    assert answer.json["error"]["message"] == "The token nightly has expired."
    assert "account page" in answer.json["error"]["hint"]


# --- its use ------------------------------------------------------------------------------------------------


def uses(database: Database) -> list[object]:
    with database.read() as session:
        return [each.last_used_on for each in tokens.list_tokens(session, None)]


@pytest.fixture
def writes(database: Database, monkeypatch) -> list[None]:
    """Grows with each writing transaction of a request. What is done every hour runs in a thread of its own."""
    begun: list[None] = []
    write, requests = database.write, get_ident()

    def counted():
        if get_ident() == requests:
            begun.append(None)
        return write()

    monkeypatch.setattr(database, "write", counted)
    return begun


def test_the_day_of_its_use_is_written_once_a_day(
    locked_app: WebApp, signed_in: FlaskClient, database: Database, writes: list[None], monkeypatch
):
    headers = token_in(make_token(signed_in).text)
    assert uses(database) == [None]
    assert "no use seen yet" in signed_in.get("/account").text
    writes.clear()
    for _ in range(5):
        assert status(locked_app, headers) == 200
    assert len(writes) == 1
    assert "last used <time" in signed_in.get("/account").text
    today = uses(database)[0]
    tomorrow = today + timedelta(days=1)  # type: ignore[operator]
    monkeypatch.setattr("app.web.token_use.today", lambda: tomorrow)
    for _ in range(5):
        status(locked_app, headers)
    assert len(writes) == 2 and uses(database) == [tomorrow]


def test_where_it_can_not_be_written_the_request_is_answered_and_the_next_does_not_try(
    locked_app: WebApp, signed_in: FlaskClient, writes: list[None], monkeypatch
):
    headers = token_in(make_token(signed_in).text)
    writes.clear()

    def full(*_: object) -> None:
        raise StorageFull("There is no room left.")

    monkeypatch.setattr(tokens, "note_use", full)
    assert [status(locked_app, headers) for _ in range(3)] == [200, 200, 200]
    assert len(writes) == 1


def test_a_wrong_one_writes_nothing(locked_app: WebApp, signed_in: FlaskClient, writes: list[None]):
    make_token(signed_in)
    writes.clear()
    answer = locked_app.test_client().get("/api/v1/me", headers={"Authorization": "Bearer ta_guessed"})
    assert answer.status_code == 401 and answer.json
    assert answer.json["error"]["message"].startswith("This token is not known: it is mistyped, ")
    assert answer.json["error"]["hint"] == "Make another one on the account page."
    assert writes == []


@pytest.mark.parametrize("header", ["Basic YW5uOnB3", "Bearer", "Bearer ", "ta_without_its_kind"])
def test_what_is_no_token_is_told_how_one_is_sent(locked_app: WebApp, signed_in: FlaskClient, header: str):
    answer = locked_app.test_client().get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401 and answer.json
    assert answer.json["error"]["message"] == "This needs a token."
    assert "Authorization: Bearer TOKEN" in answer.json["error"]["hint"]


# --- everybody's --------------------------------------------------------------------------------------------


def test_an_admin_sees_and_deletes_everybodys(locked_app: WebApp, signed_in: FlaskClient, bob: FlaskClient):
    headers = token_in(make_token(bob, "bobs own").text)
    page = signed_in.get("/accounts").text
    assert "bobs own" in page and f"Delete the token bobs own of {BOB}" in page
    assert "bobs own" not in signed_in.get("/account").text
    said = signed_in.post("/accounts/tokens/1/delete", follow_redirects=True).text
    assert f"The token bobs own of {BOB} no longer works." in said
    assert status(locked_app, headers) == 401


def test_by_the_api_an_admin_does_the_same(locked_app: WebApp, stranger: FlaskClient, bob: FlaskClient, token):
    headers, admin = token_in(make_token(bob, "bobs own").text), token("admin")
    listed = stranger.get("/api/v1/tokens", headers=admin).json["items"]  # type: ignore[index]
    (its,) = [each for each in listed if each["email"] == BOB]
    assert stranger.delete(f"/api/v1/tokens/{its['id']}", headers=admin).status_code == 204
    assert status(locked_app, headers) == 401


def test_a_member_deletes_the_own_ones_alone(locked_app: WebApp, signed_in: FlaskClient, bob: FlaskClient):
    headers = token_in(make_token(signed_in).text)
    assert bob.post("/account/tokens/1/delete").status_code == 404
    assert bob.post("/accounts/tokens/1/delete").status_code == 403
    assert status(locked_app, headers) == 200


def test_no_token_and_no_password_is_in_the_log(signed_in: FlaskClient):
    with capture_logs() as logs:
        page = make_token(signed_in).text
    assert token_in(page)["Authorization"][7:] not in str(logs) and PASSWORD not in str(logs)
