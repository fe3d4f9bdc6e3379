"""The session cookie lives as long as the database has seen it live, whatever the machine's clock says."""

import time

import pytest
from flask.testing import FlaskClient

from app.database import seen_time
from app.web.security import SESSION_DAYS

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
    assert signed_in.get_cookie("task_assist") is None
    assert not is_signed_in(signed_in)
