"""What a request works with: the app's own parts, the open database, today's date, and who asks."""

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, cast

from flask import Flask, current_app, g, request

from app.database.deadline import extend_deadline
from app.database.engine import Database
from app.database.group_commit import when_committed
from app.domain import accounts
from app.errors import Problem
from app.settings import Settings
from app.web.client_address import ClientAddress
from app.web.routing import Route, Routes
from app.web.this_machine import this_machine
from app.web.throttle import Throttle
from app.writer.instance import Instance

WAIT_UNTIL = "task_assist.wait_until"
"""In a request's environ: the moment (time.monotonic) until which it may wait for a hand-over."""


class WebApp(Flask):
    """Flask's app, with what its requests work with. The caller of create_app ends it: `app.instance.stop()`."""

    url_map_class, url_rule_class = Routes, Route

    def __init__(self, settings: Settings, instance: Instance) -> None:
        super().__init__("app.web")
        self.settings = settings
        self.instance = instance
        self.setup_code: str | None = None
        """See setup_code()."""
        self.client_address: ClientAddress | None = None
        """Where proxies stand in front."""
        self.throttle = Throttle()
        self.this_machine = this_machine()
        """Who is answered while sign-in is off."""
        self.noted_uses: dict[int, date] = {}
        """By the id of an API token: the day on which its use was last noted."""
        self.json.sort_keys = False  # type: ignore[attr-defined]
        self.teardown_appcontext(_leave_database)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No function here is async, and Flask would look at each of them, eleven times a request."""
        return func


def web_app() -> WebApp:
    """The app that this request came to."""
    return cast(WebApp, current_app)


def database() -> Database:
    """The open database, from the first call until the request ends.

    Raises Standby where another instance has it, and what is wrong with it where that keeps it closed.
    """
    if "closed" in g:
        # The page that says so asks again who is signed in; it must not wait again.
        raise g.closed
    if "database" not in g:
        until, began = request.environ.get(WAIT_UNTIL), time.monotonic()
        try:
            g.database = web_app().instance.enter(None if until is None else max(0.0, until - began))
            extend_deadline(time.monotonic() - began)
        except Problem as why:
            g.closed = why
            raise
    return g.database


def _leave_database(_error: BaseException | None) -> None:
    if g.pop("database", None):
        leave = web_app().instance.leave
        when_committed(lambda _saved: leave())


def setup_code() -> str | None:
    """What makes the first account in the browser; None once there is one, at whatever instance it was made."""
    app = web_app()
    if app.setup_code:
        with database().read_columns() as connection:
            if accounts.count_accounts(connection):
                app.setup_code = None
    return app.setup_code


def today() -> date:
    """Today's date in the time zone of TZ."""
    return datetime.now(web_app().settings.zone).date()


def current_user_id() -> int | None:
    """The id of the account that is signed in, None for the local user while sign-in is off."""
    return g.person.id
