"""What a request works with."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import create_app
from app.database.deadline import seconds_left, waits_until
from app.database.engine import Database
from app.settings import load
from app.web import context


@pytest.mark.parametrize(("zone", "today"), [("Pacific/Kiritimati", 2), ("UTC", 1), ("Pacific/Pago_Pago", 28)])
def test_today_is_the_date_in_the_time_zone_of_tz(monkeypatch, tmp_path: Path, zone: str, today: int):
    """At 10:30 UTC it is 00:30 of the next day on Kiritimati (UTC+14), and 23:30 of the day before on Pago Pago."""

    class BeforeEleven(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 3, 1, 10, 30, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(context, "datetime", BeforeEleven)
    app = create_app(load({"DATABASE_PATH": str(tmp_path / "a.db"), "AUTH_DISABLED": "true", "TZ": zone}))
    with app.app_context():
        assert context.today().day == today
    app.instance.stop()


def test_the_wait_for_a_hand_over_takes_nothing_of_that_for_the_database(app: context.WebApp, monkeypatch):
    enter = app.instance.enter

    def handed_over(wait: float | None) -> Database:
        time.sleep(0.05)
        return enter(wait)

    monkeypatch.setattr(app.instance, "enter", handed_over)
    with app.test_request_context(), waits_until(time.monotonic() + 0.04):
        context.database()
        assert seconds_left() > 0
