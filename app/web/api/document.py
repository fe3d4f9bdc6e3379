"""The OpenAPI document: spectree makes it of the routes, and of what each function is described with (openapi.py).

It is made when it is first asked for: the schemas of all shapes take a third of the time of a start.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import current_app

from app.domain.schemas import LARGEST_ID
from app.version import __version__
from app.web.api.openapi import DESCRIBED, ChangedOut, Description, ErrorOut, IfMatch, Shape, View
from app.web.auth import HEALTH, PUBLIC
from app.web.health import ALIVE

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
DESCRIPTION = """\
Lists come in pages: `next` is the address of the following one, null on the last. What is added or deleted meanwhile
neither hides a row nor tells one twice.

Each answer to a GET has an ETag, and so has one to a POST that makes something and to a PATCH. With If-None-Match a
GET is answered 304 where you have the answer already. With If-Match a PATCH or DELETE of what was changed meanwhile is
answered 412, with what is there `now` and its `etag`; a weak tag never fits. The `version` of a work item or task grows
with its own fields; the ETag changes also with an item's counts of tasks, and with a position.
"""


@cache
def document() -> dict[str, Any]:
    """To be called in a request, whose app has the routes."""
    from spectree import SecurityScheme, SpecTree
    from spectree.models import SecureType, SecuritySchemeData

    token = SecuritySchemeData(type=SecureType.HTTP, scheme="bearer")
    spec = SpecTree(
        "flask",
        validation_error_model=ErrorOut,
        naming_strategy=lambda model: model.__name__,
        nested_naming_strategy=lambda _parent, child: child,
        mode="strict",
        page_templates={},
        title="Task Assist",
        description=DESCRIPTION,
        version=__version__,
        security_schemes=[SecurityScheme(name="token", data=token)],
        security={"token": []},
    )
    for route in _routes():
        route.describe(spec)
    for route in _routes():
        route.correct(spec.spec["paths"][route.path][route.method.lower()])
    return spec.spec


@dataclass(frozen=True)
class Route:
    """One function of the API, under the method and path that it is asked by."""

    method: str
    path: str
    endpoint: str
    view: View

    @property
    def description(self) -> Description:
        return DESCRIBED[self.view]

    def describe(self, spec: Any) -> None:
        from spectree import Response

        wrapping = vars(self.view)
        answers = Response(**{f"HTTP_{status}": shape for status, shape in self.answers.items()})
        # spectree knows a function by those that it wraps; its own checks are not called.
        validate = spec.validate(resp=answers, headers=self.description.condition)
        wrapping["__wrapped__"] = validate(wrapping["__wrapped__"])

    @property
    def answers(self) -> dict[int, type[Shape] | None]:
        """By their status, but for 405 and 500, which any address may answer."""
        described = self.description
        answers: dict[int, Any] = dict.fromkeys((*self._refusals(), *described.also), ErrorOut)
        if described.condition:
            answers |= {412: ChangedOut} if described.condition is IfMatch else {304: None}
        return answers | {described.status: described.answer}

    def _refusals(self) -> Iterator[int]:
        if self.endpoint not in HEALTH:
            yield from (400, 403)
        if self.endpoint not in PUBLIC:
            yield 401
        if self.path != ALIVE:
            yield 503
        if self.method in ("POST", "PATCH"):
            yield from (408, 413, 415)
        if self.method != "GET":
            yield 507
        asked = self.view.__annotations__
        if "id" in asked or "query" in asked:
            yield 404
        if "json" in asked or "query" in asked:
            yield 422

    def correct(self, operation: dict[str, Any]) -> None:
        """What spectree can't know: it adds a 422 of its own, takes ids for small, and everything for protected."""
        operation["responses"] = {str(status): operation["responses"][str(status)] for status in sorted(self.answers)}
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID, "examples": [1]}
        if self.endpoint in PUBLIC:
            operation["security"] = []


def _routes() -> Iterator[Route]:
    for rule in current_app.url_map.iter_rules():
        view = current_app.view_functions[rule.endpoint]
        if view in DESCRIBED:
            method = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            yield Route(method, PARAMETER.sub(r"{\1}", rule.rule), rule.endpoint, view)
