"""The session cookie lives as long as the database has seen it live, whatever the machine's clock says."""

import time
from pathlib import Path
from typing import cast

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.backup.copies.snapshot import snapshot
from app.backup.restoring.restore import restore
from app.database import seen_time
from app.domain import accounts
from app.domain.passwords import hashed
from app.domain.schemas import NewAccount
from app.errors import StorageFull
from app.settings import load
from app.web.context import WebApp
from app.web.security import SESSION_DAYS
from app.web.sessions import Sessions
from tests.app.conftest import EMAIL, PASSWORD, session_cookie

DAY = 24 * 3600


@pytest.fixture
def steady(monkeypatch):
    """steady(seconds) lets them pass by the clock that never jumps."""
    passed = [0.0]
    began = seen_time._never_jumps()
    monkeypatch.setattr(seen_time, "_never_jumps", lambda: began + passed[0])

    def let_pass(seconds: float) -> None:
        passed[0] += seconds

    return let_pass


def sign_in(client: FlaskClient, email: str = EMAIL) -> None:
    client.post("/sign-in", data={"email": email, "password": PASSWORD})


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/").status_code == 200


@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumps_signs_nobody_out(steady, signed_in: FlaskClient, monkeypatch, years: int):
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + years * 365 * DAY)
    assert is_signed_in(signed_in)
    steady(2 * DAY)
    answer = signed_in.get("/")
    # An age, which the browser counts for itself; a date would be another clock's.
    assert f"Max-Age={SESSION_DAYS * DAY};" in answer.headers["Set-Cookie"]
    assert "Expires" not in answer.headers["Set-Cookie"]
    assert is_signed_in(signed_in)


def test_the_cookie_is_sent_again_once_a_day(steady, signed_in: FlaskClient):
    sent = []
    for hours in (1, 20, 4, 1, 30, 1):
        steady(hours * DAY / 24)
        sent.append("Set-Cookie" in signed_in.get("/").headers)
    assert sent == [False, False, True, False, True, False]


def test_what_one_request_does_to_its_session_is_not_in_the_next_one_of_the_same_cookie(signed_in: FlaskClient):
    app, cookie = signed_in.application, session_cookie(signed_in).value
    sessions = cast(Sessions, app.session_interface)
    for _ in range(3):
        kept, _ = sessions.read(app, cookie)
        assert "_flashes" not in kept
        kept["_flashes"] = ["said"]


def test_no_letter_of_a_cookie_can_be_another_one(signed_in: FlaskClient):
    app, cookie = signed_in.application, session_cookie(signed_in).value
    sessions = cast(Sessions, app.session_interface)
    assert sessions.read(app, cookie)[0]
    other = {place: f"{cookie[:place]}{'a' if cookie[place] != 'a' else 'b'}{cookie[place + 1 :]}" for place in (0, -5)}
    for changed in (*other.values(), f"{cookie}A"):
        assert sessions.read(app, changed) == ({}, 0)


def test_it_ends_after_30_days_without_a_visit(steady, signed_in: FlaskClient):
    for days in (29, 29):
        steady(days * DAY)
        assert is_signed_in(signed_in)
    steady(31 * DAY)
    assert not is_signed_in(signed_in)


def test_it_ends_after_90_days_however_often_it_was_used(steady, signed_in: FlaskClient):
    for _ in range(4):
        steady(22 * DAY)
        assert is_signed_in(signed_in)
    steady(3 * DAY)
    assert not is_signed_in(signed_in)
    sign_in(signed_in)
    steady(3 * DAY)
    assert is_signed_in(signed_in)


def test_signing_out_takes_the_cookie_away_and_says_what_ended(signed_in: FlaskClient):
    page = signed_in.post("/sign-out", follow_redirects=True).text
    assert "You are signed out, here and on all your other devices." in page
    assert session_cookie(signed_in) is None
    assert not is_signed_in(signed_in)


def test_signing_out_ends_the_session_at_the_server(locked_app: WebApp, signed_in: FlaskClient):
    thief, cookie = locked_app.test_client(), session_cookie(signed_in)
    thief.set_cookie(cookie.key, cookie.value)
    assert is_signed_in(thief)
    signed_in.post("/sign-out")
    assert not is_signed_in(thief)


