"""The tables. What may stand in them is in schemas.py; the other modules of this folder do something with them."""

import secrets
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database.base import Base, utc_now
from app.database.sqlite import CANARIES


def _index(table: str, *columns: str, where: str = "") -> Index:
    """`where`: only of these rows, in words that stand in the queries as well, or SQLite does not use it."""
    only = text(where) if where else None
    # Without postgresql_where, which would load that dialect at each start.
    return Index(f"ix_{table}_{'_'.join(columns)}", *columns, sqlite_where=only)


def new_session_key() -> str:
    """Random, so that no account ever gets one that another had: ids are given again after a restore."""
    return secrets.token_hex(16)


class User(Base):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(String(16))  # admin, member
    # Part of every session cookie: a new one signs the account out everywhere.
    session_key: Mapped[str] = mapped_column(String(32), default=new_session_key, server_default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ApiToken(Base):
    __tablename__ = "api_tokens"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(16))  # read, write, admin
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    last_used_on: Mapped[date | None]
    user: Mapped[User] = relationship()

    @property
    def email(self) -> str:
        return self.user.email


class WorkItem(Base):
    __tablename__ = "work_items"
    __table_args__ = (
        _index("work_items", "position"),
        _index("work_items", "deleted_at", "position"),
        _index("work_items", "deleted_at", "status", "position"),
        _index("work_items", "deleted_at", "status", "due", where="due IS NOT NULL"),
        Base.__table_args__,
    )

    title: Mapped[str]
    notes: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(String(16), default="open")  # open, done, archived
    priority: Mapped[str] = mapped_column(String(16), default="normal")  # high, normal, low
    due: Mapped[date | None]
    position: Mapped[int]  # a sort key (ordering.py)
    # Grows by one with each change of the row's own fields: a move, or a task of an item, does not count.
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    deleted_at: Mapped[datetime | None]
    # Without those in the trash, in their order.
    tasks: Mapped[list["Task"]] = relationship(
        back_populates="work_item",
        primaryjoin="and_(WorkItem.id == Task.work_item_id, Task.deleted_at.is_(None))",
        order_by="Task.position, Task.id",
        viewonly=True,
    )


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        _index("tasks", "work_item_id", "position"),
        _index("tasks", "due", "work_item_id", where="due IS NOT NULL AND done IS 0 AND deleted_at IS NULL"),
        _index("tasks", "deleted_at", where="deleted_at IS NOT NULL"),
        Base.__table_args__,
    )

    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id", ondelete="CASCADE"))
    title: Mapped[str]
    done: Mapped[bool] = mapped_column(default=False)
    due: Mapped[date | None]
    position: Mapped[int]  # a sort key (ordering.py)
    # Grows by one with each change of the row's own fields: a move, or a task of an item, does not count.
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    deleted_at: Mapped[datetime | None]
    work_item: Mapped[WorkItem] = relationship(back_populates="tasks", viewonly=True)


class Event(Base):
    """Who did what to a work item, and when: its history."""

    __tablename__ = "events"
    __table_args__ = (_index("events", "user_id", where="user_id IS NOT NULL"), Base.__table_args__)

    at: Mapped[datetime] = mapped_column(default=utc_now)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id", ondelete="CASCADE"), index=True)
    action: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(default="")
    user: Mapped[User | None] = relationship()


class Canary(Base):
    """No data of anybody's: what a drill looks for in a backup (app/database/canary.py)."""

    __tablename__ = CANARIES

    word: Mapped[str] = mapped_column(String(32))
