"""Cross-site requests, cookies, headers, and the session secret."""

import os
from pathlib import Path

import pytest
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from app import create_app
from app.errors import CannotStart, Forbidden
from app.settings import load
from app.storage.mounts import Storage, storage_under
from app.web import security
from app.web.context import WebApp
from app.web.security import refuse_cross_site, session_secret
from tests.app.conftest import EMAIL, PASSWORD, session_cookie


def add(client, **headers: str) -> int:
    return client.post("/work-items", data={"title": "milk"}, headers=headers).status_code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),  # not a browser
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://[::1"}, 403),
    ],
)
def test_a_change_that_another_site_asks_for_is_refused(client, headers: dict[str, str], status: int):
    assert add(client, **headers) == status


def test_reading_is_never_refused(client):
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_behind_a_gateway_that_rewrites_host_the_public_url_counts(tmp_path: Path):
    app = create_app(load({"DATABASE_PATH": str(tmp_path / "a.db"), "AUTH_DISABLED": "true",
                           "PUBLIC_URL": "https://Tasks.example.com"}))  # fmt: skip
    assert add(app.test_client(), Origin="https://tasks.example.com") == 303
    assert add(app.test_client(), Origin="http://tasks.example.com") == 403
    app.instance.stop()


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {"Origin": "http://localhost"}, 303),
        ({}, {"Origin": "https://localhost"}, 303),  # a proxy in front speaks https, and nobody told the app
        ({"PUBLIC_URL": "https://tasks.example.com"}, {"Origin": "http://localhost"}, 403),
        ({"PUBLIC_URL": "https://tasks.example.com"}, {"Origin": "https://localhost"}, 303),
        ({"PUBLIC_URL": "http://tasks.example.com"}, {"Origin": "http://tasks.example.com"}, 303),
        ({"TRUSTED_PROXIES": "1"}, {"Origin": "http://localhost", "X-Forwarded-Proto": "https"}, 403),
        ({"TRUSTED_PROXIES": "1"}, {"Origin": "https://localhost", "X-Forwarded-Proto": "https"}, 303),
        ({"TRUSTED_PROXIES": "1"}, {"Origin": "http://localhost", "X-Forwarded-Proto": "http"}, 303),
        ({}, {"Origin": "ftp://localhost"}, 403),
    ],
)
def test_a_page_that_came_by_http_changes_nothing_where_people_come_by_https(settings, headers, status: int):
    made = Flask("asked")
    if "TRUSTED_PROXIES" in settings:
        made.wsgi_app = ProxyFix(made.wsgi_app, x_for=0, x_proto=1)
    made.before_request(lambda: refuse_cross_site(request, load(settings)))
    made.register_error_handler(Forbidden, lambda _refused: ("", 403))
    made.add_url_rule("/", view_func=lambda: ("", 303), methods=["POST"])
    assert made.test_client().post("/", headers=headers).status_code == status


def test_every_answer_carries_the_headers(client):
    for path in ("/", "/healthz", "/static/style.css", "/nowhere", "/api/v1/work-items"):
        with client.get(path) as answer:
            headers = answer.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("more", "headers", "secure"),
    [
        ({}, {}, False),
        ({"PUBLIC_URL": "https://tasks.example.com"}, {}, True),
        ({"TRUSTED_PROXIES": "1"}, {"X-Forwarded-Proto": "https"}, True),
        ({}, {"X-Forwarded-Proto": "https"}, False),
    ],
)
def test_the_cookies_are_secure_behind_https(tmp_path: Path, more, headers, secure: bool):
    app = create_app(load({"DATABASE_PATH": str(tmp_path / "a.db"), "ADMIN_EMAIL": EMAIL,
                           "ADMIN_PASSWORD": PASSWORD, **more}))  # fmt: skip
    answer = app.test_client().post("/sign-in", data={"email": EMAIL, "password": PASSWORD}, headers=headers)
    *devices, session = cookies = answer.headers.getlist("Set-Cookie")
    assert len(devices) == 2, "one for each path"
    for cookie in cookies:
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
        assert ("; Secure" in cookie) is secure
    assert all(device.startswith("__Secure-") is secure for device in devices)
    assert session.startswith("__Host-") is secure
    assert ("Strict-Transport-Security" in answer.headers) is secure
    app.instance.stop()


