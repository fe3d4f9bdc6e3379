"""Browsers keep styles and scripts for ever, each under an address of its own version."""

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.errors import Busy
from app.web.context import WebApp
from app.web.error_pages import answer_in_loop

FOREVER = "public, max-age=31536000, immutable"


def addresses(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page)


def get(client: FlaskClient, address: str, **headers: str) -> TestResponse:
    return client.get(address, headers=headers, buffered=True)


def test_every_file_of_a_page_is_kept_for_ever(client: FlaskClient):
    found = addresses(client.get("/").text)
    assert len(found) >= 4
    for address in found:
        answer = get(client, address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, FOREVER), address


def test_another_versions_address_is_answered_and_not_kept(client: FlaskClient):
    for address in ("/static/style.css", "/static/style.css?v=0123456789ab"):
        answer = get(client, address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


def test_a_file_that_is_not_there_is_not_kept_either(client: FlaskClient):
    answer = client.get("/static/nothing.css?v=0123456789ab")
    assert (answer.status_code, answer.headers.get("Cache-Control")) == (404, "no-store")


def test_a_kept_one_is_known_again(client: FlaskClient):
    address = addresses(client.get("/").text)[0]
    tag = get(client, address).headers["ETag"]
    again = get(client, address, **{"If-None-Match": tag})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, FOREVER)


def test_they_set_no_cookie(signed_in: FlaskClient):
    for address in addresses(signed_in.get("/").text):
        assert "Set-Cookie" not in get(signed_in, address).headers


def test_the_page_without_the_app_has_them_too(app: WebApp):
    _, _, body = answer_in_loop(app, "/", Busy("Too many requests at once."))
    found = addresses(body.decode())
    assert found and all("?v=" in address for address in found)
