"""Signing in: the first account, wrong passwords, too many tries, stale cookies, and sign-in switched off."""

import re
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from app import create_app
from app.domain import accounts
from app.domain.passwords import hashed
from app.domain.schemas import NewAccount
from app.settings import load
from app.web.context import WebApp
from app.web.sign_in import prepare_first_account
from tests.app.conftest import EMAIL, PASSWORD


def sign_in(client, email: str = EMAIL, password: str = PASSWORD, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


# --- the first account ------------------------------------------------------------------------------------


class EmptyApp(NamedTuple):
    """Sign-in is on and there is no account; the code stands in the log."""

    app: WebApp
    logged_code: str


@pytest.fixture
def empty(tmp_path):
    with capture_logs() as logs:
        made = create_app(load({"DATABASE_PATH": str(tmp_path / "a.db")}))
    logged = re.search(r"set-up code: (\w{4}-\w{4})", str(logs))
    assert logged
    yield EmptyApp(made, logged[1])
    made.instance.stop()


def set_up(client, code: str, email: str = EMAIL, password: str = PASSWORD):
    return client.post("/setup", data={"code": code, "email": email, "password": password})


def test_the_code_in_the_log_makes_the_first_account_once(empty: EmptyApp):
    client, code = empty.app.test_client(), empty.logged_code
    assert client.get("/").location == "/setup"
    assert set_up(client, code.lower()).status_code == 303
    assert client.get("/").status_code == 200, "signed in at once"
    assert client.get("/accounts").status_code == 200, "as an admin"
    other = empty.app.test_client()
    assert set_up(other, code, "eve@example.com").location == "/sign-in"
    assert sign_in(other, "eve@example.com").status_code == 422


def test_the_code_ends_where_the_account_was_made_at_another_instance_meanwhile(empty: EmptyApp):
    with empty.app.instance.database.write() as session:
        fields = NewAccount.model_validate({"email": EMAIL, "password": PASSWORD, "role": "admin"})
        accounts.add_first_account(session, fields, hashed(fields.password))
    prepare_first_account(empty.app, empty.app.instance.database)  # as when it gets the database back
    assert empty.app.test_client().get("/").location.startswith("/sign-in")
    assert sign_in(empty.app.test_client()).location == "/"


def test_the_code_ends_with_the_first_account_wherever_that_was_made(empty: EmptyApp):
    client = empty.app.test_client()
    assert client.get("/").location == "/setup"
    fields = NewAccount.model_validate({"email": EMAIL, "password": PASSWORD})
    with empty.app.instance.database.write() as session:
        accounts.add_first_account(session, fields, hashed(fields.password))
    assert client.get("/setup").location == "/sign-in"
    assert client.get("/").location == "/sign-in"
    assert sign_in(client).location == "/"


def test_who_has_handed_the_database_over_sends_nobody_to_a_code_of_before(empty: EmptyApp):
    """The account may be made at the other instance by now."""
    empty.app.instance.stop()
    for path in ("/", "/setup", "/sign-in"):
        assert empty.app.test_client().get(path).status_code == 503


def test_a_wrong_code_makes_no_account_and_guessing_is_stopped(empty: EmptyApp):
    client = empty.app.test_client()
    answers = [set_up(client, "AAAA-AAAA").status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert set_up(client, empty.logged_code).status_code == 429


@pytest.mark.parametrize(("email", "password"), [("ann", PASSWORD), (EMAIL, "short"), ("", "")])
def test_what_was_typed_wrong_stays_in_the_form(empty: EmptyApp, email: str, password: str):
    answer = set_up(empty.app.test_client(), empty.logged_code, email, password)
    assert answer.status_code == 422
    assert f'value="{email}"' in answer.text
    assert not password or password not in answer.text


def test_the_settings_make_the_first_account_and_only_that(locked_app: WebApp, locked_settings):
    locked_app.instance.stop()
    changed = load({"DATABASE_PATH": str(locked_settings.database_path), "ADMIN_EMAIL": "eve@example.com",
                    "ADMIN_PASSWORD": PASSWORD})  # fmt: skip
    again = create_app(changed)
    with again.instance.database.read() as session:
        assert [account.email for account in accounts.list_accounts(session)] == [EMAIL]
    again.instance.stop()


# --- signing in and out -----------------------------------------------------------------------------------


def test_signing_in_leads_back_to_the_page_that_asked(stranger):
    asked = stranger.get("/?q=milk&status=done")
    assert asked.location == "/sign-in?next=/?q%3Dmilk%26status%3Ddone"
    assert sign_in(stranger, next="/?q=milk&status=done").location == "/?q=milk&status=done"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/\t/evil", "/" + "e" * 5000]
)
def test_signing_in_leads_nowhere_else(stranger, elsewhere: str):
    assert sign_in(stranger, next=elsewhere).location == "/"


def test_the_email_may_be_typed_in_any_case(stranger):
    assert sign_in(stranger, EMAIL.upper()).status_code == 303


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong"), ("eve@example.com", PASSWORD), ("", "")])
def test_a_wrong_password_and_an_unknown_account_read_the_same(stranger, email: str, password: str):
    answer = sign_in(stranger, email, password)
    assert answer.status_code == 422
    assert "don&#39;t fit together" in answer.text
    assert stranger.get("/").status_code == 303


def test_signing_out_ends_the_session(signed_in):
    assert signed_in.post("/sign-out").status_code == 303
    assert signed_in.get("/").status_code == 303


def test_a_new_password_signs_out_everywhere_else(locked_app: WebApp, signed_in):
    elsewhere = locked_app.test_client()
    sign_in(elsewhere)
    new = "another long password"
    changed = signed_in.post("/account/password", data={"current": PASSWORD, "password": new})
    assert changed.status_code == 303
    assert signed_in.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 303
    assert sign_in(elsewhere, password=new).status_code == 303


def test_a_deleted_account_is_signed_out_and_its_tokens_end(locked_app: WebApp, stranger, token):
    headers, its_browser = token("write", "member"), locked_app.test_client()
    assert sign_in(its_browser, "write@member.example").location == "/"
    with locked_app.instance.database.write() as session:
        accounts.delete_account(session, accounts.find_account(session, "write@member.example").id)  # type: ignore[union-attr]
    assert stranger.get("/api/v1/work-items", headers=headers).status_code == 401
    assert its_browser.get("/").status_code == 303


# --- sign-in switched off ---------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "LOCALHOST"])
def test_without_sign_in_localhost_is_answered(client, host: str):
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["tasks.example.com", "192.168.1.5:8000", "localhost.evil.example", "127.0.0.1.evil.example", "[::2]:8000"]
)
def test_without_sign_in_nobody_else_is(client, host: str):
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 403
    assert "AUTH_DISABLED=false" in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "Via"])
