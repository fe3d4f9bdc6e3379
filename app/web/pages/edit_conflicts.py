"""Two at one form: it carries what it showed, so that only what a person changed is written, and nobody's text is lost.

The digests are not signed: who makes some up overwrites what he may overwrite anyway.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from pydantic import ValidationError

from app.errors import Invalid
from app.web.pages.formatting import long_date
from app.web.pages.forms import Refused, Typed, refused


class ChangedByBoth(Invalid):
    """Nothing was written. `typed`: what the person changed, as it was typed."""

    def __init__(self, both: list[str], typed: dict[str, str]) -> None:
        told = "This was changed meanwhile. Save again to keep yours."
        super().__init__("Nothing is saved yet.", fields=dict.fromkeys(both, told))
        self.typed = typed


NOT_SAVED = (ValidationError, ChangedByBoth)


def own_changes(form: Typed, row: Any) -> Typed:
    """Those fields of the form that the person changed. Raises ChangedByBoth where somebody else did so meanwhile.

    `row` is read in the transaction that writes. A button shows nothing to compare: what it says is meant.
    """
    shown = dict(part.split(":", 1) for part in request.form.get("seen", "").split() if ":" in part)
    given = form.model_dump(exclude_unset=True)
    own = {name: value for name, value in given.items() if shown.get(name) != _digest(value)}
    now = {name: _digest(getattr(row, name)) for name in own.keys() & shown.keys()}
    both = [name for name, digest in now.items() if digest not in (shown[name], _digest(own[name]))]
    if both:
        raise ChangedByBoth(both, {name: request.form[name] for name in own})
    return type(form)(**own)


def refused_edit(form: str, error: ValidationError | ChangedByBoth) -> Refused:
    if isinstance(error, ValidationError):
        return refused(form, error)
    return Refused(form, error, error.typed, both=error.fields)


@dataclass(frozen=True)
class EditForm:
    """For a template: the fields `names` of `row`, or what was typed into them where the form was refused."""

    row: Any
    names: tuple[str, ...]
    refused: Refused | None = None

    @property
    def seen(self) -> str:
        """A digest of each field as it is shown. One that was refused for its input shows what it showed before."""
        before = self.refused.typed.get("seen") if self.refused else None
        return before or " ".join(f"{name}:{_digest(getattr(self.row, name))}" for name in self.names)

    def of(self, name: str) -> dict[str, Any]:
        """What the macro of one field is told. `there`: what it is now, where both changed it."""
        now = getattr(self.row, name)
        told: dict[str, Any] = {"value": now or ""}
        if self.refused:
            told |= {"value": self.refused.typed.get(name, now or ""), "error": self.refused.problem.fields.get(name)}
            if name in self.refused.both:
                told["there"] = long_date(now) if isinstance(now, date) else now or ""
        return told


def _digest(value: Any) -> str:
    """A browser sends other ends of lines than it was given."""
    text = str(value or "").replace("\r\n", "\n").replace("\r", "\n")
    return hashlib.sha256(text.encode()).hexdigest()[:16]
