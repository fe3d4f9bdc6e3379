"""What all resources of the API share: their blueprint, how a body is read, and how a list is paged."""

from urllib.parse import urlencode

from flask import Blueprint, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import BadRequest

from app.errors import Problem
from app.web.api.etags import with_etag
from app.web.api.openapi import described, spec

api = Blueprint("api", __name__, url_prefix="/api/v1")
api.after_request(with_etag)


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # An address holds text alone, so these are read from it whatever the fields beside them do.
    limit: int = Field(50, ge=1, le=200, strict=False)
    offset: int = Field(0, ge=0, le=2**31, strict=False)


class NotJson(Problem):
    code, status = "not_json", 400


class NotJsonType(Problem):
    code, status = "not_json", 415


@api.before_request
def refuse_other_bodies() -> None:
    """spectree takes a body that it can't read for an empty one; a person should hear what is wrong with it."""
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


def next_page(query: PageQuery, total: int) -> str | None:
    """The address of the next page, None on the last one."""
    after = query.offset + query.limit
    if after >= total:
        return None
    return f"{request.path}?{urlencode(query.model_dump(exclude_defaults=True) | {'offset': after})}"


@api.get("/openapi.json")
@described(None)
def openapi():
    """This document."""
    return spec.spec
