"""SQLite itself, below SQLAlchemy: its driver, the mark of this app's files, and how one is opened on each storage.

The backup commands need only this. SQLAlchemy would cost them 20 MB of memory and most of their start.
"""

from importlib import import_module
from types import ModuleType
from typing import Literal
from urllib.parse import quote

from app.storage.mounts import Storage

APPLICATION_ID = 0x5441736B
"""SQLite's application_id of a Task Assist database ("TAsk"), so that another app's file is not taken for one."""
TABLES = frozenset(("users", "api_tokens", "work_items", "tasks", "events"))
"""The names of the tables in models.py."""


def sqlite_driver() -> ModuleType:
    """pysqlite3 with its own, newer SQLite where it is installed, else Python's."""
    try:
        return import_module("pysqlite3")
    except ImportError:
        return import_module("sqlite3")


def sqlite_uri(storage: Storage, mode: Literal["rw", "rwc"] = "rwc") -> str:
    """How SQLite opens the database with the locks of its profile; "rw" fails where there is no file yet."""
    vfs = "&vfs=unix-excl" if storage.profile == "exclusive" else ""
    # Quoted, so that a "#" or "?" in the path does not open another file.
    return f"file://{quote(str(storage.path))}?mode={mode}{vfs}"
