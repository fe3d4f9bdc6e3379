"""A kept statement says the same as SQLAlchemy does with it, each time."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import bindparam, insert, select

from app.database.engine import Database
from app.database.kept import Kept
from app.domain.models import User, WorkItem

GIVEN = {"title": "one", "status": "open", "due": date(2026, 11, 27), "position": 2**30}
ITEM = select(*WorkItem.__table__.columns).where(WorkItem.id == bindparam("id")).limit(1)


def test_a_row_goes_in_and_comes_out_as_with_sqlalchemy(database: Database):
    add = Kept(insert(WorkItem).returning(*WorkItem.__table__.columns), *GIVEN)
    with database.write_columns() as connection:
        added = add.first(connection, **GIVEN)
        again = add.first(connection, **GIVEN | {"due": None})
        assert added == connection.execute(ITEM, {"id": added.id}).one() == Kept(ITEM).first(connection, id=added.id)
        assert again == connection.execute(ITEM, {"id": again.id}).one() == Kept(ITEM).first(connection, id=again.id)
    assert (added.due, again.due, added.notes, added.version) == (date(2026, 11, 27), None, "", 1)
    assert added.created_at.tzinfo is UTC
    assert abs((datetime.now(UTC) - added.created_at).total_seconds()) < 60


def test_where_there_is_no_row(database: Database):
    with database.read_columns() as connection:
        assert Kept(ITEM).first(connection, id=7) is None
        assert Kept(ITEM).all(connection, id=7) == []


def test_it_is_part_of_the_transaction(database: Database):
    add = Kept(insert(User), "email", "password_hash", "role")
    with pytest.raises(RuntimeError, match="undo"), database.write() as session:
        add.run(session.connection(), email="ann@example.com", password_hash="", role="admin")
        raise RuntimeError("undo")
    with database.read_columns() as connection:
        assert connection.execute(select(User.id)).all() == []


def test_all_rows_in_one_step_are_those_of_many_in_the_same_order(database: Database):
    """Also what JSON writes otherwise: quotes, what has no letters, JSON itself, nothing, yes and no, days."""
    titles = ['say "a\\b"', "ä 日本 \U0001f600", '[1, {"a": null}]', "", "x" * 5000]
    add = Kept(insert(WorkItem).returning(WorkItem.id), *GIVEN)
    listed = Kept(
        select(WorkItem.id, WorkItem.title, WorkItem.due, WorkItem.created_at, (WorkItem.id > 2).label("late"))
        .where(WorkItem.position > bindparam("above"))
        .order_by(WorkItem.title.desc())
    )
    with database.write_columns() as connection:
        for number, title in enumerate(titles):
            due = None if number % 2 else date(2026, 11, 28)
            add.first(connection, **GIVEN | {"title": title, "due": due, "position": number})
        found = listed.all(connection, above=0)
        assert found == list(listed.each(connection, above=0))
        assert [row.title for row in found] == sorted(titles[1:], reverse=True)
        assert [(row.late, row.due) for row in found if row.id == 3] == [(True, date(2026, 11, 28))]
        assert listed.all(connection, above=100) == []


def test_a_blob_that_somebody_put_in_by_hand_is_read_as_the_text_that_it_is(database: Database):
    listed = Kept(select(WorkItem.id, WorkItem.title))
    add = Kept(insert(WorkItem).returning(WorkItem.id), *GIVEN)
    with database.write_columns() as connection:
        add.first(connection, **GIVEN)
        connection.exec_driver_sql("UPDATE work_items SET title = x'4d696c6b'")
        assert listed.all(connection) == [(1, "Milk")]