def test_without_sign_in_a_forwarded_request_is_refused_but_for_health(client, header: str):
    assert client.get("/", headers={header: "for=1.2.3.4"}).status_code == 403
    assert client.get("/healthz", headers={header: "for=1.2.3.4", "Host": "10.0.0.1"}).status_code == 200


def test_without_sign_in_there_are_no_accounts(client):
    assert client.get("/account").status_code == 404
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/1")):
        asked = {"name": "a", "password": PASSWORD} if method == "POST" else None
        assert client.open(f"/api/v1/tokens{path}", method=method, json=asked).status_code == 409


# --- accounts ---------------------------------------------------------------------------------------------


def test_an_admin_adds_an_account_and_it_can_sign_in(locked_app: WebApp, signed_in):
    made = signed_in.post("/accounts", data={"email": "bob@example.com", "password": PASSWORD, "role": "member"})
    assert made.status_code == 303
    bob = locked_app.test_client()
    assert sign_in(bob, "bob@example.com").status_code == 303
    assert bob.get("/").status_code == 200
    assert bob.get("/accounts").status_code == 403
    assert bob.post("/accounts", data={"email": "c@example.com", "password": PASSWORD}).status_code == 403


def test_the_last_admin_stays(signed_in):
    for address, data in (("/accounts/1/delete", {}), ("/accounts/1/role", {"role": "member"})):
        answer = signed_in.post(address, data=data)
        assert answer.status_code == 409
        assert "the last admin" in answer.text
