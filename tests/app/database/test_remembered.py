"""What was counted holds until the next write, and not for a moment longer."""

import sqlite3
import time
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import Connection, select, text

from app.database import kept
from app.database import remembered as memory
from app.database.engine import Database
from app.database.kept import Kept, run
from app.database.remembered import AT_MOST, remembered
from app.domain import accounts, shown, work_items
from app.domain.models import User
from app.domain.passwords import PasswordHash
from app.domain.schemas import NewWorkItem

EMAIL = Kept(select(User.email))
INSERT = (
    "INSERT INTO users (email, password_hash, role, created_at) VALUES (:email, '', 'admin', '2026-11-27 00:00:00')"
)


def users(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM users")).scalar_one()


def add_user(database: Database, email: str) -> None:
    with database.write() as session:
        session.execute(text(INSERT), {"email": email})


def test_a_question_is_asked_once_until_something_is_written(database: Database):
    asked = []

    def ask(connection: Connection) -> int:
        asked.append(users(connection))
        return asked[-1]

    for number in (0, 1, 2):
        for _ in range(3):
            with database.read_columns() as connection:
                assert remembered(connection, "users", lambda: ask(connection)) == number
        add_user(database, f"{number}@example.com")
    assert asked == [0, 1, 2]


def test_who_reads_the_moment_before_a_write_leaves_nothing_for_those_after_it(database: Database):
    with database.read_columns() as before:
        assert users(before) == 0
        add_user(database, "ann@example.com")
        assert remembered(before, "users", lambda: users(before)) == 0
    with database.read_columns() as after:
        assert remembered(after, "users", lambda: users(after)) == 1


def test_a_write_that_fails_leaves_nothing_remembered_either(database: Database):
    with pytest.raises(RuntimeError, match="undo"), database.write() as session:
        work_items.add_item(session.connection(), None, NewWorkItem(title="one"))
        assert shown.count_by_status(session.connection()).open == 1
        raise RuntimeError("undo")
    with database.read_columns() as connection:
        assert shown.count_by_status(connection).open == 0


def test_what_somebody_wrote_beside_the_app_is_seen_after_some_seconds(database: Database, monkeypatch):
    def count() -> int:
        with database.read_columns() as connection:
            return remembered(connection, "users", lambda: users(connection))

    now = time.monotonic()
    monkeypatch.setattr(memory.time, "monotonic", lambda: now)
    database._remembered.forget()
    assert count() == 0
    with closing(sqlite3.connect(database.storage.path)) as by_hand, by_hand:
        by_hand.execute(INSERT, {"email": "ann@example.com"})
    assert count() == 0
    now += memory.SECONDS + 1
    assert count() == 1


def test_there_is_a_bound(database: Database):
    with database.read_columns() as connection:
        for number in range(3 * AT_MOST):
            assert remembered(connection, number, partial(int, number)) == number
        assert len(connection.get_execution_options()["remembered"]) <= AT_MOST


def test_a_new_password_signs_out_at_once(database: Database):
    add_user(database, "ann@example.com")
    before = accounts.find_by_id(database, 1).session_key
    with database.write() as session:
        accounts.set_password(accounts.get_account(session, 1), PasswordHash("another"))
    assert accounts.find_by_id(database, 1).session_key != before


def test_who_asks_is_known_on_when_a_work_item_is_new(database: Database, monkeypatch):
    asked = []
    add_user(database, "ann@example.com")
    monkeypatch.setattr(kept, "run", lambda *given: asked.append(given[1]) or run(*given))

    def email() -> str:
        return database.known_of_accounts(EMAIL).email

    assert email() == "ann@example.com"
    with database.write_columns() as connection:
        work_items.add_item(connection, None, NewWorkItem(title="one"))
    assert email() == "ann@example.com"
    assert len([sql for sql in asked if "users" in sql]) == 1
    with database.write() as session:
        session.execute(text("UPDATE users SET email = 'bob@example.com'"))
    assert email() == "bob@example.com"
