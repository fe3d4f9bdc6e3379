"""What may be typed into each field. Pages and the API check with these, so a rule stands once."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from app.setting_values import EMAIL_LENGTH, is_email, is_encodable
from app.settings import LONGEST_PASSWORD, PASSWORD_LENGTH

Status = Literal["open", "done", "archived"]
Priority = Literal["high", "normal", "low"]
Role = Literal["admin", "member"]
Scope = Literal["read", "write", "admin"]
LARGEST_ID = 2**63 - 1
"""What SQLite's INTEGER holds."""
TOKEN_DAYS = 90
"""For which an API token can be used, unless somebody says otherwise."""
NOT_KEPT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls but for tabs and line breaks, and halves of characters (lone surrogates)."""
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _one_line(text: str) -> str:
    line = " ".join(_printable(text).split())
    if not line:
        raise ValueError("This can't be empty.")
    return line


def _lines(text: str) -> str:
    return _printable(text.replace("\r\n", "\n").rstrip())


def _printable(text: str) -> str:
    if found := NOT_KEPT.search(text):
        raise ValueError(f"The character U+{ord(found[0]):04X} can't be kept.")
    return text


def _account_email(text: str) -> str:
    if not is_email(text):
        raise ValueError("An email address like you@example.com.")
    return text.lower()


def _hashable(password: SecretStr) -> SecretStr:
    if not is_encodable(password.get_secret_value()):
        raise ValueError("There is half a character in it (a lone surrogate).")
    return password


def _whole(value: object) -> object:
    """605.0 is the same number as 605 (RFC 8259, 6), and some programs know no other."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _day(value: object) -> date | None:
    """pydantic would take 86400, and "86400", for seconds since 1970."""
    if value is None or value == "":
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise ValueError("A date like 2026-11-23.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("There is no such day. A date like 2026-11-23.") from None


# What the functions above ask for, in the words of JSON Schema, for the API's document.
_KEPT = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]"
_SEEN = r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_PRINTABLE = Field(json_schema_extra={"pattern": f"^{_KEPT}*$"})
_ONE_LINE = Field(json_schema_extra={"pattern": f"^{_KEPT}*{_SEEN}{_KEPT}*$", "examples": ["Buy milk"]})
_DAY = WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"const": ""}, {"type": "null"}]})
_EMAIL = Field(json_schema_extra={"format": "email", "examples": ["you@example.com"]})

Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line), _ONE_LINE]
Notes = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_lines), _PRINTABLE]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_whole)]
Position = Annotated[int, Field(ge=1, le=2**31), BeforeValidator(_whole)]
Due = Annotated[date | None, BeforeValidator(_day), _DAY]
Email = Annotated[
    str, StringConstraints(max_length=EMAIL_LENGTH, strip_whitespace=True), AfterValidator(_account_email), _EMAIL
]
Password = Annotated[
    SecretStr, Field(min_length=PASSWORD_LENGTH, max_length=LONGEST_PASSWORD), AfterValidator(_hashable)
]


OwnPassword = Annotated[SecretStr, Field(max_length=LONGEST_PASSWORD), AfterValidator(_hashable)]
"""To be compared with the one that the account has."""


class Fields(BaseModel):
    # What was typed, a password say, must not come into the log with an error. Strict, so that "yes" is not true. Each
    # is made ready when it is first used.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True, defer_build=True)


class NewWorkItem(Fields):
    title: Title
    notes: Notes = ""
    status: Status = "open"
    priority: Priority = "normal"
    due: Due = None


class Move(Fields):
    """Where a work item or task is to stand.

    `after`: the id of the one that it then follows, null for the top. `position`: below 2^20 its rank, 1 for the first;
    from there on a sort key, as lists show it.
    """

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["after", "position"]}})

    after: Id | None = None
    position: Position = 1

    @model_validator(mode="after")
    def _one_of_them(self) -> "Move":
        if {"after", "position"} <= self.model_fields_set:
            raise ValueError("Either after or position, not both.")
        return self


class WorkItemChange(NewWorkItem, Move):
    """Only the fields that are given change."""

    title: Title = ""


class NewTask(Fields):
    title: Title
    done: bool = False
    due: Due = None


class TaskChange(NewTask, Move):
    """Only the fields that are given change."""

    title: Title = ""


class Filters(Fields):
    """Which work items a list shows. `due`: today (includes overdue ones), overdue."""

    q: Annotated[
        str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(_printable), _PRINTABLE
    ] = ""
    status: Literal["open", "done", "archived", "all"] = "all"
    due: Literal["", "today", "overdue"] = ""
    priority: Literal["high", "normal", "low", ""] = ""

    model_config = ConfigDict(frozen=True)

    def __hash__(self) -> int:
        """Statements and counts are kept by it."""
        return hash((self.q, self.status, self.due, self.priority))


class NewAccount(Fields):
    email: Email
    password: Password
    role: Role = "member"


class NewToken(Fields):
    name: Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_one_line), _ONE_LINE]
    scope: Scope = "read"
    expires_in_days: Annotated[
        Annotated[int, Field(ge=1, le=3650), BeforeValidator(_whole)] | None,
        Field(description="From now on; null: it never expires."),
    ] = TOKEN_DAYS


class TokenRequest(NewToken):
    """With the password of who asks for it."""

    password: OwnPassword
