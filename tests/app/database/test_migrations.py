"""The schema: made and upgraded at start, never down, and never of a database that is not ours."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from app.database import migrations
from app.database.engine import Database
from app.database.search_index import is_no_part
from app.database.sqlite import APPLICATION_ID, CANARIES, TABLES
from app.domain.models import Base
from app.errors import Broken, CannotStart
from app.storage.mounts import storage_under


@pytest.fixture
def database(tmp_path: Path):
    opened = Database(storage_under(tmp_path / "a.db"))
    yield opened
    opened.close()


def test_a_new_database_gets_the_whole_schema_once(database: Database):
    assert migrations.upgrade(database) is True
    assert migrations.upgrade(database) is False


def test_the_migrations_make_what_the_models_say(database: Database):
    migrations.upgrade(database)
    with database.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_no_part})
        assert compare_metadata(context, Base.metadata) == []


def test_the_file_names_are_the_revisions_in_their_order():
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    in_order = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    assert migrations.known_revisions() == in_order


def test_the_database_carries_the_apps_mark(database: Database):
    migrations.upgrade(database)
    with database.connection() as connection:
        assert connection.execute(text("PRAGMA application_id")).scalar() == APPLICATION_ID


def test_a_newer_schema_is_refused_and_left_alone(database: Database):
    migrations.upgrade(database)
    with database.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CannotStart, match="has schema 9999; this version of Task Assist knows up to"):
        migrations.upgrade(database)


def test_another_apps_database_is_refused_and_left_alone(tmp_path: Path):
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE recipes (id)")
    other.close()
    before = (tmp_path / "other.db").read_bytes()
    database = Database(storage_under(tmp_path / "other.db"))
    with pytest.raises(CannotStart, match="another app's database"):
        migrations.upgrade(database)
    database.close()
    assert (tmp_path / "other.db").read_bytes() == before


def test_a_database_that_lacks_its_revision_is_told_in_words(database: Database):
    migrations.upgrade(database)
    with database.connection() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(Broken, match=r"a\.db is damaged: nothing in it says its schema"):
        migrations.upgrade(database)


def test_a_migration_that_fails_half_way_leaves_the_old_schema(monkeypatch, database: Database):
    def fail(connection) -> None:
        connection.execute(text("CREATE TABLE half (id)"))
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations, "_run_alembic", fail)
    with pytest.raises(CannotStart, match=r"from schema none to \d{4} failed: power cut\.\nThe database is as it was"):
        migrations.upgrade(database)
    with database.connection() as connection:
        assert connection.execute(text("SELECT name FROM sqlite_master")).all() == []


def test_the_tables_that_backups_look_for_are_the_models():
    assert set(Base.metadata.tables) == TABLES | {CANARIES}
