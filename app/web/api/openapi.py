"""The OpenAPI document and the shapes of answers. spectree reads both from the functions that answer."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from app.domain.schemas import Priority, Role, Scope, Status
from app.errors import invalid_input
from app.version import __version__

# spectree turns what a view gives, a Shape with or without a status, into a response.
View = Callable[..., Any]


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


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
    created_at: datetime
    updated_at: datetime


class TaskOut(Shape):
    id: int
    work_item_id: int
    title: str
    done: bool
    due: date | None
    position: int
    version: int
    created_at: datetime
    updated_at: datetime


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
    name: str
    scope: Scope
    created_at: datetime


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


class HealthOut(Shape):
    status: str
    version: str
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


def _raise_our_own(_request, _response, error, _instance, _adapter) -> None:
    if error:
        raise invalid_input(error) from None


spec = SpecTree(
    "flask",
    before=_raise_our_own,
    validation_error_model=ErrorOut,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    mode="strict",
    page_templates={},
    title="Task Assist",
    version=__version__,
    security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
    security={"token": []},
)


def described(
    answer: type[Shape] | None, status: int = 200, condition: type[IfMatch | IfNoneMatch] | None = None
) -> Callable[[View], View]:
    """Lists a function in the document with what it answers, and checks what it is asked. Conditions: etags.py."""
    codes: dict[str, Any] = {f"HTTP_{code}": ErrorOut for code in (400, 401, 403, 404, 413, 415, 429, 503, 507)}
    codes[f"HTTP_{status}"] = answer
    if condition:
        codes |= {"HTTP_412": ChangedOut} if condition is IfMatch else {"HTTP_304": None}
    return spec.validate(resp=Response(**codes), headers=condition)
