"""The order of work items and tasks: where each stands, and how few rows a move writes."""

import random
from datetime import date
from itertools import pairwise

import pytest
from sqlalchemy import event, select

from app.database.engine import Database
from app.domain import tasks, work_items
from app.domain.models import Task, WorkItem
from app.domain.ordering import AROUND, END, FIRST, LOWEST, STEP
from app.domain.schemas import Filters, TaskChange, WorkItemChange
from app.errors import Invalid
from tests.app.domain.test_work_items import add, add_tasks, task_titles, titles

TODAY = date(2026, 11, 23)


def change(database: Database, item: int, **fields) -> int:
    """The item's key afterwards."""
    with database.write() as session:
        return work_items.change_item(session, None, item, WorkItemChange(**fields)).position


def keys(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(WorkItem.position).order_by(WorkItem.position)))


def set_keys(database: Database, *of: tuple[int, int]) -> None:
    with database.write() as session:
        for item, key in of:
            work_items.get_item(session, item).position = key


def test_the_first_key_is_in_the_middle_and_a_new_one_a_step_away(database):
    item, *_ = add(database, "A", "B", "C")
    add_tasks(database, item, "a", "b")
    assert keys(database) == [FIRST - 2 * STEP, FIRST - STEP, FIRST]
    with database.read() as session:
        assert list(session.scalars(select(Task.position).order_by(Task.id))) == [FIRST, FIRST + STEP]


# --- where it stands --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "expected"), [(1, "CABDE"), (2, "ACBDE"), (3, "ABCDE"), (4, "ABDCE"), (5, "ABDEC"), (99, "ABDEC")]
)
def test_a_small_position_is_a_rank(database, rank: int, expected: str):
    ids = add(database, *"ABCDE")
    change(database, ids[2], position=rank)
    assert "".join(titles(database)) == expected


def test_a_rank_counts_those_that_are_not_in_the_trash(database):
    a, _b, c, d = add(database, *"ABCD")
    with database.write() as session:
        work_items.delete_item(session, None, a)
    change(database, d, position=2)
    assert titles(database) == ["B", "D", "C"]
    change(database, c, position=1)
    assert titles(database) == ["C", "B", "D"]


@pytest.mark.parametrize(
    ("moved", "place", "expected"), [("C", "A", "CABDE"), ("A", "C", "BCADE"), ("E", "D", "ABCED"), ("B", "B", "ABCDE")]
)
def test_a_key_that_another_has_is_that_ones_place(database, moved: str, place: str, expected: str):
    ids = dict(zip("ABCDE", add(database, *"ABCDE"), strict=True))
    with database.read() as session:
        key = work_items.get_item(session, ids[place]).position
    change(database, ids[moved], position=key)
    assert "".join(titles(database)) == expected


def test_a_free_key_is_taken_as_it_is_and_one_beyond_the_ends_is_a_step_away(database):
    _a, b, c = add(database, *"ABC")
    assert change(database, c, position=FIRST - STEP - 7) == FIRST - STEP - 7
    assert titles(database) == ["A", "C", "B"]
    assert change(database, c, position=2**31) == FIRST - STEP + STEP
    assert change(database, b, position=LOWEST) == FIRST - 3 * STEP
    assert titles(database) == ["B", "A", "C"]


@pytest.mark.parametrize(("moved", "after", "expected"), [
    ("D", "A", "ADBCE"), ("A", "E", "BCDEA"), ("B", "A", "ABCDE"), ("C", None, "CABDE"), ("A", None, "ABCDE"),
])  # fmt: skip
def test_after_names_the_one_before_it_and_null_the_top(database, moved: str, after: str | None, expected: str):
    ids = dict(zip("ABCDE", add(database, *"ABCDE"), strict=True))
    change(database, ids[moved], after=ids[after] if after else None)
    assert "".join(titles(database)) == expected


def test_after_another_that_is_not_there_is_told_and_nothing_moves(database):
    a, b, gone = add(database, *"ABC")
    one, two = add_tasks(database, a, "1", "2")
    (elsewhere,) = add_tasks(database, b, "x")
    with database.write() as session:
        work_items.delete_item(session, None, gone)
    for wrong in (a, gone, 99):
        with pytest.raises(Invalid) as refused:
            change(database, a, after=wrong, title="changed")
        assert refused.value.fields == {"after": f"There is no other work item {wrong}."}
    for wrong in (one, elsewhere, 99):
        with database.write() as session, pytest.raises(Invalid) as refused:
            tasks.change_task(session, None, one, TaskChange(after=wrong))
        assert refused.value.fields == {"after": f"There is no other task of this work item {wrong}."}
    assert titles(database) == ["A", "B"] and task_titles(database, a) == ["1", "2"]
    with database.write() as session:
        tasks.change_task(session, None, one, TaskChange(after=two))
    assert task_titles(database, a) == ["2", "1"]


def test_up_and_down_move_past_the_visible_neighbour(database):
    a, b, c = add(database, "A", "B", "C")
    with database.write() as session:
        work_items.change_item(session, None, b, WorkItemChange(status="done"))
        work_items.move_item(session, c, "up", Filters(status="open"), TODAY)
    assert titles(database, status="open") == ["C", "A"]
    with database.write() as session:
        work_items.move_item(session, c, "up", Filters(status="open"), TODAY)
        work_items.move_item(session, a, "down", Filters(status="open"), TODAY)
    assert titles(database, status="open") == ["C", "A"], "at the end nothing moves"


