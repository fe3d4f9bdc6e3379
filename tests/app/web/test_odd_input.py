"""Odd input to every route and field: never a 500, no email that a terminal obeys, no answer larger than asked."""

import io
import itertools
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app.domain import accounts
from app.domain.text_search import WORDS, mentions
from app.operations.serving.wsgi import call
from app.web.context import WebApp
from tests.app.conftest import EMAIL, PASSWORD
from tests.app.web.test_every_route import every_route

HOSTS = ("a..b", "", "[", "[::1", "a b", "\xff", "x" * 300, "localhost:99999", "localhost:x", "a@b", "..", "évil", "%")
ORIGINS = ("http://[", "http://", "null", "\xff", "http://a..b", "http://[::1]:x", "http://localhost:99999", "://")
COOKIES = (
    "a=\303",
    "\303=1",
    "task_assist=\303",
    'task_assist="\\303"',
    'task_assist="\\303\\251.a.b"',
    "task_assist=.\303.x",
    "task_assist=" + "9" * 5000 + ".x.y",
    'remember_token="\\303"',
    "remember_token=1|x",
    ";;=;",
)
OTHERS = (
    ("HTTP_IF_NONE_MATCH", '"\xff'),
    ("HTTP_IF_MATCH", "W/*"),
    ("HTTP_AUTHORIZATION", "Bearer \xff"),
    ("HTTP_AUTHORIZATION", "Basic ===="),
    ("HTTP_AUTHORIZATION", "Digest ="),
    ("HTTP_ACCEPT", ";q=\xff"),
    ("HTTP_RANGE", "bytes=\xff"),
    ("HTTP_IF_MODIFIED_SINCE", "Thu, 99 Foo 99999"),
    ("HTTP_SEC_FETCH_SITE", "\xff"),
    ("HTTP_HX_REQUEST", "\xff"),
    ("CONTENT_TYPE", "multipart/form-data"),
    ("CONTENT_TYPE", 'multipart/form-data; boundary="\xff"'),
    ("CONTENT_TYPE", "application/json; charset=\xff"),
    ("CONTENT_TYPE", "application/x-www-form-urlencoded; charset=x"),
    ("QUERY_STRING", "%"),
    ("QUERY_STRING", "q=%00&status=%ff&due=%ed%a0%80&priority[]=1&limit=" + "9" * 5000),
    ("QUERY_STRING", "next=//evil.example&next=%0d%0aX:1&offset=-1&after=%F0%9F"),
)
ODD = tuple(
    {name: value}
    for name, value in itertools.chain(
        zip(itertools.repeat("HTTP_HOST"), HOSTS, strict=False),
        zip(itertools.repeat("HTTP_ORIGIN"), ORIGINS, strict=False),
        zip(itertools.repeat("HTTP_COOKIE"), COOKIES, strict=False),
        OTHERS,
    )
)
TEXTS = (
    "\x1b]0;x\x07",
    "a\0b",
    "\ud800",
    "\u202e",
    "<script>alert(1)</script>",
    "x" * 30_000,
    "٣",
    "-1",
    "9" * 5000,
    "",
)
VALUES: tuple[Any, ...] = (*TEXTS, None, True, -1, 2**63, 10**400, 1e308, [], {}, [[]], {"a": {"b": []}})
FIELDS = (
    "title notes status priority due done position after email password role name scope current code next back seen to "
    "restore direction q"
).split()


def asked(app: Flask, method: str, path: str, body: bytes = b"", **given: str) -> tuple[int, dict[str, str], bytes]:
    """As the server hands it over: header values may hold any byte."""
    if "HTTP_COOKIE" in given:
        given["HTTP_COOKIE"] = given["HTTP_COOKIE"].replace("task_assist", app.config["SESSION_COOKIE_NAME"])
    environ = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True,
        "CONTENT_LENGTH": str(len(body)), "HTTP_HOST": "localhost:8000", **given,
    }  # fmt: skip
    status, headers, content = call(app.wsgi_app, environ)
    return status, dict(headers), content


def routes(app: Flask) -> list[tuple[str, str]]:
    return sorted({(method, path) for method, path, _ in every_route(app) if method != "HEAD"})


def test_no_header_is_an_error_of_ours_anywhere_without_sign_in(locked_app: Flask):
    for (method, path), odd in itertools.product(routes(locked_app), ODD):
        status, headers, _ = asked(locked_app, method, path, b"x=1" if method == "POST" else b"", **odd)
        assert status < 500, f"{method} {path} {odd} answered {status}"
        assert not urlsplit(headers.get("Location", "")).netloc, f"{method} {path} {odd} leads to {headers['Location']}"


@pytest.fixture
def as_admin(locked_app: WebApp, token) -> dict[str, str]:
    """Headers that sign in as an admin to the API."""
    return {"HTTP_AUTHORIZATION": token("admin")["Authorization"]}


