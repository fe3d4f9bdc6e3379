"""What is done every hour, so that nothing grows without a bound and what has lain long enough goes."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database.engine import Database
from app.domain.models import Event
from app.domain.trash import empty_trash

EVENTS_KEPT = 200
"""Of each work item, the latest. Its page shows 20."""
LATEST = 5_000
"""Events whose work items are looked at: all of them would be a whole table. What more came in an hour is
looked at when its work item has the next one."""
ITEMS_AT_ONCE = 500
"""Whose events are deleted in one go: other writers wait meanwhile."""


def every_hour(database: Database) -> None:
    """In transactions of their own, so that others who write need not wait for all of it."""
    for chore in (empty_trash, forget_old_events):
        with database.write() as session:
            chore(session)


def forget_old_events(session: Session) -> None:
    item = Event.work_item_id
    grew = select(item).where(Event.id > select(func.max(Event.id)).scalar_subquery() - LATEST)
    long = select(item).where(item.in_(grew)).group_by(item).having(func.count() > EVENTS_KEPT).limit(ITEMS_AT_ONCE)
    for item_id in session.scalars(long).all():
        latest = select(Event.id).where(item == item_id).order_by(Event.id.desc()).limit(1).offset(EVENTS_KEPT - 1)
        session.execute(delete(Event).where(item == item_id, Event.id < latest.scalar_subquery()))
