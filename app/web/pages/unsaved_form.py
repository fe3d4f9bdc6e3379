"""What was typed survives where its form can't be saved: the work item was deleted meanwhile, or the session ended."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.domain.rows import InTrash
from app.errors import NotFound, Problem
from app.web.context import current_user_id, database
from app.web.older_sessions import had_older_session
from app.web.pages.forms import own_path, page_again

WITH_TYPED = "/sign-in/typed"
"""Where a sign-in brings along what was typed, and so is longer than `/sign-in` may be."""
View = Callable[..., Response]
Restore = Callable[[Session, int | None, int], Any]
TEXT = ("title", "notes")
SHOWN = (*TEXT, "status", "priority", "due")
CARRIED = (*SHOWN, "seen", "back")
"""Fields of the forms of work items and tasks: a stranger's other ones, a password say, do not come back."""


def has_text() -> bool:
    """Was something typed that is worth keeping? A button can be pressed again."""
    return any(request.form.get(name, "").strip() for name in TEXT)


def keeps_text(restore: Restore) -> Callable[[View], View]:
    """A form's view: where what it changes was deleted meanwhile, the answer shows what was typed.

    Its button asks for `restore`, which is done first and for itself: a page can say then why the rest is refused.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(**row: int) -> Response:
            try:
                if "restore" in request.form:
                    with database().write() as session:
                        restore(session, current_user_id(), *row.values())
                return view(**row)
            except NotFound as gone:
                if not has_text():
                    raise
                return page_again(_page(request.path, gone, can_restore=isinstance(gone, InTrash)))

        return answer

    return decorate


def sign_in_page(email: str = "", then: str = "/", problem: Problem | None = None, *, to: str = "") -> str:
    """`to`: where the form was sent whose fields the sign-in brings along."""
    typed = {**_carried(), "to": own_path(to)} if to else {}
    action = WITH_TYPED if to else "/sign-in"
    return render_template(
        "sign_in.html",
        email=email,
        next=then,
        problem=problem,
        action=action,
        typed=typed,
        was_upgraded=had_older_session(),
    )


def page_after_sign_in() -> str:
    """The form that was sent while nobody was signed in, as it was typed."""
    return _page(own_path(request.form.get("to")))


def _carried() -> dict[str, str]:
    return {name: request.form[name] for name in CARRIED if name in request.form}


def _page(action: str, gone: NotFound | None = None, *, can_restore: bool = False) -> str:
    fields = _carried()
    return render_template(
        "unsaved_form.html",
        action=action,
        gone=gone,
        can_restore=can_restore,
        typed={name: fields[name] for name in SHOWN if name in fields},
        hidden={name: value for name, value in fields.items() if name not in SHOWN},
    )