def test_tasks_move_within_their_item_only(database):
    one, two = add(database, "one", "two")
    a, b, c = add_tasks(database, one, "a", "b", "c")
    add_tasks(database, two, "x", "y")
    with database.write() as session:
        tasks.move_task(session, c, "up")
        tasks.change_task(session, None, a, TaskChange(position=3))
        tasks.delete_task(session, None, b)
        tasks.move_task(session, a, "up")
    assert task_titles(database, one) == ["a", "c"]
    assert task_titles(database, two) == ["x", "y"]


def test_a_restored_item_comes_back_to_its_place(database):
    _a, b, c = add(database, "A", "B", "C")
    with database.write() as session:
        work_items.delete_item(session, None, b)
    with database.write() as session:
        work_items.move_item(session, c, "up", Filters(), TODAY)
        work_items.move_item(session, c, "down", Filters(), TODAY)
        work_items.restore_item(session, None, b)
    assert titles(database)[0] == "A" and sorted(titles(database)) == ["A", "B", "C"]
    assert len(set(keys(database))) == 3


def test_a_hundred_moves_of_every_kind_end_as_they_do_in_a_list(database):
    chance, expected = random.Random(17), list(add(database, *map(str, range(12))))
    for _ in range(100):
        moved = chance.choice(expected)
        others = [item for item in expected if item != moved]
        match chance.choice(("rank", "after", "up", "down")):
            case "rank":
                place = chance.randrange(len(expected))
                change(database, moved, position=place + 1)
            case "after":
                place = chance.randrange(len(expected))
                change(database, moved, after=others[place - 1] if place else None)
            case way:
                place = min(max(expected.index(moved) + (1 if way == "down" else -1), 0), len(others))
                with database.write() as session:
                    work_items.move_item(session, moved, way, Filters(), TODAY)  # pyright: ignore[reportArgumentType]
        expected = [*others[:place], moved, *others[place:]]
        assert [int(title) for title in titles(database)] == [12 - item for item in expected]


# --- where there is no room -------------------------------------------------------------------------------


@pytest.fixture
def written(database: Database):
    """The rows that were written since the list was emptied, by their ids: None for those of a move itself."""
    rows: list[int | None] = []

    def note(_connection, _cursor, statement: str, parameters, _context, many: bool) -> None:
        if statement.startswith("UPDATE"):
            rows.extend([each[-1] for each in parameters] if many else [None])

    event.listen(database._engine, "before_cursor_execute", note)
    yield rows
    event.remove(database._engine, "before_cursor_execute", note)


def test_a_move_writes_one_row(database, written: list):
    ids = add(database, *"ABCDE")
    written.clear()
    change(database, ids[4], after=ids[0])
    assert written == [None]


def test_a_used_up_gap_spreads_the_64_rows_around_and_no_other(database, written: list):
    ids = add(database, *map(str, range(100)))
    before = keys(database)
    set_keys(database, (ids[50], before[49] + 1))
    written.clear()
    change(database, ids[99], after=ids[49])
    assert sorted(row for row in written if row) == sorted(ids[18:82]) and len(ids[18:82]) == 2 * AROUND
    expected = [*range(50), 99, *range(50, 99)]
    assert [int(title) for title in titles(database)] == expected
    now = keys(database)
    assert now[:18] == before[:18] and now[83:] == before[82:99], "no other moved"
    assert min(high - low for low, high in pairwise(now)) > STEP // 2


def test_rows_that_are_spread_keep_their_version_and_their_time(database):
    a, b, c = add(database, "A", "B", "C")
    set_keys(database, (a, FIRST), (b, FIRST + 1), (c, FIRST + 9))
    with database.read() as session:
        before = work_items.get_item(session, b)
    with database.write() as session:
        seen = work_items.get_item(session, b)
        work_items.change_item(session, None, c, WorkItemChange(after=a))
        assert seen.position == session.scalar(select(WorkItem.position).where(WorkItem.id == b)), "also in a session"
    with database.read() as session:
        after = work_items.get_item(session, b)
    assert after.position != before.position
    assert (after.version, after.updated_at) == (before.version, before.updated_at)


def test_thousands_at_one_place_keep_their_order_and_cost_a_few_rows_each(database, written: list):
    first, last = add(database, "first", "last")
    places = [first]
    with database.write() as session:
        for number in range(1500):
            item = WorkItem(title=f"{number}", position=END - 1)
            session.add(item)
            session.flush()
            work_items.change_item(session, None, item.id, WorkItemChange(after=first))
            places.insert(1, item.id)
    with database.read() as session:
        assert list(session.scalars(select(WorkItem.id).order_by(WorkItem.position))) == [*places, last]
    assert len(written) < 1500 * 2 * AROUND


@pytest.mark.parametrize("edge", ["top", "end"])
def test_at_the_ends_of_the_numbers_there_is_room_again(database, edge: str):
    item, other = add(database, "item", "other")
    ids = add_tasks(database, item, *map(str, range(100)))
    with database.write() as session:
        for place, task in enumerate(ids):
            session.get(Task, task).position = LOWEST + place if edge == "top" else END - 100 + place
        session.get(WorkItem, item).position = LOWEST
    (late,) = add_tasks(database, item, "late")
    with database.write() as session:
        tasks.change_task(session, None, ids[50], TaskChange(after=None))
        tasks.change_task(session, None, ids[40], TaskChange(after=late))
    expected = [50, *(each for each in range(100) if each not in (40, 50))]
    assert task_titles(database, item) == [*map(str, expected), "late", "40"]
    add(database, "new")
    assert titles(database) == ["new", "item", "other"]
    with database.read() as session:
        assert all(LOWEST <= key < END for key in session.scalars(select(Task.position)))
        assert other and len(set(session.scalars(select(Task.position)))) == 101
