"""What a request works with: the open database, the settings, today's date, and who asks."""

from datetime import date, datetime

from flask import current_app
from flask_login import current_user

from app.db import Database
from app.settings import Settings


def database() -> Database:
    return current_app.extensions["database"]


def settings() -> Settings:
    return current_app.extensions["settings"]


def today() -> date:
    """Today's date in the time zone of TZ."""
    return datetime.now(settings().zone).date()


def who() -> int | None:
    """The id of the account that is signed in, None for the local user while sign-in is off."""
    return current_user.id
