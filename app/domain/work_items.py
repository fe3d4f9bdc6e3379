"""What can be done with work items. The pages and the API both call these.

Each takes a session, or a connection, inside a transaction (app/database/engine.py) and, where something changes,
`user_id`: the id of the account that does it, None for the local user while sign-in is off. They raise NotFound where
there is no such thing, or where it lies in the trash.
"""

from datetime import date

from sqlalchemy import Connection, insert
from sqlalchemy.orm import Session

from app.database.kept import Kept
from app.domain.filtering import matching
from app.domain.history import apply_changes, record
from app.domain.models import WorkItem
from app.domain.ordering import Direction, key_on_top, move_past_neighbour
from app.domain.rows import find_live, find_row
from app.domain.schemas import Filters, NewWorkItem, WorkItemChange
from app.domain.shown import Item
from app.domain.text_search import keep_searchable, make_searchable
from app.domain.trash import put_into_trash, take_out_of_trash

ADD_ITEM = Kept(insert(WorkItem).returning(*WorkItem.__table__.columns), *NewWorkItem.model_fields, "position")


def get_item(session: Session, item_id: int) -> WorkItem:
    return find_live(session, WorkItem, item_id)


def add_item(connection: Connection, user_id: int | None, fields: NewWorkItem) -> Item:
    """A new work item at the top of the list."""
    row = ADD_ITEM.first(connection, position=key_on_top(connection), **dict(fields))
    item = Item(*row, tasks_done=0, tasks_total=0)
    make_searchable(connection, item.id, item.title, item.notes)
    record(connection, user_id, item.id, "created", item.title)
    return item


def change_item(session: Session, user_id: int | None, item_id: int, change: WorkItemChange) -> WorkItem:
    item = get_item(session, item_id)
    apply_changes(session, user_id, item, item.id, change.model_dump(exclude_unset=True))
    return item


def move_item(session: Session, item_id: int, direction: Direction, filters: Filters, today: date) -> WorkItem:
    """Moves the item past its neighbour in the list that these filters show; at the end of it nothing moves."""
    item = get_item(session, item_id)
    move_past_neighbour(session, item, direction, matching(filters, today))
    return item


def delete_item(session: Session, user_id: int | None, item_id: int) -> WorkItem:
    """Puts the item, with its tasks, into the trash, for TRASH_DAYS (trash.py)."""
    item = get_item(session, item_id)
    put_into_trash(session, item)
    keep_searchable(session, item.id)
    record(session.connection(), user_id, item.id, "deleted", item.title)
    return item


def restore_item(session: Session, user_id: int | None, item_id: int) -> WorkItem:
    """Takes the item back out of the trash, into its old place. Does nothing to one that is not in it."""
    item = find_row(session, WorkItem, item_id)
    if item.deleted_at:
        take_out_of_trash(item)
        keep_searchable(session, item.id)
        record(session.connection(), user_id, item.id, "restored", item.title)
    return item
