"""On which day an API token was last used. Written with the first use of a day, so that reads stay reads."""

from contextlib import suppress
from datetime import date

from app.domain import tokens
from app.errors import Problem
from app.web.context import database, today, web_app


def note_use(token_id: int, last_used_on: date | None) -> None:
    noted, day = web_app().noted_uses, today()
    if day in (last_used_on, noted.get(token_id)):
        return
    # Before it is tried: on a full disk each request would try again.
    noted[token_id] = day
    with suppress(Problem), database().write() as session:  # it is no reason to refuse what was asked for
        tokens.note_use(session, token_id, day)
