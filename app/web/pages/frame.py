"""A page around its rows. Like each of these it is made of what it shows alone, so it is made once for that."""

import secrets
from collections.abc import Hashable
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Any

from flask import render_template, session
from jinja2 import Template
from markupsafe import Markup

from app.web.context import web_app
from app.web.pages.forms import Refused
from app.web.template_context import template_context

FRAMES_KEPT = 64
"""About 10 KB each."""
HOLE = Markup(f"<!-- {secrets.token_hex()} -->")  # noqa: S704  (it is our own)
"""Where a part belongs. Nobody can have written it into what is shown."""


def page_around(name: str, parts: dict[str, Markup], refused: Refused | None, **shown: Hashable) -> str:
    """The template `name` with `parts`, which it shows once each, in this order, and with what else is `shown`.

    One that tells somebody something, once, is not kept.
    """
    if refused or "_flashes" in session:
        return render_template(name, **parts, refused=refused, **shown)
    holes = tuple((part, HOLE if html else Markup()) for part, html in parts.items())
    frame = _frame(web_app().jinja_env.get_template(name), holes, frozenset((template_context() | shown).items()))
    filled = (html for html in parts.values() if html)
    return "".join(chain.from_iterable(zip_longest(frame, filled, fillvalue="")))


@lru_cache(FRAMES_KEPT)
def _frame(template: Template, holes: tuple[tuple[str, Markup], ...], shown: frozenset[tuple[str, Any]]) -> list[str]:
    """What stands before, between and behind the parts."""
    return template.render(dict(holes), **dict(shown)).split(HOLE)
