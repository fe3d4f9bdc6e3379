"""How dates read on a page."""

from datetime import date, datetime, timedelta

from app.domain.trash import TRASH_DAYS

IN_DAYS = 21
"""Beyond this many days from today a date says more than a count."""


def format_due(due: date, today: date) -> str:
    """“today”, “in 3 days”, “2 days ago”; far from today the date, with its year if that is another one."""
    days = (due - today).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if days in near:
        return near[days]
    if abs(days) <= IN_DAYS:
        return f"in {days} days" if days > 0 else f"{-days} days ago"
    return f"{due.day} {due:%b}" if due.year == today.year else f"{due.day} {due:%b} {due.year}"


def long_date(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def format_trash(deleted_at: datetime, now: datetime) -> str:
    """How long something stays in the trash, both by the time that the database has seen."""
    days = (deleted_at + timedelta(days=TRASH_DAYS) - now).days
    return "less than a day" if days < 1 else "1 more day" if days == 1 else f"{days} more days"
