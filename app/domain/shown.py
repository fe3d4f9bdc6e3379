"""Work items, their tasks and history as pages and the API show them: rows of columns, and counts that SQLite makes.

Each function takes a connection that sees one moment (`Database.read_columns()`, or a session's own). Statements are
built once and kept: building one takes longer than running it.
"""

from collections import namedtuple
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Date, Select, Text, bindparam, cast, func, select, tuple_, type_coerce
from sqlalchemy.orm import aliased

from app.database.base import UtcDateTime
from app.database.engine import Database
from app.database.kept import Kept
from app.database.remembered import remembered
from app.domain.filtering import matching
from app.domain.models import Event, Task, User, WorkItem
from app.domain.paging import Page, page_in
from app.domain.rows import LARGEST_ID, in_trash, missing
from app.domain.schemas import Filters

LATELY_TICKED = 12
"""For a list, so many of each open work item's tasks at most, the last ones."""

MOST_AT_ONCE = 50
"""Work items that are read in one step: with the longest notes 4 MB. Of more, no further ones than a page holds."""

LIVE = (Task.work_item_id == WorkItem.id, Task.deleted_at.is_(None))
"""The tasks of the work item in the row that are not in the trash."""
COUNTS = tuple(
    select(func.count()).where(*LIVE, *more).correlate(WorkItem).scalar_subquery().label(name)
    for name, more in (("tasks_done", (Task.done,)), ("tasks_total", ()))
)
ITEM = (*WorkItem.__table__.columns, *COUNTS)
TASK = tuple(Task.__table__.columns)


def _as_kept(column: Any) -> Any:
    """Days and moments as SQLite keeps them. To read them takes longer than the query, and most rows are known already
    to who makes an answer of them (app/web/api/paging.py)."""
    return type_coerce(column, Text).label(column.name) if isinstance(column.type, Date | UtcDateTime) else column


ITEM_AS_KEPT = tuple(_as_kept(column) for column in ITEM)
Item = namedtuple("Item", [column.name for column in ITEM])


class ByStatus(NamedTuple):
    """How many work items have each status."""

    open: int = 0
    done: int = 0
    archived: int = 0


Place = tuple[int, int]
"""Where a row stands in its order: its position and id."""
TOP = (0, 0)
PLACE = tuple_(bindparam("position"), bindparam("behind"))


def _behind(place: Place) -> dict[str, int]:
    return {"position": place[0], "behind": place[1]}


# --- lists of work items ----------------------------------------------------------------------------------


def list_items(connection: Connection, filters: Filters, today: date, *, limit: int, after: Place = TOP) -> Page:
    """The work items that fit, in their order, from behind a place on, with `tasks_done` and `tasks_total`.

    Their days and moments are texts, as SQLite keeps them.
    """
    given = {"many": limit + 1, "before": 0, **_behind(after)}
    page = _page(filters, today, ITEM_AS_KEPT)
    rows = (row for row in page.all(connection, **given)) if limit <= MOST_AT_ONCE else page.each(connection, **given)
    found = page_in(rows, limit)
    if after == TOP and not found.more:
        _note_count(connection, filters, today, len(found.rows))
    return found


def list_with_tasks(
    connection: Connection,
    filters: Filters,
    today: date,
    *,
    limit: int,
    offset: int,
    tasks_to_do: int,
    ticked_since: datetime,
) -> Sequence[Any]:
    """The same with fewer columns and two JSON arrays of [position, id, title, done, due].

    `to_do`: the first tasks that are, and `ticked`: LATELY_TICKED of those that were ticked after `ticked_since`.
    """
    given = {"many": limit, "before": offset, "tasks": tasks_to_do, "since": ticked_since, **_behind(TOP)}
    rows = _page(filters, today, LISTED).all(connection, **given)
    if len(rows) < limit and (rows or not offset):
        _note_count(connection, filters, today, offset + len(rows))
    return rows


def count_items(connection: Connection, filters: Filters, today: date) -> int:
    """Costs nothing after a list that came to the end of them: a search is made once then."""

    return remembered(connection, ("items", filters, today), lambda: _count(filters, today).scalar(connection))


def _note_count(connection: Connection, filters: Filters, today: date, number: int) -> None:
    remembered(connection, ("items", filters, today), lambda: number)


def count_by_status(connection: Connection) -> ByStatus:
    def ask() -> ByStatus:
        found = {row.status: row.number for row in BY_STATUS.all(connection)}
        return ByStatus(*(found.get(status, 0) for status in ByStatus._fields))

    return remembered(connection, "items by status", ask)


