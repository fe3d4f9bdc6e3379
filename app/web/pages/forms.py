"""What a page's form brings, where the answer to it leads, and what it tells the person."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from flask import flash, make_response, redirect, request
from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Response

from app.domain.ordering import Direction
from app.domain.schemas import Filters
from app.errors import Invalid, invalid_input

Typed = TypeVar("Typed", bound=BaseModel)
NOT_FIELDS = frozenset(("back", "seen", "restore"))
"""What a form says about itself."""
OWN_PATH = re.compile(r"/(?![/\\])[^\s\\]{,4000}")
"""No longer than what a browser or a gateway takes for a header; a list's own address has 2,600 at most."""


@dataclass(frozen=True)
class Refused:
    """The form that could not be saved, by its id in the page: what is wrong with it, and what was typed.

    `both`: its fields that somebody else changed meanwhile.
    """

    form: str
    problem: Invalid
    typed: Mapping[str, str]
    both: Collection[str] = ()


def parse_form(fields: type[Typed]) -> Typed:
    """The fields of the form that was sent. Raises pydantic's ValidationError."""
    return fields.model_validate({name: value for name, value in request.form.items() if name not in NOT_FIELDS})


def refused(form: str, error: ValidationError) -> Refused:
    return Refused(form, invalid_input(error), request.form)


def filters_in(query: Mapping[str, str]) -> Filters:
    """The filters of a list's address; without a status it shows what is open. Raises Invalid."""
    given = {name: value for name, value in query.items() if value and name in Filters.model_fields}
    try:
        return Filters.model_validate({"status": "open", **given})
    except ValidationError as error:
        raise invalid_input(error) from None


def filters_of_form() -> Filters:
    """The filters of the list in which the form stood."""
    return filters_in(query_of_page())


def query_of_page() -> Mapping[str, str]:
    """Of the page that is asked for, or of the one that the form stood on."""
    return request.args if request.method == "GET" else dict(parse_qsl(urlsplit(return_path()).query))


def own_path(path: str | None) -> str:
    """`path` if it is a page of this app, else the front page: no link or form may lead a person elsewhere."""
    return path if path and OWN_PATH.fullmatch(path) else "/"


def return_path() -> str:
    """The page the form stood on."""
    return own_path(request.form.get("back"))


def redirect_to(path: str, focus: str = "") -> Response:
    """To another page after a change. Without JavaScript the fragment puts the focus back where it was."""
    return redirect(f"{path}#{focus}" if focus else path, 303)


def page_again(page: str) -> Response:
    """The page with what was typed and what is wrong with it, under the address it had."""
    return make_response(page, 422, {"HX-Replace-Url": "false"})


def flash_status(text: str) -> None:
    """For those who can't see that it worked; the others see nothing."""
    flash(text, "said")


def offer_undo(text: str, action: str, **fields: str) -> None:
    """A bar with the text and a button that posts `fields` to `action`."""
    name, value = next(iter(fields.items()), ("", ""))
    undo: Any = {"text": text, "action": action, "name": name, "value": value}
    flash(undo, "undo")


def direction() -> Direction:
    """Where a move goes, by the form. Raises Invalid."""
    match request.form.get("direction"):
        case "up" | "down" as way:
            return way
        case _:
            raise Invalid("A move goes up or down.", fields={"direction": "One of up, down."})
