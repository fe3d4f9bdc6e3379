"""What all pages share: their blueprint, and what their templates can call."""

from datetime import date, datetime

from flask import Blueprint

from app.database.base import utc_now
from app.domain.trash import TRASH_DAYS
from app.settings import PASSWORD_LENGTH
from app.web.context import web_app
from app.web.pages import formatting
from app.web.pages.edit_conflicts import EditForm

pages = Blueprint("pages", __name__)
for formatted in (formatting.format_due, formatting.long_date, formatting.format_trash):
    pages.add_app_template_filter(formatted)
pages.add_app_template_global(EditForm, "edit_form")


@pages.app_template_filter()
def local_time(moment: datetime) -> str:
    return f"{moment.astimezone(web_app().settings.zone):%Y-%m-%d %H:%M}"


@pages.app_template_filter()
def local_day(moment: datetime) -> date:
    return moment.astimezone(web_app().settings.zone).date()


@pages.app_template_test()
def past(moment: datetime) -> bool:
    return moment <= utc_now()


@pages.app_context_processor
def _rules_to_tell() -> dict[str, int]:
    return {"password_length": PASSWORD_LENGTH, "trash_days": TRASH_DAYS}
