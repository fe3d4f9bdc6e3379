"""From positions without a gap to sort keys, from rows without a version to rows with one."""

import shutil
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from app import create_app
from app.backup.copies.snapshot import snapshot
from app.backup.copies.upgrade import upgrade
from app.backup.copies.verify import verify
from app.backup.restoring.restore import restore
from app.database import migrations
from app.database.engine import Database
from app.domain import shown, tasks, work_items
from app.domain.models import WorkItem
from app.domain.ordering import END, FIRST, LOWEST, STEP
from app.domain.schemas import Filters, WorkItemChange
from app.errors import CannotStart
from app.settings import load
from app.storage.mounts import storage_under
from tests.app.older_code import database_of_schema

TIME = "2026-11-01 12:00:00.000000"
# In an order of their own, one place twice, one in the trash.
ITEMS = {1: (3, None), 2: (1, None), 3: (2, TIME), 4: (2, None)}
TASKS = {1: (1, 2), 2: (1, 1), 3: (2, 7), 4: (1, 3)}


@pytest.fixture
def old(tmp_path: Path):
    """A database of the version before."""
    database = database_of_schema(storage_under(tmp_path / "a.db"), "0001", tmp_path / "old")
    with database.write() as session:
        for item, (position, deleted_at) in ITEMS.items():
            session.execute(
                text(
                    "INSERT INTO work_items (id, title, notes, status, priority, position, created_at, updated_at,"
                    " deleted_at) VALUES (:id, :title, 'mow', 'open', 'normal', :position, :time, :time, :deleted_at)"
                ),
                {"id": item, "title": f"item {item}", "position": position, "time": TIME, "deleted_at": deleted_at},
            )
        for task, (item, position) in TASKS.items():
            session.execute(
                text(
                    "INSERT INTO tasks (id, work_item_id, title, done, position, created_at, updated_at)"
                    " VALUES (:id, :item, :title, 0, :position, :time, :time)"
                ),
                {"id": task, "item": item, "title": f"task {task}", "position": position, "time": TIME},
            )
    yield database
    database.close()


def test_the_order_stays_and_the_keys_are_a_step_apart(old: Database):
    upgrade(old)
    with old.read() as session:
        items = session.execute(text("SELECT id, position FROM work_items ORDER BY position")).all()
        assert items == [(2, FIRST), (3, FIRST + STEP), (4, FIRST + 2 * STEP), (1, FIRST + 3 * STEP)]
        of_first = session.execute(text("SELECT id, position FROM tasks WHERE work_item_id = 1 ORDER BY position"))
        assert of_first.all() == [(2, FIRST), (1, FIRST + STEP), (4, FIRST + 2 * STEP)]
        assert tasks.get_task(session, 3).position == FIRST


def test_versions_begin_at_one_and_nothing_else_is_touched(old: Database):
    upgrade(old)
    with old.read() as session:
        for table in ("work_items", "tasks"):
            found = session.execute(text(f"SELECT DISTINCT version, created_at, updated_at FROM {table}")).all()
            assert found == [(1, TIME, TIME)]
    with old.write() as session:
        assert work_items.change_item(session, None, 1, WorkItemChange(title="new", after=None)).version == 2
        item = session.get(WorkItem, 1)
        assert item and item.position == FIRST - STEP


def test_what_the_version_before_wrote_is_found_by_a_search(old: Database):
    upgrade(old)
    with old.read_columns() as connection:

        def found(words: str) -> list[int]:
            items = shown.list_items(connection, Filters(q=words), date(2026, 11, 23), limit=9).rows
            return [item.id for item in items]

        assert found("task") == [2, 1]
        assert found("MOW item 4") == found("m i 4") == [4, 1]
        assert found("item") == [2, 4, 1], "the third lies in the trash"


def test_a_backup_of_the_version_before_is_restored_upgraded_and_searched(old: Database, tmp_path: Path):
    snapshot(old.storage, tmp_path / "backup.db", held=nullcontext(old))
    settings = load({"DATABASE_PATH": str(tmp_path / "new.db"), "AUTH_DISABLED": "true"})
    restore(tmp_path / "backup.db", storage_under(tmp_path / "new.db"))
    app = create_app(settings)
    try:
        page = app.test_client().get("/api/v1/work-items?q=task 3").json
        assert page and [item["title"] for item in page["items"]] == ["item 2"]
    finally:
        app.instance.stop()


def test_more_rows_than_there_are_steps_stay_within_the_numbers(old: Database, tmp_path: Path, monkeypatch):
    little_room = Path(shutil.copytree(migrations.FOLDER, tmp_path / "little"))
    file = next((little_room / "versions").glob("0002_*.py"))
    file.write_text(file.read_text().replace("ROOM = 2**30, 2**10, 2**30", "ROOM = 2**30, 2**10, 20"))
    monkeypatch.setattr(migrations, "FOLDER", little_room)
    upgrade(old)
    with old.read() as session:
        keys = session.execute(text("SELECT position FROM work_items ORDER BY position")).scalars().all()
    assert keys == [FIRST, FIRST + 4, FIRST + 8, FIRST + 12] and LOWEST <= keys[0] <= keys[-1] < END


def test_the_version_before_refuses_it_and_its_copy_is_that_versions(old: Database, tmp_path: Path, monkeypatch):
    newest = migrations.known_revisions()[-1]
    upgrade(old)
    (copy,) = old.storage.path.parent.glob("a-before-upgrade-to-*.db")
    assert verify(copy).contents.revision == "0001"
    monkeypatch.setattr(migrations, "FOLDER", tmp_path / "old")
    with pytest.raises(CannotStart, match=f"has schema {newest}; this version of Task Assist knows up to 0001"):
        upgrade(old)