def test_where_the_disk_is_full_the_browser_is_signed_out_and_told_that_others_are_not(
    locked_app: WebApp, signed_in: FlaskClient, monkeypatch
):
    elsewhere, cookie = locked_app.test_client(), session_cookie(signed_in)
    elsewhere.set_cookie(cookie.key, cookie.value)

    def full(*_: object) -> None:
        raise StorageFull("There is no room left.", "Free some space.")

    monkeypatch.setattr(accounts, "end_sessions", full)
    answer = signed_in.post("/sign-out")
    assert answer.status_code == 507
    assert "on other devices you are not. There is no room left." in answer.text
    assert ">Sign out<" not in answer.text
    assert not is_signed_in(signed_in) and is_signed_in(elsewhere)


def test_a_cookie_is_no_other_accounts_after_a_restore(locked_app: WebApp, locked_settings, tmp_path: Path):
    """Ids start again with the backup: who is added after it gets one that somebody else had."""

    def add(app: WebApp, email: str) -> None:
        fields = NewAccount.model_validate({"email": email, "password": PASSWORD})
        with app.instance.database.write() as session:
            accounts.add_account(session, fields, hashed(fields.password))

    snapshot(locked_app.instance.storage, tmp_path / "backup.db", held=locked_app.instance.using())
    add(locked_app, "bob@example.com")
    bob = locked_app.test_client()
    sign_in(bob, "bob@example.com")
    cookie = session_cookie(bob)
    locked_app.instance.stop()
    restore(tmp_path / "backup.db", locked_app.instance.storage)
    again = create_app(locked_settings)
    add(again, "carol@example.com")
    browser = again.test_client()
    browser.set_cookie(cookie.key, cookie.value)
    assert browser.get("/account").status_code == 303
    again.instance.stop()


# --- what no cookie goes with --------------------------------------------------------------------------------


def test_what_is_static_takes_and_brings_no_cookie(steady, signed_in: FlaskClient):
    signed_in.post("/accounts", data={"email": "bob@example.com", "password": PASSWORD})  # and a notice waits
    steady(2 * DAY)
    for path in ("/static/style.css", "/static/missing.css"):
        answer = signed_in.get(path)
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
        answer.close()
    assert "bob@example.com can sign in now." in signed_in.get("/accounts").text


# --- after the upgrade to schema 0003 ------------------------------------------------------------------------


def older_cookie(app: WebApp, **kept: str) -> str:
    """As the version before made it."""
    serializer = app.session_interface.get_signing_serializer(app)  # pyright: ignore[reportAttributeAccessIssue]
    return serializer.dumps({"_permanent": True, "_user_id": "1:0", "_fresh": True, **kept})


def test_a_session_of_before_is_not_believed_and_the_sign_in_page_says_why(locked_app: WebApp, stranger: FlaskClient):
    stranger.set_cookie("task_assist", older_cookie(locked_app))
    page = stranger.get("/", follow_redirects=True).text
    assert "Task Assist was updated, and that has ended the sessions of before." in page
    sign_in(stranger)
    assert stranger.get_cookie("task_assist") is None
    assert is_signed_in(stranger)


def test_another_apps_cookie_of_that_name_is_neither_told_of_nor_taken_away(stranger: FlaskClient):
    stranger.set_cookie("task_assist", "eyJfdXNlcl9pZCI6IjE6MCJ9.aA.x")
    assert "was updated" not in stranger.get("/", follow_redirects=True).text
    sign_in(stranger)
    assert stranger.get_cookie("task_assist") is not None


# --- beside other apps on the same host ---------------------------------------------------------------------


@pytest.mark.parametrize("foreign", ["x", "1:0|abc", "1:0|\xe9"])
def test_another_apps_remember_token_changes_nothing_and_stays(stranger: FlaskClient, token, foreign: str):
    stranger.set_cookie("remember_token", foreign)
    before = stranger.get_cookie("remember_token")
    assert stranger.get("/api/v1/me", headers=token("read")).status_code == 200
    assert stranger.get("/").location == "/sign-in"
    sign_in(stranger)
    assert is_signed_in(stranger)
    stranger.post("/sign-out")
    assert stranger.get_cookie("remember_token") == before


def test_another_task_assist_on_the_same_host_signs_nobody_out(signed_in: FlaskClient, tmp_path: Path):
    """Browsers send a host's cookies to whatever listens there, on any port."""
    settings = {"DATABASE_PATH": str(tmp_path / "other.db"), "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD}
    other = create_app(load(settings))
    there, here = other.test_client(), session_cookie(signed_in)
    there.set_cookie(here.key, here.value)
    sign_in(there)
    kept = there.get_cookie(here.key)
    assert is_signed_in(there) and kept and kept.value == here.value
    other.instance.stop()
