"""The OpenAPI document: spectree makes it of the routes, and of what each function is described with (openapi.py).

It is made when it is first asked for: the schemas of all shapes take a third of the time of a start.
"""

from functools import cache
from typing import Any

from app.version import __version__
from app.web.api.openapi import DESCRIBED, ChangedOut, Description, ErrorOut, IfMatch

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
    from spectree import Response, SecurityScheme, SpecTree
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
    for view, description in DESCRIBED.items():
        answers, wrapping = Response(**_answers(description)), vars(view)
        # spectree knows a function by those that it wraps; its own checks are not called.
        wrapping["__wrapped__"] = spec.validate(resp=answers, headers=description.condition)(wrapping["__wrapped__"])
    return spec.spec


def _answers(description: Description) -> dict[str, Any]:
    codes: dict[str, Any] = {f"HTTP_{code}": ErrorOut for code in (400, 401, 403, 404, 413, 415, 429, 503, 507)}
    codes[f"HTTP_{description.status}"] = description.answer
    if description.condition:
        codes |= {"HTTP_412": ChangedOut} if description.condition is IfMatch else {"HTTP_304": None}
    return codes
