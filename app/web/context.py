"""What a request works with: the open database, the settings, today's date, and who asks."""

import time
from datetime import date, datetime

from flask import Flask, current_app, g, request
from flask_login import current_user

from app.database.engine import Database
from app.errors import Standby
from app.settings import Settings
from app.writer.instance import Instance

WAIT_UNTIL = "task_assist.wait_until"
"""In a request's environ: the moment (time.monotonic) until which it may wait for a hand-over."""


def init(app: Flask, instance: Instance) -> None:
    app.extensions["instance"] = instance
    app.teardown_appcontext(_leave_database)


def instance() -> Instance:
    return current_app.extensions["instance"]


def database() -> Database:
    """The open database, from the first call until the request ends. Raises Standby where another instance has it."""
    if "standby" in g:
        # The page that says so asks again who is signed in; it must not wait again.
        raise g.standby
    if "database" not in g:
        until = request.environ.get(WAIT_UNTIL)
        try:
            g.database = instance().enter(None if until is None else max(0.0, until - time.monotonic()))
        except Standby as standby:
            g.standby = standby
            raise
    return g.database


def _leave_database(_error: BaseException | None) -> None:
    if g.pop("database", None):
        instance().leave()


def settings() -> Settings:
    return current_app.extensions["settings"]


def today() -> date:
    """Today's date in the time zone of TZ."""
    return datetime.now(settings().zone).date()


def current_user_id() -> int | None:
    """The id of the account that is signed in, None for the local user while sign-in is off."""
    return current_user.id
