"""The session cookie lives as long as the database has seen it live, whatever the machine's clock says."""

import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.database import seen_time
from app.settings import load
from app.web.security import SESSION_DAYS
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


def test_it_ends_after_30_days_without_a_visit(steady, signed_in: FlaskClient):
    for days in (29, 29):
        steady(days * DAY)
        assert is_signed_in(signed_in)
    steady(31 * DAY)
    assert not is_signed_in(signed_in)


def test_signing_out_takes_the_cookie_away(signed_in: FlaskClient):
    assert signed_in.post("/sign-out").status_code == 303
    assert session_cookie(signed_in) is None
    assert not is_signed_in(signed_in)


# --- beside other apps on the same host ---------------------------------------------------------------------


@pytest.mark.parametrize("foreign", ["x", "1:0|abc", "1:0|\xe9"])
def test_another_apps_remember_token_changes_nothing_and_stays(stranger: FlaskClient, token, foreign: str):
    stranger.set_cookie("remember_token", foreign)
    before = stranger.get_cookie("remember_token")
    assert stranger.get("/api/v1/me", headers=token("read")).status_code == 200
    assert stranger.get("/").location == "/sign-in"
    stranger.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    assert is_signed_in(stranger)
    stranger.post("/sign-out")
    assert stranger.get_cookie("remember_token") == before


def test_another_task_assist_on_the_same_host_signs_nobody_out(signed_in: FlaskClient, tmp_path: Path):
    """Browsers send a host's cookies to whatever listens there, on any port."""
    settings = {"DATABASE_PATH": str(tmp_path / "other.db"), "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD}
    other = create_app(load(settings))
    there, here = other.test_client(), session_cookie(signed_in)
    there.set_cookie(here.key, here.value)
    there.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    kept = there.get_cookie(here.key)
    assert is_signed_in(there) and kept and kept.value == here.value
    other.instance.stop()
