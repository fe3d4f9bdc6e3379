"""The order in which work items, and the tasks of one, stand: `position` is a sort key with room for others beside it.

So a move writes one row. A new key is a step from the last one at an end, and the middle between two others. Where two
have no key between them any more, the rows around are spread anew: a few dozen, or where it is very crowded, more.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Select, bindparam, func, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.database.kept import Kept
from app.domain.models import Task, WorkItem
from app.domain.rows import Row
from app.errors import Invalid

FIRST, STEP = 2**30, 2**10
LOWEST, END = 2**20, 2**31
"""Keys are from LOWEST on and below END; a smaller number is a rank, 1 for the first."""
AROUND = 32
"""Rows on either side that are spread anew together."""
ROOMY = 8
"""Keys for each row, at least, when they were: so that it is not needed again at once."""

FIRST_KEY = Kept(select(func.min(WorkItem.position).label("first")))
LAST_KEY = select(func.max(Task.position)).where(Task.work_item_id == bindparam("item_id"))

Direction = Literal["up", "down"]


def key_on_top(connection: Connection) -> int:
    """Of a new work item."""
    first = FIRST_KEY.scalar(connection)
    if first and first - STEP >= LOWEST:
        return first - STEP
    with Session(connection) as session:
        return _Order(session, WorkItem).key_before(LOWEST)


def key_at_end(session: Session, item_id: int) -> int:
    """Of a new task of the item."""
    last = session.connection().execute(LAST_KEY, {"item_id": item_id}).scalar()
    if last and last + STEP < END:
        return last + STEP
    return _Order(session, Task, item_id).key_before(END)


def move_to(session: Session, row: WorkItem | Task, position: int) -> None:
    """To a rank among those that are not in the trash, or to a key: where another has it, to that one's place."""
    order = _order_of(session, row)
    if position < LOWEST:
        row.position = order.key_before(order.key_of_rank(position))
    elif order.is_free(position):
        row.position = position
    else:
        row.position = order.key_before(position + (position > row.position))


def move_after(session: Session, row: WorkItem | Task, other_id: int | None) -> None:
    """To the place behind the other, or to the top. Raises Invalid where the other does not stand in its order."""
    order = _order_of(session, row)
    row.position = order.key_before(LOWEST if other_id is None else order.key_of(other_id) + 1)


def move_past_neighbour(session: Session, row: Row, direction: Direction, visible: Select[Row]) -> None:
    table = type(row)
    if direction == "up":
        neighbours = visible.where(table.position < row.position).order_by(table.position.desc())
    else:
        neighbours = visible.where(table.position > row.position).order_by(table.position)
    neighbour = session.scalar(neighbours.limit(1))
    if neighbour:
        row.position = _order_of(session, row).key_before(neighbour.position + (direction == "down"))


def _order_of(session: Session, row: WorkItem | Task) -> "_Order":
    return _Order(session, type(row), row.work_item_id if isinstance(row, Task) else None, row)


class _Order:
    """Those that share an order, in the trash or not: a restored one comes back to its old place.

    Without `moving`, the one among them that is to have another key.
    """

    def __init__(
        self,
        session: Session,
        table: type[WorkItem | Task],
        item_id: int | None = None,
        moving: WorkItem | Task | None = None,
    ) -> None:
        self._session, self._table, self._moving = session, table, moving
        whole = table.work_item_id == item_id if issubclass(table, Task) else true()
        self._rows = select(table.id, table.position).where(whole)
        if moving:
            self._rows = self._rows.where(table.id != moving.id)

    def key_before(self, key: int) -> int:
        """A free one before those that have `key` or a higher one, and behind all others."""
        low, high = self._keys_beside(key)
        if self._moving and low < self._moving.position < high:
            return self._moving.position
        middle = (low + high) // 2
        if low >= LOWEST and high == END:
            middle = min(middle, low + STEP)
        elif low < LOWEST:
            middle = FIRST if high == END else max(middle, high - STEP)
        return middle if low < middle < high else self._make_room(key)

    def key_of_rank(self, rank: int) -> int:
        """The key of the one that has this rank, without those in the trash; END where there are fewer."""
        live = self._rows.where(self._table.deleted_at.is_(None)).order_by(self._table.position)
        found = self._session.execute(live.offset(rank - 1).limit(1)).first()
        return found.position if found else END

    def key_of(self, row_id: int) -> int:
        """Raises Invalid where no such row stands in this order."""
        wanted = self._rows.where(self._table.id == row_id, self._table.deleted_at.is_(None))
        if found := self._session.execute(wanted).first():
            return found.position
        kind = "other work item" if self._table is WorkItem else "other task of this work item"
        raise Invalid("It was not moved.", fields={"after": f"There is no {kind} {row_id}."})

    def is_free(self, key: int) -> bool:
        """Has nobody this key, and is it between two others'? At the ends a key is a step from the last."""
        low, high = self._keys_beside(key)
        return low >= LOWEST and key < high < END

    def _keys_beside(self, key: int) -> tuple[int, int]:
        """The highest one below `key`, and the lowest one from it on."""
        below, above = self._beside(key, 1)
        return (below[0].position if below else LOWEST - 1), (above[0].position if above else END)

    def _beside(self, key: int, many: int) -> tuple[Sequence[Any], Sequence[Any]]:
        """So many rows with a lower key, the nearest first, and so many with this one or a higher."""
        position = self._table.position
        below = self._rows.where(position < key).order_by(position.desc()).limit(many)
        above = self._rows.where(position >= key).order_by(position).limit(many)
        return self._session.execute(below).all(), self._session.execute(above).all()

    def _make_room(self, key: int) -> int:
        """Spreads the rows around, and gives the key that is then free before those that had `key` or a higher one."""
        low, step, before, behind = self._rows_around(key, AROUND)
        keys = [low + step * place for place in range(1, len(before) + len(behind) + 2)]
        free = keys.pop(len(before))
        self._write({row.id: key for row, key in zip([*before, *behind], keys, strict=True)})
        return free

    def _rows_around(self, key: int, many: int) -> tuple[int, int, Sequence[Any], Sequence[Any]]:
        """So many on either side, or more: the key they begin behind, the step that they can be apart, and they."""
        below, above = self._beside(key, many + 1)
        low = below[many].position if len(below) > many else LOWEST - 1
        high = above[many].position if len(above) > many else END
        before, behind = below[:many][::-1], above[:many]
        step = (high - low) // (len(before) + len(behind) + 2)
        return (low, step, before, behind) if step >= ROOMY else self._rows_around(key, 2 * many)

    def _write(self, keys: dict[int, int]) -> None:
        table = self._table
        spread = update(table).where(table.id == bindparam("of")).values(position=bindparam("key"))
        self._session.connection().execute(
            spread.values(updated_at=table.updated_at), [{"of": row_id, "key": key} for row_id, key in keys.items()]
        )
        for row in self._session.identity_map.values():
            if isinstance(row, self._table) and row.id in keys:
                set_committed_value(row, "position", keys[row.id])
