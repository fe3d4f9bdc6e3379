"""An upgrade of a filled database: nothing in it is lost, and what it was is kept beside it."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from app import create_app
from app.backup.copies.upgrade import path_of_copy, upgrade
from app.backup.copies.verify import verify
from app.database import migrations
from app.database.connections import PRAGMAS
from app.database.engine import Database
from app.domain.schemas import NewTask, NewWorkItem
from app.domain.tasks import add_task
from app.domain.work_items import add_item
from app.errors import CannotStart, Damaged, StorageFull
from app.settings import Settings
from app.storage.mounts import storage_under
from tests.app.backup.databases import add_items, names, overwrite_first_page

HEAD = migrations.known_revisions()[-1]
NEXT = f"{int(HEAD) + 1:04}"
ALTER = """
    with op.batch_alter_table("work_items") as table:
        table.alter_column("notes", nullable=True)
"""


@pytest.fixture(params=["shared", "exclusive"])
def filled(request, tmp_path: Path):
    """20 items of 5 tasks each, their 120 events, and an item that was deleted for good."""
    database = Database(storage_under(tmp_path / "volume" / "a.db", request.param))
    database.storage.path.parent.mkdir()
    migrations.upgrade(database)
    with database.write() as session:
        for number in range(20):
            item = add_item(session.connection(), None, NewWorkItem.model_validate({"title": f"Item {number}"}))
            for task in range(5):
                add_task(session, None, item.id, NewTask.model_validate({"title": f"Task {task}"}))
        columns = "title, notes, status, priority, position, created_at, updated_at"
        session.execute(text(f"INSERT INTO work_items (id, {columns}) SELECT 99, {columns} FROM work_items LIMIT 1"))
        session.execute(text("DELETE FROM work_items WHERE id = 99"))
    yield database
    database.close()


@pytest.fixture
def revise(tmp_path: Path, monkeypatch):
    """revise(body): from now on this code knows one revision more, whose upgrade() is `body`."""

    def add(body: str, until: pytest.MonkeyPatch = monkeypatch) -> None:
        folder = Path(shutil.copytree(Path(migrations.__file__).parent, tmp_path / "migrations", dirs_exist_ok=True))
        (folder / f"versions/{NEXT}_next.py").write_text(
            f"from alembic import op\n\nrevision, down_revision = '{NEXT}', '{HEAD}'\n\n\ndef upgrade():\n{body}"
        )
        until.setattr(migrations, "FOLDER", folder)

    return add


def counted(database: Database, *tables: str) -> list[int]:
    with database.read() as session:
        return [session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def test_a_table_that_is_made_anew_keeps_what_hangs_on_its_rows(filled: Database, revise):
    revise(ALTER)
    upgrade(filled)
    assert counted(filled, "work_items", "tasks", "events") == [20, 100, 120]
    with filled.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalar() == NEXT
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == PRAGMAS["foreign_keys"][1]


def test_a_table_that_is_made_anew_keeps_its_indexes_and_what_is_searched(filled: Database, revise):
    def indexes() -> set[str]:
        with filled.read() as session:
            found = session.execute(text("SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"))
            return {" ".join(sql.split()) for sql in found.scalars()}

    before = indexes()
    revise(ALTER.replace("work_items", "tasks").replace("notes", "title") + ALTER)
    upgrade(filled)
    assert indexes() == before
    assert counted(filled, "search WHERE search MATCH 'item'") == [20]


def test_a_table_that_is_made_anew_gives_no_id_again(filled: Database, revise):
    revise(ALTER)
    upgrade(filled)
    with filled.write() as session:
        assert add_item(session.connection(), None, NewWorkItem.model_validate({"title": "New"})).id == 100


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("    op.execute('DELETE FROM tasks WHERE id > 3')", "tasks had 100 rows and would have 3"),
        ("    op.drop_table('events')", "events had 120 rows and would have 0"),
        (
            "    op.execute('UPDATE tasks SET work_item_id = 1000 WHERE id = 1')",
            "a row of tasks would belong to a row of work_items that is not there",
        ),
        (
            "    op.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)')\n    op.drop_table('api_tokens')\n"
            "    op.rename_table('t', 'api_tokens')",
            "api_tokens would give the ids of deleted rows again",
        ),
        (f"{ALTER}\n    raise RuntimeError('power cut')", "power cut"),
        (f"{ALTER}\n    op.execute('SELECT no_such_column')", "no such column: no_such_column"),
    ],
)
def test_an_upgrade_that_fails_or_would_lose_something_leaves_the_old_database(filled, revise, body: str, why: str):
    revise(body)
    before = contents(filled)
    with pytest.raises(CannotStart) as refused:
        upgrade(filled)
    copy = path_of_copy(filled.storage.path)
    assert f"from schema {HEAD} to {NEXT} failed: {why}" in refused.value.message
    assert refused.value.hint.startswith(f"The database is as it was. A checked copy of it is {copy}.")
    assert contents(filled) == before
    with filled.read() as session:
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1


def contents(database: Database) -> dict[str, list]:
    with database.read() as session:
        schema = [tuple(row) for row in session.execute(text("SELECT * FROM sqlite_schema ORDER BY rowid"))]
        tables = [name for kind, name, *_ in schema if kind == "table"]
        rows = {table: [tuple(row) for row in session.execute(text(f"SELECT * FROM {table}"))] for table in tables}
    return {"": schema, **rows}


def test_what_the_database_was_is_kept_checked_beside_it_also_at_the_second_try(filled: Database, revise):
    revise("    raise RuntimeError('power cut')")
    for _ in range(2):
        with pytest.raises(CannotStart):
            upgrade(filled)
    revise(ALTER)
    upgrade(filled)
    kept = verify(path_of_copy(filled.storage.path))
    assert kept.proven and kept.contents.revision == HEAD
    assert kept.contents.rows["tasks"] == 100
    assert {name for name in names(filled.storage.path.parent) if not name.startswith("a.db")} == {
        f"a-before-upgrade-to-{NEXT}.db",
        f"a-before-upgrade-to-{NEXT}.db.manifest.json",
    }


def test_after_an_upgrade_that_failed_the_version_before_goes_on(settings: Settings, revise, monkeypatch):
    first = create_app(settings)
    add_items(first.instance.database, 3)
    first.instance.stop()
    with monkeypatch.context() as newer:
        revise("    op.execute('DELETE FROM tasks')", newer)
        for _ in range(2):
            with pytest.raises(
                CannotStart, match=rf"from schema {HEAD} to {NEXT} failed: tasks had 3 rows and would have 0\."
            ):
                create_app(settings)
    again = create_app(settings)
    assert counted(again.instance.database, "work_items", "tasks") == [3, 3]
    again.instance.stop()


def test_a_copy_of_an_earlier_upgrade_that_is_far_fuller_stays(filled: Database, revise):
    revise(ALTER)
    upgrade(filled)
    with filled.write() as session:
        session.execute(text("DELETE FROM work_items WHERE id > 3"))
        session.execute(text(f"UPDATE alembic_version SET version_num = '{HEAD}'"))
    upgrade(filled)
    copies = [verify(file).contents.rows["work_items"] for file in filled.storage.path.parent.glob("a-before-*.db")]
    assert sorted(copies) == [3, 20]


def test_without_room_for_the_copy_nothing_is_upgraded(filled: Database, revise, monkeypatch):
    revise(ALTER)
    before = contents(filled)
    monkeypatch.setattr("app.backup.copies.snapshot.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(9, 0, 9))  # pyright: ignore
    with pytest.raises(StorageFull, match="no room"):
        upgrade(filled)
    assert contents(filled) == before


@pytest.mark.parametrize("table", ["alembic_version", "users", "tasks", "ix_work_items_position"])
def test_a_damaged_database_is_not_upgraded_and_the_app_stands_by_until_it_is_mended(
    settings: Settings, revise, monkeypatch, table: str
):
    first = create_app(settings)
    add_items(first.instance.database, 3)
    first.instance.stop()
    overwrite_first_page(settings.database_path, table)
    before = settings.database_path.read_bytes()
    revise(ALTER)
    app = create_app(settings)
    problem = app.instance.problem
    app.instance.stop()
    assert isinstance(problem, Damaged) and "task-assist restore" in problem.hint
    assert settings.database_path.read_bytes() == before


def test_a_search_index_that_is_damaged_does_not_hinder_an_upgrade(filled: Database, revise):
    filled.close()
    overwrite_first_page(filled.storage.path, "search_data")
    revise(ALTER)
    again = Database(filled.storage)
    upgrade(again)
    assert counted(again, "work_items", "tasks") == [20, 100]
    assert path_of_copy(filled.storage.path).exists()
    again.close()


def test_a_new_database_needs_no_copy(tmp_path: Path):
    database = Database(storage_under(tmp_path / "a.db"))
    upgrade(database)
    database.close()
    assert names(tmp_path) == {"a.db"}


def test_the_schema_has_neither_views_nor_triggers(filled: Database):
    """Making a table anew drops its triggers silently, and fails where a view names it."""
    with filled.read() as session:
        kinds = session.execute(text("SELECT DISTINCT type FROM sqlite_schema")).scalars().all()
    assert set(kinds) == {"table", "index"}
