"""How the body of a request to the API is read, and what is said of one that can't be."""

from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest

from app.errors import Problem, TooLarge

MOST_KEYS = 100
"""Of a body: no resource has a tenth of them, and each that is not known would be an error of its own."""


class NotJson(Problem):
    code, status = "not_json", 400

    def __init__(self, what: str) -> None:
        super().__init__(what, 'Send a JSON object like {"title": "Buy milk"}.')


class NotJsonType(Problem):
    code, status = "not_json", 415


def refuse_other_bodies() -> None:
    """Before a request: of a body that can't be read a person should hear what is wrong with it."""
    if request.method not in ("POST", "PATCH") or not (request.mimetype or request.get_data()):
        return
    if not request.is_json:
        raise NotJsonType(f"The body is {request.mimetype or 'of no type'}.", "Send Content-Type: application/json.")
    try:
        body = request.get_json()
    except (BadRequest, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise NotJson("The body is not a JSON object.")
    if len(body) > MOST_KEYS:
        raise TooLarge(MOST_KEYS, "keys")


def body() -> Any:
    """Raises NotJson where there is none."""
    if not request.get_data():
        raise NotJson("The request has no body.")
    return request.get_json()
