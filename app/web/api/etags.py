"""ETag, If-Match, If-None-Match: a program changes only what it has seen, and is sent only what is new (RFC 9110, 13).

An ETag is a hash of the answer and not of a row's version, because an item's counts and position change without it.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import request
from pydantic import BaseModel
from werkzeug.wrappers import Response

from app.errors import Problem
from app.web.error_pages import answer

CONDITIONS = frozenset(("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"))


class ChangedMeanwhile(Problem):
    """If-Match, or If-None-Match with a change, does not fit what is there `now`, an answer in JSON."""

    code, status = "changed_meanwhile", 412

    def __init__(self, now: bytes) -> None:
        etag = f'"{_etag(now)}"'
        super().__init__(
            "What is there now is not what the request's condition names, so nothing was changed.",
            f"See “now”. To change that:  If-Match: {etag}",
        )
        self._now = {"etag": etag, "now": json.loads(now)}

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | self._now


def require_match(current: Callable[[], BaseModel]) -> None:
    """Raises ChangedMeanwhile where the request may not change what its own GET would answer, `current()`, just now.

    To be asked in the transaction that writes.
    """
    if "If-Match" in request.headers or request.if_none_match:
        now = current().model_dump_json().encode()
        etag = _etag(now)
        if not _if_match_holds(etag) or request.if_none_match.contains_weak(etag):
            raise ChangedMeanwhile(now)


def with_etag(response: Response) -> Response:
    """After a request: answers with 304 what the program has already."""
    reads = request.method in ("GET", "HEAD")
    if response.status_code == 201 or (response.status_code == 200 and (reads or request.method == "PATCH")):
        etag = _etag(response.get_data())
        response.headers["ETag"] = f'"{etag}"'
        if reads and not CONDITIONS.isdisjoint(request.environ):
            return _on_condition(response, etag)
    return response


def _on_condition(response: Response, etag: str) -> Response:
    if not _if_match_holds(etag):
        return answer(ChangedMeanwhile(response.get_data()))
    if request.if_none_match.contains_weak(etag):
        response.status_code = 304
    return response


def _if_match_holds(etag: str) -> bool:
    """werkzeug's make_conditional takes “*” for a tag that fits nothing."""
    return "If-Match" not in request.headers or request.if_match.contains(etag)


def _etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
