"""Who did what to a work item, and when: each change of a field leaves an event."""

from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.orm import Session

from app.database.kept import Kept
from app.domain.models import Event, Task, WorkItem
from app.domain.ordering import move_after, move_to
from app.domain.text_search import SEARCHED, keep_searchable

ADD_EVENT = Kept(insert(Event), "user_id", "work_item_id", "action", "detail")


def record(connection: Connection, user_id: int | None, item_id: int, action: str, detail: str) -> None:
    ADD_EVENT.run(connection, user_id=user_id, work_item_id=item_id, action=action, detail=detail)


def apply_changes(
    session: Session, user_id: int | None, row: WorkItem | Task, item_id: int, changes: dict[str, Any]
) -> None:
    _move(session, row, changes)
    changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in changed.items():
        old = getattr(row, name)
        setattr(row, name, value)
        record(session.connection(), user_id, item_id, *_event_for(row, name, old, value))
    row.version += bool(changed)
    session.flush()
    if changed.keys() & SEARCHED:
        keep_searchable(session, item_id)


def _move(session: Session, row: WorkItem | Task, changes: dict[str, Any]) -> None:
    """Takes out of the changes where the row is to stand."""
    if "position" in changes:
        move_to(session, row, changes.pop("position"))
    if "after" in changes:
        move_after(session, row, changes.pop("after"))


def _event_for(row: WorkItem | Task, name: str, old: Any, value: Any) -> tuple[str, str]:
    """An event's action and detail for one changed field."""
    if name == "done":
        return "ticked" if value else "unticked", row.title
    if name == "title":
        return "renamed", f"{old} → {value}"
    if name == "notes":
        return "changed notes", ""
    return f"set {name}", f"{value or 'none'}" if isinstance(row, WorkItem) else f"{value or 'none'}: {row.title}"
