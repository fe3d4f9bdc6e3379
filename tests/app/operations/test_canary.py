"""The canary: a row that only a drill looks for, written just before a backup and named in its manifest."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import create_app
from app.backup.proofs.drill_records import passed_drill
from app.backup.stores.store import Store, store_at
from app.backup.stores.stored_backup import manifest_of, names_in, newest_in, read_stored_backup
from app.cli import main
from app.database.canary import STAY, has_canary, write_canary
from app.database.sqlite import sqlite_driver
from app.errors import StorageFull
from app.operations.commands.backup_commands import storage_here
from app.operations.control.control_commands import listen
from app.settings import load
from app.writer.lease import lease_of
from tests.app.backup.databases import closed_database, execute

Run = Callable[..., Any]
DROPPED = "DROP TABLE canaries"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return store_at((tmp_path / "store").as_uri())


@pytest.fixture(params=["shared", "exclusive"])
def stopped(request: pytest.FixtureRequest, store: Store, tmp_path: Path, place: Path, monkeypatch) -> Run:
    """Types a command where no app runs."""
    environment = {
        "DATABASE_PATH": str(tmp_path / "task_manager.db"),
        "DATABASE_STORAGE": request.param,
        "AUTH_DISABLED": "true",
        "BACKUP_URL": str(store.url),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    closed_database(tmp_path / "task_manager.db", 3, request.param)
    return lambda *words: CliRunner().invoke(main, words)


@pytest.fixture
def app(stopped: Run) -> Iterator[Any]:
    """A running app that answers commands."""
    made = create_app(load())
    control = listen(made.instance)
    assert control
    yield made
    control.close()
    made.instance.stop()


def words_in(file: Path) -> list[str]:
    with closing(sqlite_driver().connect(str(file))) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM canaries ORDER BY id")]


def newest(store: Store) -> Any:
    return read_stored_backup(store, newest_in(store))


def no_warning(done: Any) -> None:
    assert done.exit_code == 0 and "Warning" not in done.output, done.output


def test_each_backup_has_its_own_and_the_drill_finds_it(stopped: Run, store: Store):
    found = []
    for _ in range(2):
        before = set(names_in(store))
        no_warning(stopped("backup"))
        [name] = set(names_in(store)) - before
        found.append(read_stored_backup(store, name).canary)
        done = stopped("backup", "drill", name)
        assert done.exit_code == 0 and f"with its canary {found[-1]}" in done.stdout
        record = passed_drill(store, name)
        assert record and record.canary is True
    assert len(set(found)) == 2 and all(found)


def test_the_running_app_writes_it(app, stopped: Run, store: Store):
    no_warning(stopped("backup"))
    with app.instance.database.read() as session:
        assert has_canary(session.connection().connection.driver_connection, newest(store).canary)
    assert "with its canary" in stopped("backup", "drill").stdout


def test_the_backup_of_the_schedule_has_one_too(app, stopped: Run, store: Store):
    no_warning(stopped("backup", "--if-due"))
    assert newest(store).scheduled_for and newest(store).canary


def test_a_backup_without_the_canary_that_its_manifest_names_fails_its_drill(stopped: Run, store, tmp_path: Path):
    """As where the copy was made of another file than the one that the app had open."""
    stopped("backup")
    first = newest(store).canary
    name = newest(store).name
    file = tmp_path / "store" / manifest_of(name)
    said = json.loads(file.read_text())
    file.write_text(json.dumps(said | {"canary": "0123456789abcdef"}))
    done = stopped("backup", "drill", name)
    assert done.exit_code == 4 and "Traceback" not in done.output
    assert f"{name}: its manifest names the canary 0123456789abcdef, and it holds only {first}" in done.stderr
    assert "Take another backup" in done.stderr
    assert passed_drill(store, name) is None


def test_a_copy_without_it_is_not_even_stored(stopped: Run, store: Store, monkeypatch):
    """As after a restore between the two."""
    monkeypatch.setattr("app.operations.control.canary.write_canary", lambda _connection, _word: None)
    done = stopped("backup")
    assert done.exit_code == 1 and "another database took its place" in done.stderr and "try again" in done.stderr
    assert store.entries() == []


def test_a_copy_of_a_schema_without_canaries_lacks_it_too(stopped: Run, store: Store, monkeypatch):
    """As after a restore of an older backup between the two: nothing is damaged."""
    monkeypatch.setattr("app.operations.control.canary.write_canary", lambda connection, _: connection.execute(DROPPED))
    done = stopped("backup")
    assert done.exit_code == 1 and "another database took its place" in done.stderr and "damaged" not in done.stderr


def test_backups_made_at_once_do_not_take_each_others(tmp_path: Path):
    file = closed_database(tmp_path / "a.db", 0).path
    with closing(sqlite_driver().connect(str(file), isolation_level=None)) as connection:
        for number in range(2 * STAY):
            write_canary(connection, f"{number:016}")
        assert has_canary(connection, f"{STAY:016}") and not has_canary(connection, f"{STAY - 1:016}")
    assert len(words_in(file)) == STAY


# --- where none can be written ------------------------------------------------------------------------------


def test_beside_an_app_that_can_not_be_asked_a_backup_is_made_and_the_lack_is_said(app, stopped, store, monkeypatch):
    """As for `docker compose run`, which is a container of its own."""
    monkeypatch.setattr("app.operations.control.canary.ask", lambda *_, **__: None)
    done = stopped("backup")
    assert done.exit_code == 0, done.output
    assert "Warning: No canary could be written before it, so no drill can look for one: A running app" in done.stdout
    assert newest(store).canary is None
    drilling = stopped("backup", "drill")
    assert drilling.exit_code == 0
    assert "without a canary: when it was made, none could be written" in drilling.stdout
    record = passed_drill(store, newest(store).name)
    assert record and (record.proves, record.canary) == ("restorable", None)


def test_a_full_volume_is_backed_up_all_the_same(app, stopped: Run, store: Store, monkeypatch):
    def full(*_: Any) -> None:
        raise StorageFull("There is no room left on /app/data.", "Free some space.")

    monkeypatch.setattr("app.operations.control.canary.write_canary", full)
    done = stopped("backup")
    assert done.exit_code == 0 and "look for one: There is no room left on /app/data." in done.stdout
    assert newest(store).canary is None


def test_a_newer_a_damaged_and_a_missing_database_are_refused_as_a_snapshot_is(stopped: Run, store, tmp_path: Path):
    file = tmp_path / "task_manager.db"

    def refused() -> str:
        by_snapshot, done = stopped("snapshot", str(tmp_path / "b.db")), stopped("backup")
        assert (done.exit_code, done.stdout) == (by_snapshot.exit_code, "") and done.exit_code
        assert done.stderr.endswith(by_snapshot.stderr)
        return done.stderr

    execute(file, "UPDATE alembic_version SET version_num = '9999'")
    assert "has schema 9999" in refused()
    file.write_bytes(b"SQLite format 3\0" + bytes(9000))
    assert "is damaged" in refused()
    for each in tmp_path.glob("task_manager.db*"):
        if each.is_file():
            each.unlink()
    assert "task_manager.db" in refused()
    assert not file.exists() and store.entries() == []


def test_a_database_that_no_app_has_upgraded_yet_is_backed_up_as_it_is(stopped: Run, store: Store, tmp_path: Path):
    file = tmp_path / "task_manager.db"
    execute(file, "DROP TABLE canaries", "UPDATE alembic_version SET version_num = '0003'")
    done = stopped("backup")
    assert done.exit_code == 0 and "has schema 0003, and no app has brought it" in done.stdout
    assert newest(store).database.revision == "0003"
    assert "can be restored" in stopped("backup", "drill").stdout


def test_a_backup_of_before_the_canary_passes_its_drill_and_it_is_said_why_there_is_none(
    stopped: Run, store: Store, tmp_path: Path
):
    released = Path(__file__).parents[1] / "backup/released"
    for file in released.glob("task_manager-20261127T142652Z-e1a12d8e.*"):
        shutil.copy(file, tmp_path / "store")
    done = stopped("backup", "drill")
    assert done.exit_code == 0 and "without a canary: the version that made it wrote none" in done.stdout


# --- nobody else sees it ------------------------------------------------------------------------------------


def test_it_is_in_no_count_difference_or_answer(app, stopped: Run, store: Store, tmp_path: Path):
    for _ in range(3):
        no_warning(stopped("backup"))
    assert set(newest(store).database.rows) == {"users", "api_tokens", "work_items", "tasks", "events"}
    assert "no item, task or account will change" in stopped("restore", "latest", "--dry-run").stdout
    assert "canaries" not in stopped("restore", "latest", "--dry-run", "--json").stdout
    assert "canaries" not in stopped("facts", str(tmp_path)).stdout
    client = app.test_client()
    word = newest(store).canary
    for page in ("/", "/trash", f"/?q={word}", "/api/v1/work-items", f"/api/v1/work-items?q={word}", "/healthz"):
        answer = client.get(page)
        assert answer.status_code == 200 and (f"q={word}" in page or word not in answer.get_data(as_text=True)), page


def test_it_makes_no_empty_database_a_filled_one(stopped: Run, tmp_path: Path):
    no_warning(stopped("backup"))
    execute(tmp_path / "task_manager.db", *(f"DELETE FROM {table}" for table in ("events", "tasks", "work_items")))
    assert stopped("backup").exit_code == 0
    assert len(words_in(tmp_path / "task_manager.db")) == 2
    assert stopped("start-empty").exit_code == 0


def test_the_lease_is_free_again_afterwards(stopped: Run):
    no_warning(stopped("backup"))
    assert lease_of(storage_here()).observe().state == "released"
