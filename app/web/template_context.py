"""What every page shows, whatever it is about: who is signed in, and where the data is."""

from typing import Any

from flask import Flask

from app.web.auth import person_for_page
from app.web.context import today, web_app
from app.web.health import data_line


def init(app: Flask) -> None:
    app.context_processor(template_context)


def template_context() -> dict[str, Any]:
    app = web_app()
    return {
        "person": person_for_page(),
        "sign_in_is_on": not app.settings.auth_disabled,
        "data_line": data_line(app.instance),
        "today": today(),
    }
