"""The shapes of answers, and how a function that answers is checked, and described for the OpenAPI document."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import wraps
from typing import Annotated, Any

from flask import Response, make_response, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from app.domain.schemas import Priority, Role, Scope, Status
from app.errors import invalid_input
from app.web.api.bodies import body

View = Callable[..., Any]
"""Of a route: gives a Shape or Json, with or without a status, or what Flask takes."""


class Json(str):
    """An answer that is JSON already."""


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""Also as SQLite keeps it, which is without an offset."""


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True, defer_build=True)


class WorkItemOut(Shape):
    id: int
    title: str
    notes: str
    status: Status
    priority: Priority
    due: date | None
    position: int
    version: int
    tasks_done: int
    tasks_total: int
    created_at: Moment
    updated_at: Moment


class TaskOut(Shape):
    id: int
    work_item_id: int
    title: str
    done: bool
    due: date | None
    position: int
    version: int
    created_at: Moment
    updated_at: Moment


class WorkItemsOut(Shape):
    items: list[WorkItemOut]
    total: int
    next: str | None


class TasksOut(Shape):
    items: list[TaskOut]
    total: int
    next: str | None


class TrashOut(Shape):
    work_items: list[WorkItemOut]
    tasks: list[TaskOut]
    total: int
    next: str | None


class AccountOut(Shape):
    id: int
    email: str
    role: Role
    created_at: datetime


class AccountsOut(Shape):
    items: list[AccountOut]
    next: str | None


class PersonOut(Shape):
    id: int | None
    email: str
    role: Role
    scope: Scope


class TokenOut(Shape):
    id: int
    email: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    last_used_on: date | None


class NewTokenOut(TokenOut):
    token: str


class TokensOut(Shape):
    items: list[TokenOut]
    next: str | None


class DatabaseOut(Shape):
    kind: str
    mount: str
    filesystem: str
    profile: str
    persistent: bool
    writer: bool
    may_lack_changes: bool


class HealthOut(Shape):
    status: str
    version: str
    started: Moment
    database: DatabaseOut
    backup: dict[str, Any] | None


class ProblemOut(Shape):
    code: str
    message: str
    hint: str
    fields: dict[str, str]


class ErrorOut(Shape):
    error: ProblemOut


class ChangedProblemOut(ProblemOut):
    etag: str
    now: WorkItemOut | TaskOut | AccountOut


class ChangedOut(Shape):
    error: ChangedProblemOut


class IfNoneMatch(BaseModel):
    none_match: str | None = Field(None, alias="If-None-Match", description="The ETag of an answer that you have.")


class IfMatch(BaseModel):
    match: str | None = Field(None, alias="If-Match", description="The ETag of what you want to change.")


@dataclass(frozen=True)
class Description:
    """What a function answers, with which status; `condition`: the header that its request may have (etags.py).

    `also`: the other statuses that not every function with its parameters has (document.py).
    """

    answer: type[Shape] | None
    status: int
    condition: type[IfMatch | IfNoneMatch] | None
    also: tuple[int, ...]


DESCRIBED: dict[View, Description] = {}
"""By the function that Flask calls. document.py makes the OpenAPI document of it."""


def described(
    answer: type[Shape] | None,
    status: int = 200,
    condition: type[IfMatch | IfNoneMatch] | None = None,
    also: tuple[int, ...] = (),
) -> Callable[[View], View]:
    """Lists a function in the document with what it answers, and checks what it is asked.

    What is called `query` or `json` among its parameters is read from the request, as the model that it is annotated
    with.
    """

    def decorate(view: View) -> View:
        models = {name: view.__annotations__[name] for name in ("query", "json") if name in view.__annotations__}

        @wraps(view)
        def checked(**given: Any) -> Response:
            return _response(view(**given, **_asked(models)))

        DESCRIBED[checked] = Description(answer, status, condition, also)
        return checked

    return decorate


def _asked(models: dict[str, type[BaseModel]]) -> dict[str, BaseModel]:
    """The query and the body of the request. Raises Invalid, and NotJson."""
    try:
        return {name: model.model_validate(READ[name]()) for name, model in models.items()}
    except ValidationError as error:
        raise invalid_input(error) from None


def _query() -> dict[str, str | list[str]]:
    """What is given twice is a list, which no field takes."""
    return {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}


READ: dict[str, Callable[[], Any]] = {"query": _query, "json": body}


def _response(given: Any) -> Response:
    answered, status = given if isinstance(given, tuple) else (given, 200)
    if isinstance(answered, BaseModel):
        answered = Json(answered.model_dump_json())
    if isinstance(answered, Json):
        return Response(answered, status, mimetype="application/json")
    return make_response(answered, status)
