"""What all resources of the API share: their blueprint, and how a body is read."""

from flask import Blueprint, request
from werkzeug.exceptions import BadRequest

from app.errors import Problem, TooLarge
from app.web.api.document import document
from app.web.api.etags import with_etag
from app.web.api.openapi import described

api = Blueprint("api", __name__, url_prefix="/api/v1")
api.after_request(with_etag)

MOST_KEYS = 100
"""Of a body: no resource has a tenth of them, and each that is not known would be an error of its own."""


class NotJson(Problem):
    code, status = "not_json", 400


class NotJsonType(Problem):
    code, status = "not_json", 415


@api.before_request
def refuse_other_bodies() -> None:
    """Of a body that can't be read a person should hear what is wrong with it."""
    if request.method not in ("POST", "PATCH") or not (request.mimetype or request.get_data()):
        return
    if not request.is_json:
        raise NotJsonType(f"The body is {request.mimetype or 'of no type'}.", "Send Content-Type: application/json.")
    try:
        body = request.get_json()
    except (BadRequest, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise NotJson("The body is not a JSON object.", 'Send one like {"title": "Buy milk"}.')
    if len(body) > MOST_KEYS:
        raise TooLarge(MOST_KEYS, "keys")


@api.get("/openapi.json")
@described(None)
def openapi():
    """This document."""
    return document()
