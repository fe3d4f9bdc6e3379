"""A walk over every route: each asks for sign-in, unless it is on the short public list."""

import pytest
from flask import Flask

from app.web.auth import PUBLIC

PUBLIC_ON_PURPOSE = {
    "static": "the style sheet of the sign-in page",
    "health.healthz": "platforms ask it",
    "health.readyz": "platforms ask it",
    "auth.sign_in": "where people sign in",
    "auth.set_up": "where the first account is made, with the code from the log",
    "api.openapi": "how to use the API; it tells nothing of the data",
}


def every_route(app: Flask) -> list[tuple[str, str, str]]:
    """Method, an address, and the endpoint of everything that the app answers."""
    found = []
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            values = {name: "style.css" if name == "filename" else 1 for name in rule.arguments}
            address = adapter.build(rule.endpoint, values, method=next(iter(rule.methods or ())))
            found += [(method, address, rule.endpoint) for method in (rule.methods or set()) - {"OPTIONS"}]
    return found


def test_the_public_list_is_short_and_each_entry_has_its_reason(locked_app: Flask):
    assert set(PUBLIC_ON_PURPOSE) == PUBLIC
    assert {endpoint for _, _, endpoint in every_route(locked_app)} >= PUBLIC


def test_nothing_else_answers_a_stranger(locked_app: Flask, stranger):
    walked = 0
    for method, address, endpoint in every_route(locked_app):
        if endpoint in PUBLIC:
            continue
        answer = stranger.open(address, method=method)
        if address.startswith("/api/"):
            assert answer.status_code == 401, f"{method} {address} answered {answer.status_code}"
        else:
            assert answer.status_code == 303, f"{method} {address} answered {answer.status_code}"
            assert answer.location.startswith("/sign-in"), f"{method} {address} leads to {answer.location}"
        walked += 1
    assert walked > 40


def test_a_read_token_changes_nothing_anywhere(locked_app: Flask, stranger, token):
    headers = token("read")
    for method, address, endpoint in every_route(locked_app):
        if endpoint not in PUBLIC and address.startswith("/api/") and method not in ("GET", "HEAD"):
            answer = stranger.open(address, method=method, headers=headers, json={})
            assert answer.status_code == 403, f"{method} {address} answered {answer.status_code}"


@pytest.mark.parametrize(("scope", "role"), [("write", "admin"), ("write", "member")])
def test_accounts_and_tokens_are_for_admins(stranger, token, scope: str, role: str):
    headers = token(scope, role)
    for address in ("/api/v1/accounts", "/api/v1/accounts/1", "/api/v1/tokens"):
        assert stranger.get(address, headers=headers).status_code == 403
    assert stranger.post("/api/v1/work-items", headers=headers, json={"title": "mine"}).status_code == 201


def test_a_token_opens_the_api_only(stranger, token):
    assert stranger.get("/", headers=token("admin")).status_code == 303


def test_every_route_answers_locally_while_sign_in_is_off_and_nothing_else(app: Flask, client):
    for method, address, endpoint in every_route(app):
        if endpoint in ("health.healthz", "health.readyz"):
            continue
        answer = client.open(address, method=method, headers={"Host": "tasks.example.com"})
        assert answer.status_code == 403, f"{method} {address} answered {answer.status_code}"
