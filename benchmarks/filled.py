"""A database of the version before schema 0002 with ITEMS work items of 3 tasks each, brought to the schema of today.

usage, by benchmarks/growth: python3 benchmarks/filled.py FILE ITEMS. Prints as JSON the seconds of the upgrade, with
its checked copy as at a start, and the bytes of the file before and after.

What is searched for: `hitNN` stands in a hundredth of the items, `thirdN` in a third, `q7` in a thousandth, and each of
TEN in a third of them, by chance. A hundred items are due today, whatever the number.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

from app import logs  # noqa: E402
from app.backup.copies.upgrade import path_of_copy, upgrade  # noqa: E402
from app.database import migrations  # noqa: E402
from app.database.engine import Database  # noqa: E402
from app.storage.mounts import storage_under  # noqa: E402

TASKS, DUE = 3, 100
TEN = "apricot blossom cinnamon dolphin elephant fountain gymnast hydrant island juniper".split()
SYLLABLES = "ba ke lo mi nu ra se ti vo za chen dorf gar ten haus wein lich keit ung ver ent".split()
ITEM = (
    "INSERT INTO work_items (id, title, notes, status, priority, due, position, created_at, updated_at)"
    " VALUES (?, ?, ?, 'open', 'normal', ?, ?, ?, ?)"
)
TASK = "INSERT INTO tasks (work_item_id, title, done, position, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)"


def old_database(file: Path) -> Database:
    """As the version before made it."""
    from alembic import command
    from alembic.config import Config

    database, config = Database(storage_under(file)), Config()
    with database.connection() as connection:
        config.set_main_option("script_location", str(migrations.FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    return database


def fill(sqlite: Any, items: int) -> None:
    chance = random.Random(17)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000)]
    now, today = datetime.now(UTC).replace(tzinfo=None).isoformat(" "), time.strftime("%Y-%m-%d")

    def some(number: int) -> str:
        return " ".join(chance.choices(words, k=number))

    def rows() -> Iterator[tuple[Any, ...]]:
        for item in range(1, items + 1):
            marks = [f"hit{item % 100:02}", f"third{item % 3}", *(["q7"] if item % 1000 == 1 else [])]
            ten = [word for word in TEN if chance.random() < 1 / 3]
            due = today if item <= DUE else None
            yield item, f"{some(4)} {marks[0]}", f"{some(12)} {' '.join([*marks[1:], *ten])}", due, item, now, now

    sqlite.executemany(ITEM, rows())
    tasks = (
        (1 + number // TASKS, some(4), number % TASKS == 0, number % TASKS, now, now) for number in range(items * TASKS)
    )
    sqlite.executemany(TASK, tasks)


def main(name: str, items: str) -> None:
    logs.init("warning")
    file = Path(name)
    database = old_database(file)
    with database.write() as session:
        fill(session.connection().connection.driver_connection, int(items))
    database.checkpoint()
    before = file.stat().st_size
    began = time.perf_counter()
    upgrade(database)
    took = time.perf_counter() - began
    database.close()
    path_of_copy(file).unlink()
    print(json.dumps({"seconds": took, "before": before, "after": file.stat().st_size}))


if __name__ == "__main__":
    main(*sys.argv[1:])
