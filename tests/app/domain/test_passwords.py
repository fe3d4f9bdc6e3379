"""A password is hashed while nobody waits to write: never inside of a writing transaction."""

from collections.abc import Callable
from threading import Thread

import pytest
from argon2 import PasswordHasher

from app import create_app
from app.domain import passwords
from app.domain.schemas import NewAccount
from app.operations.control.control_commands import new_password
from app.settings import LONGEST_PASSWORD, load
from app.web.auth import HASHING
from app.web.context import WebApp
from tests.app.conftest import EMAIL, PASSWORD

NEW = "another long password"


class Watched:
    """A hasher that looks each time whether somebody else could write meanwhile."""

    def __init__(self, app: WebApp) -> None:
        self._app, self._hasher = app, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.could_write: list[bool] = []

    def hash(self, password: str) -> str:
        self._look()
        return self._hasher.hash(password)

    def verify(self, kept: str, password: str) -> bool:
        self._look()
        return self._hasher.verify(kept, password)

    def _look(self) -> None:
        def write() -> None:
            with self._app.instance.database.write():
                written.append(True)

        written: list[bool] = []
        writing = Thread(target=write)
        writing.start()
        writing.join(1)
        self.could_write.append(bool(written))


@pytest.fixture
def watched(monkeypatch, locked_app) -> Watched:
    hasher = Watched(locked_app)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    return hasher


FORMS = {
    "/sign-in": {"email": EMAIL, "password": PASSWORD},
    "/account/password": {"current": PASSWORD, "password": NEW},
    "/accounts": {"email": "bob@example.com", "password": PASSWORD},
}


@pytest.mark.parametrize("path", FORMS)
def test_a_form_hashes_before_it_takes_its_turn_among_the_writers(watched: Watched, locked_app, signed_in, path: str):
    client = locked_app.test_client() if path == "/sign-in" else signed_in
    watched.could_write.clear()
    assert client.post(path, data=FORMS[path]).status_code == 303
    assert watched.could_write and all(watched.could_write)
    assert path.startswith(HASHING)


def test_each_of_a_thousand_characters_counts_as_it_was_typed():
    longest = " \tä" + "é" * (LONGEST_PASSWORD - 4) + "\u00a0"
    kept = passwords.hashed(NewAccount.model_validate({"email": EMAIL, "password": longest}).password)
    assert passwords.password_fits(kept, longest)
    for other in (longest[:-1], longest[:-1] + " ", longest.lstrip(), longest.replace("ä", "a\u0308")):
        assert not passwords.password_fits(kept, other)


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/accounts"), ("PATCH", "/api/v1/accounts/1")])
def test_so_does_the_api(watched: Watched, signed_in, method: str, path: str):
    watched.could_write.clear()
    fields = {"password": NEW} | ({"email": "bob@example.com"} if method == "POST" else {})
    assert signed_in.open(path, method=method, json=fields).status_code < 300
    assert watched.could_write == [True]
    assert path.startswith(HASHING)


def test_so_does_the_command(watched: Watched, locked_app):
    new_password(locked_app.instance.database, EMAIL)
    assert watched.could_write == [True]


def test_so_does_the_set_up_with_a_code(monkeypatch, tmp_path):
    app = create_app(load({"DATABASE_PATH": str(tmp_path / "a.db")}))
    watched = Watched(app)
    monkeypatch.setattr(passwords, "_HASHER", watched)
    fields = {"code": app.setup_code, "email": EMAIL, "password": PASSWORD}
    assert app.test_client().post("/setup", data=fields).status_code == 303
    assert watched.could_write == [True]
    app.instance.stop()


def test_a_password_that_was_changed_meanwhile_is_not_changed_again(monkeypatch, locked_app, signed_in):
    def and_meanwhile(change: Callable[[], object]):
        def hashed(password):
            change()
            return passwords.hashed(password)

        return hashed

    change = and_meanwhile(lambda: new_password(locked_app.instance.database, EMAIL))
    monkeypatch.setattr("app.web.pages.account_page.hashed", change)
    answer = signed_in.post("/account/password", data=FORMS["/account/password"])
    assert answer.status_code == 403
    fits = locked_app.test_client().post("/sign-in", data={"email": EMAIL, "password": NEW})
    assert fits.status_code == 422, "the reset password stays"


def test_changing_the_password_again_and_again_is_limited(signed_in):
    """Each costs two hashes, and a stranger at an open screen could guess the password."""
    tries = [signed_in.post("/account/password", data={"current": "?", "password": NEW}) for _ in range(11)]
    assert [answer.status_code for answer in tries] == [403] * 10 + [429]
    assert tries[-1].headers["Retry-After"]
