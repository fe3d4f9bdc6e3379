"""The app on a database of its own, for each test."""

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.database.engine import Database
from app.domain.schemas import NewAccount, NewToken
from app.settings import Settings, load
from app.web.context import WebApp
from app.web.throttle import Throttle

EMAIL, PASSWORD = "ann@example.com", "a long enough password"


@pytest.fixture(autouse=True)
def umask_as_it_was() -> Iterator[None]:
    """The commands make all they write private; the tests that come later in this process must not."""
    umask = os.umask(0o022)
    os.umask(umask)
    yield
    os.umask(umask)


@pytest.fixture(autouse=True)
def as_quick_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that gives way to requests (backup --if-due) would slow the tests that come later in this process."""
    monkeypatch.setattr(os, "nice", lambda _: 0)


@pytest.fixture(autouse=True)
def guesses_wait_however_slow_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where to hash takes a second, the second that a try has to wait for is over before the test can see it."""
    monkeypatch.setattr("app.web.context.Throttle", partial(Throttle, lambda: 1000.0))


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where the app makes its socket. Not below tmp_path: the path of a socket has at most 107 characters.

    tmp_path is asked for first, because pytest makes its own folder where it finds the place for temporary ones then.
    """
    with tempfile.TemporaryDirectory(prefix="ta-") as folder:
        monkeypatch.setattr(tempfile, "gettempdir", lambda: folder)
        yield Path(folder)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Sign-in is off, as on a laptop."""
    return load({"DATABASE_PATH": str(tmp_path / "task_manager.db"), "AUTH_DISABLED": "true"})


@pytest.fixture
def app(settings: Settings):
    made = create_app(settings)
    yield made
    made.instance.stop()


@pytest.fixture
def client(app: WebApp) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def database(app: WebApp) -> Database:
    return app.instance.database


@pytest.fixture
def locked_settings(settings: Settings) -> Settings:
    """Sign-in is on, and the first account comes from the settings."""
    path = str(settings.database_path)
    return load({"DATABASE_PATH": path, "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD})


@pytest.fixture
def locked_app(locked_settings: Settings):
    made = create_app(locked_settings)
    yield made
    made.instance.stop()


@pytest.fixture
def stranger(locked_app: WebApp) -> FlaskClient:
    """A client that nobody has signed in with."""
    return locked_app.test_client()


@pytest.fixture
def signed_in(locked_app: WebApp) -> FlaskClient:
    """The admin's browser."""
    client = locked_app.test_client()
    assert client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 303
    return client


def session_cookie(client: FlaskClient) -> Any:
    """That of a browser at an app that is reached by http; None where it has none."""
    return client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])


@pytest.fixture
def token(locked_app: WebApp):
    """Makes an API token of the scope that is asked for, of a new account with the role."""
    from app.domain import accounts, tokens
    from app.domain.passwords import hashed

    def make(scope: str, role: str = "admin") -> dict[str, str]:
        new = NewAccount.model_validate({"email": f"{scope}@{role}.example", "password": PASSWORD, "role": role})
        password = hashed(new.password)
        with locked_app.instance.database.write() as session:
            account = accounts.add_account(session, new, password)
            fields = NewToken.model_validate({"name": scope, "scope": scope})
            _, plain = tokens.add_token(session, account.id, fields, proven=password)
        return {"Authorization": f"Bearer {plain}"}

    return make