def test_a_body_of_more_than_a_megabyte_is_refused(client):
    answer = client.post("/work-items", data={"title": "x" * (1 << 20) + "x"})
    assert answer.status_code == 413
    assert "1 MB" in answer.text


# --- the session secret -----------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Storage:
    return storage_under(tmp_path / "task_manager.db")


def test_the_secret_is_made_once_for_its_own_user_alone(place: Storage):
    secret = session_secret(place)
    file = place.path.with_name("task_manager.secret")
    assert session_secret(place) == secret == file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(secret) == 64


def test_sessions_outlive_a_restart(locked_app: WebApp, signed_in, locked_settings):
    cookie = session_cookie(signed_in)
    locked_app.instance.stop()
    again = create_app(locked_settings)
    client = again.test_client()
    client.set_cookie(cookie.key, cookie.value)
    assert client.get("/").status_code == 200
    again.instance.stop()


def test_where_the_mode_cannot_be_kept_that_is_said_and_the_app_goes_on(monkeypatch, place: Storage):
    warnings: list[str] = []
    monkeypatch.setattr(security.log, "warning", warnings.append)
    real = os.fstat

    class Share:
        st_mode = 0o100777

    monkeypatch.setattr(os, "fstat", lambda descriptor: Share() if warnings == [] else real(descriptor))
    assert len(session_secret(place)) == 64
    assert "can't keep" in warnings[0]


@pytest.mark.parametrize("left", [b"shopping", b"\xff\xfe binary"])
def test_a_damaged_secret_is_told_with_what_to_type(monkeypatch, place: Storage, left: bytes):
    monkeypatch.setattr(security.time, "sleep", lambda seconds: None)
    place.secret.write_bytes(left)
    with pytest.raises(CannotStart, match=r"rm .*task_manager\.secret"):
        session_secret(place)


@pytest.mark.parametrize("left", ["", "0123abcd", "\0" * 64])
def test_a_secret_that_a_killed_start_did_not_write_is_made_anew(monkeypatch, place: Storage, left: str):
    monkeypatch.setattr(security.time, "sleep", lambda seconds: None)
    place.secret.write_text(left)
    secret = session_secret(place)
    assert len(secret) == 64
    assert session_secret(place) == secret == place.secret.read_text()
    assert place.secret.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_finds_no_room_is_told_and_leaves_no_file(monkeypatch, place: Storage):
    monkeypatch.setattr(security.os, "write", lambda _descriptor, _bytes: 10)
    with pytest.raises(CannotStart, match="No space left"):
        session_secret(place)
    assert not place.secret.exists()


def test_who_was_held_up_while_it_wrote_the_secret_takes_the_one_that_was_made_meanwhile(monkeypatch, place: Storage):
    def held_up(_descriptor: int) -> None:
        place.secret.unlink()
        place.secret.write_text("b" * 64)

    monkeypatch.setattr(security.os, "fsync", held_up)
    assert session_secret(place) == "b" * 64


def test_a_secret_that_is_just_being_written_is_waited_for(monkeypatch, place: Storage):
    place.secret.write_text("")
    monkeypatch.setattr(security.time, "sleep", lambda seconds: place.secret.write_text("a" * 64))
    assert session_secret(place) == "a" * 64


def test_a_secret_key_of_ones_own_leaves_no_file(tmp_path: Path):
    app = create_app(load({"DATABASE_PATH": str(tmp_path / "a.db"), "SECRET_KEY": "k" * 40}))
    assert not list(tmp_path.glob("*.secret"))
    app.instance.stop()