def test_no_value_of_a_field_is_an_error_of_ours(locked_app: WebApp, as_admin: dict[str, str]):
    kind = {"CONTENT_TYPE": "application/json"}
    for method, path in routes(locked_app):
        if method not in ("POST", "PATCH") or not path.startswith("/api/"):
            continue
        for value in VALUES:
            body = locked_app.json.dumps(dict.fromkeys(FIELDS, value)).encode()
            assert asked(locked_app, method, path, body, **kind, **as_admin)[0] < 500, f"{method} {path} {value!r}"
        for field, value in itertools.product(("title", "email", "password", "name", "role"), VALUES):
            given = {"title": "a", "email": "b@example.com", "password": PASSWORD, "name": "c"}
            wanted = {"work-items": ("title",), "tasks": ("title",), "accounts": ("email", "password", "role"),
                      "tokens": ("name",)}.get(path.rsplit("/", 1)[-1], ())  # fmt: skip
            if field in wanted:
                body = locked_app.json.dumps({**{name: given[name] for name in wanted if name in given}, field: value})
                answered = asked(locked_app, method, path, body.encode(), **kind, **as_admin)[0]
                assert answered < 500, f"{method} {path} {field}={value!r} answered {answered}"


def test_no_field_of_a_form_is_an_error_of_ours(locked_app: WebApp, signed_in):
    for method, path in routes(locked_app):
        if method != "POST" or path.startswith("/api/") or path in ("/sign-out", "/accounts/1/delete"):
            continue
        for text in TEXTS:
            raw = text.encode("utf-8", "surrogatepass")
            answer = signed_in.post(path, data=dict.fromkeys(FIELDS, raw))
            assert answer.status_code < 500, f"{path} {text!r} answered {answer.status_code}"


def test_no_number_in_an_address_is_an_error_of_ours(locked_app: WebApp, as_admin):
    paths = ("/work-items/{}", "/api/v1/work-items/{}", "/api/v1/accounts/{}", "/api/v1/tokens/{}/x", "/static/{}")
    numbers = ("9" * 5000, str(2**63), "0", "-1", "٣", "1.0", "%00", "1\n", "\0", "..", "\\")
    for path, number in itertools.product(paths, numbers):
        address = path.format(number).encode().decode("latin-1")
        for method in ("GET", "POST", "DELETE"):
            status, _, _ = asked(locked_app, method, address, **as_admin)
            assert status < 500, f"{method} {path} {number!r} answered {status}"


def test_an_email_that_a_terminal_would_obey_is_refused(locked_app: WebApp, as_admin):
    for email in ("a\x1b[2J@b.example", "a\0@b.example", "a@b\x9b.example", "a\u202e@b.c", "\ud800@b"):
        body = locked_app.json.dumps({"email": email, "password": PASSWORD}).encode()
        kind = {"CONTENT_TYPE": "application/json", **as_admin}
        status, _, said = asked(locked_app, "POST", "/api/v1/accounts", body, **kind)
        assert status == 422, repr(email)
        assert b"An email address like" in said or b"A text." in said, repr(email)


def test_a_password_with_half_a_character_is_refused(locked_app: WebApp, as_admin):
    body = b'{"email": "b@example.com", "password": "long enough \\ud800 to be one"}'
    status, _, said = asked(locked_app, "POST", "/api/v1/accounts", body, CONTENT_TYPE="application/json", **as_admin)
    assert status == 422
    assert b"lone surrogate" in said


def test_no_redirect_leads_to_a_host_that_the_client_named(locked_app: Flask):
    for method, path in routes(locked_app):
        for spelled in (f"/{path}", path.replace("/", "//"), f"{path}/", f"{path}//"):
            _, headers, _ = asked(locked_app, method, spelled, HTTP_HOST="evil.example")
            assert "evil.example" not in headers.get("Location", ""), f"{method} {spelled}"


def test_as_many_keys_as_a_body_holds_get_a_short_answer(client):
    answer = client.post("/api/v1/work-items", json={f"k{n}": 1 for n in range(70_000)})
    assert answer.status_code == 413
    assert "100 keys" in answer.text
    assert len(answer.data) < 1000


def test_no_answer_is_larger_than_a_person_would_read(client):
    keys = {f"k{n}": 1 for n in range(50_000)}
    for body in ({"k" * 50_000: 1}, dict(list(keys.items())[:99]), {"title": keys}):
        answer = client.post("/api/v1/work-items", json=body)
        assert answer.status_code == 422
        assert len(answer.data) < 4000


def test_thousands_of_words_in_the_address_get_a_short_answer(client):
    answer = client.get("/api/v1/work-items?" + "&".join(f"k{n}" for n in range(2000)))
    assert answer.status_code == 422
    assert len(answer.data) < 4000


def test_signing_in_with_odd_words_is_only_wrong(stranger):
    for text in TEXTS:
        raw = text.encode("utf-8", "surrogatepass")
        answer = stranger.post("/sign-in", data={"email": raw, "password": raw})
        assert answer.status_code in (422, 429), repr(text)
    assert stranger.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 303


def test_of_a_hundred_words_the_first_ten_are_looked_for(client):
    """So the time that one search takes is bounded, whatever is typed."""
    assert client.get("/?q=" + "+".join(f"{n:02}" for n in range(1, 67))).status_code == 200
    statement = str(mentions(" ".join(f"{n:02}" for n in range(1, 100))).compile())
    assert statement.count(" IN (") == WORDS
    assert client.get("/?q=" + "+".join(f"{n:02}" for n in range(1, 100))).status_code == 422, (
        "more than 200 characters"
    )


def test_no_account_has_an_email_that_is_no_text(locked_app: WebApp):
    """As a command gives it that was typed with a stray byte."""
    with locked_app.instance.database.read() as session:
        assert accounts.find_account(session, "a\udcff@example.com") is None