def _as_array(tasks: Select[*tuple[Any, ...]]) -> Any:
    """As one value: a row for each would take twice as long. As a text, which is not taken apart with the list's."""
    found = tasks.where(*LIVE).correlate(WorkItem).subquery().c
    return select(func.json_group_array(func.json_array(*found)).concat("")).scalar_subquery()


LISTED_TASK = select(Task.position, Task.id, cast(Task.title, Text).label("title"), Task.done, Task.due)
TO_DO = LISTED_TASK.where(Task.done.is_(False)).order_by(Task.position, Task.id).limit(bindparam("tasks"))
TICKED = (
    LISTED_TASK.where(Task.done, Task.updated_at > bindparam("since"))
    .order_by(Task.updated_at.desc(), Task.id.desc())
    .limit(LATELY_TICKED)
)
LISTED = (
    *(WorkItem.id, WorkItem.title, WorkItem.status, WorkItem.priority, WorkItem.due),
    *COUNTS,
    _as_array(TO_DO).label("to_do"),
    _as_array(TICKED).label("ticked"),
)
BY_STATUS = Kept(
    select(WorkItem.status, func.count().label("number")).where(WorkItem.deleted_at.is_(None)).group_by(WorkItem.status)
)


@lru_cache(128)
def _page(filters: Filters, today: date, columns: tuple[Any, ...]) -> Kept:
    """Its ids first: where SQLite has to sort what fits, it would count the tasks of all of them."""
    order = (WorkItem.position, WorkItem.id)
    fitting = matching(filters, today).where(tuple_(*order) > PLACE).with_only_columns(WorkItem.id).order_by(*order)
    page = fitting.limit(bindparam("many")).offset(bindparam("before"))
    return Kept(select(*columns).where(WorkItem.id.in_(page)).order_by(*order))


@lru_cache(128)
def _count(filters: Filters, today: date) -> Kept:
    return Kept(matching(filters, today).with_only_columns(func.count().label("number")))


# --- one work item ----------------------------------------------------------------------------------------

ONE_ITEM = Kept(select(*ITEM).where(WorkItem.id == bindparam("id")))
TASKS_OF_ONE = Kept(
    select(*TASK)
    .where(Task.work_item_id == bindparam("id"), Task.deleted_at.is_(None), tuple_(Task.position, Task.id) > PLACE)
    .order_by(Task.position, Task.id)
    .limit(bindparam("many"))
    .offset(bindparam("before"))
)
ONE_TASK = aliased(Task)
BEFORE_ONE = (
    select(func.count())
    .select_from(ONE_TASK)
    .join(Task, Task.work_item_id == ONE_TASK.work_item_id)
    .where(
        ONE_TASK.id == bindparam("id"),
        Task.deleted_at.is_(None),
        tuple_(Task.position, Task.id) < tuple_(ONE_TASK.position, ONE_TASK.id),
    )
)
EVENTS_OF_ONE = Kept(
    select(Event.at, Event.action, Event.detail, User.email)
    .outerjoin(User, User.id == Event.user_id)
    .where(Event.work_item_id == bindparam("id"))
    .order_by(Event.id.desc())
    .limit(20)
)


def get_item(connection: Connection, item_id: int) -> Any:
    """With `tasks_done` and `tasks_total`. Raises NotFound where there is none, or where it lies in the trash."""
    return _live(ONE_ITEM.first(connection, id=item_id) if 0 < item_id <= LARGEST_ID else None, item_id)


def get_item_alone(database: Database, item_id: int) -> Any:
    """The same where nothing else is to be seen of that moment."""
    return _live(database.first_row(ONE_ITEM, id=item_id) if 0 < item_id <= LARGEST_ID else None, item_id)


def _live(found: Any, item_id: int) -> Any:
    if found is None:
        raise missing("work item", item_id)
    if found.deleted_at:
        raise in_trash(found.title)
    return found


def list_tasks(
    connection: Connection, item_id: int, *, limit: int, offset: int = 0, after: Place = TOP
) -> Sequence[Any]:
    """Tasks of the item, in their order, from behind a place on."""
    return TASKS_OF_ONE.all(connection, id=item_id, many=limit, before=offset, **_behind(after))


def tasks_before(connection: Connection, task_id: int) -> int:
    """How many tasks of its work item stand before this one."""
    return connection.execute(BEFORE_ONE, {"id": task_id}).scalar_one()


def list_events(connection: Connection, item_id: int) -> Sequence[Any]:
    """What happened to the item lately, the latest first; `email` is None for the local user."""
    return EVENTS_OF_ONE.all(connection, id=item_id)
