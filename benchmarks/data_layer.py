"""Commits and point reads a second, one after the other, in a new database in FOLDER; prints them as JSON.

A commit adds one work item. Reads are by primary key, ten in a session, as a page makes them. Both go through
SQLAlchemy's sessions; the reads don't build objects, which takes its time wherever the file is.
usage: python3 benchmarks/data_layer.py ours|defaults FOLDER [SECONDS]     seconds a figure, default 5
`ours` is app.database.engine; `defaults` is what SQLAlchemy's create_engine("sqlite:///...") does.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from sqlalchemy import create_engine  # noqa: E402
from sqlalchemy.exc import DatabaseError  # noqa: E402
from sqlalchemy.orm import Session, sessionmaker  # noqa: E402

from app.database import migrations  # noqa: E402
from app.database.engine import Database  # noqa: E402
from app.domain.models import Base, WorkItem  # noqa: E402
from app.storage.mounts import storage_under  # noqa: E402

READS_IN_A_SESSION = 10
Sessions = Callable[[], AbstractContextManager[Session]]


def defaults(file: Path) -> tuple[Sessions, Sessions]:
    """Sessions that read, and sessions that write."""
    engine = create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    return sessions, sessions.begin


def ours(file: Path) -> tuple[Sessions, Sessions]:
    database = Database(storage_under(file))
    migrations.upgrade(database)
    return database.read, database.write


def rate(once: Callable[[], object], seconds: float) -> float:
    """How often a second it can be done."""
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        once()
        done += 1
    return done / (time.perf_counter() - began)


def rates(reading: Sessions, writing: Sessions, seconds: float) -> dict[str, float]:
    positions = count(1)

    def commit() -> None:
        with writing() as session:
            session.add(WorkItem(title="one of many", position=next(positions)))

    commits = rate(commit, seconds)
    rows = next(positions) - 1

    def read() -> None:
        with reading() as session:
            connection = session.connection()
            for _ in range(READS_IN_A_SESSION):
                number = random.randint(1, rows)
                assert connection.exec_driver_sql("SELECT title FROM work_items WHERE id = ?", (number,)).one()

    return {"commits": commits, "reads": READS_IN_A_SESSION * rate(read, seconds)}


def main(kind: str, folder: str, seconds: str = "5") -> None:
    Path(folder).mkdir(parents=True)
    try:
        reading, writing = {"defaults": defaults, "ours": ours}[kind](Path(folder, "task_manager.db"))
        print(json.dumps(rates(reading, writing, float(seconds))))
    except DatabaseError as error:
        print(json.dumps({"failed": str(error.orig)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
