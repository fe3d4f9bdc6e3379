"""A fault in the search index is not damage: it is made anew, and nothing has to be restored."""

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.backup.copies.snapshot import snapshot
from app.backup.copies.verify import verify
from app.database import migrations
from app.database.contents import fault_in_file, tables_to_check
from app.database.sqlite import sqlite_driver
from app.domain import shown, work_items
from app.domain.schemas import Filters, NewWorkItem
from app.errors import Damaged
from app.operations.control.control_commands import examined
from app.storage.mounts import Storage
from app.writer import checkup, index_mending
from app.writer.instance import Instance
from tests.app.backup.databases import closed_database, overwrite_first_page
from tests.app.processes import eventually
from tests.app.writer.test_checkup import damage, end_without_closing, record_of


@pytest.fixture
def local(tmp_path: Path, monkeypatch) -> Storage:
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 0.05})
    return closed_database(tmp_path / "a.db", 40)


def lose_an_entry(file: Path) -> None:
    """A text that the index knows no word of: its pages are sound."""
    with closing(sqlite_driver().connect(str(file), isolation_level=None)) as raw:
        raw.execute("UPDATE search_content SET c0 = 'other' WHERE id = 1")


FAULTS: dict[str, Callable[[Path], None]] = {
    "its pages": lambda file: overwrite_first_page(file, "search_data"),
    "its texts": lambda file: overwrite_first_page(file, "search_content"),
    "its list of pages": lambda file: overwrite_first_page(file, "search_idx"),
    "an entry": lose_an_entry,
}


def found(instance: Instance, words: str) -> int:
    with instance.database.read_columns() as connection:
        return shown.count_items(connection, Filters(q=words), date(2026, 11, 23))


def is_mended(instance: Instance) -> bool:
    with instance.database.beside() as connection:
        return instance.problem is None and connection.execute("PRAGMA integrity_check('search')").fetchall() == [
            ("ok",)
        ]


@pytest.mark.parametrize("fault", FAULTS)
def test_after_an_end_that_nobody_closed_it_at_a_fault_is_found_and_mended(local: Storage, tmp_path: Path, fault: str):
    FAULTS[fault](local.path)
    end_without_closing(local)
    instance = Instance(local, migrations.upgrade)
    with capture_logs() as lines:
        instance.start()
        eventually(lambda: any("was made anew" in line["event"] for line in lines))
    assert found(instance, "Item") == 40 and instance.problem is None
    assert record_of(local).doubt is None
    assert examined(instance.database, full=True)["integrity"] == "ok", "what the doctor says"
    instance.stop()
    snapshot(local, tmp_path / "backup.db")
    assert verify(tmp_path / "backup.db").proven
    with closing(sqlite_driver().connect(str(local.path))) as raw:
        assert fault_in_file(raw, "quick_check") is None
        assert raw.execute("PRAGMA integrity_check('search')").fetchall() == [("ok",)]
        assert fault_in_file(raw, "integrity_check") is None, "its old pages are left in the file"


@pytest.mark.parametrize("fault", FAULTS)
def test_neither_a_check_nor_a_backup_fails_for_it(local: Storage, tmp_path: Path, fault: str):
    FAULTS[fault](local.path)
    snapshot(local, tmp_path / "backup.db")
    assert verify(tmp_path / "backup.db").proven


@pytest.mark.parametrize("fault", ["its pages", "its texts"])
def test_one_that_a_request_meets_is_mended_while_the_app_runs(local: Storage, fault: str):
    FAULTS[fault](local.path)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    with pytest.raises(Damaged), instance.database.write() as session:
        work_items.delete_item(session, None, 1)
    eventually(lambda: is_mended(instance))
    with instance.database.write() as session:
        work_items.add_item(session.connection(), None, NewWorkItem(title="Item of later"))
    assert found(instance, "item") == 41 and found(instance, "later") == 1
    instance.stop()


def test_damage_elsewhere_is_not_mended_with_it(local: Storage):
    FAULTS["its pages"](local.path)
    damage(local.path)
    instance = Instance(local, migrations.upgrade)
    instance.start()
    with pytest.raises(Damaged), instance.database.write() as session:
        session.execute(text("DELETE FROM search"))
    eventually(lambda: record_of(local).doubt == "damage")
    assert isinstance(instance.problem, Damaged)
    instance.stop()
    assert record_of(local).doubt == "damage"


def test_the_quick_check_leaves_it_out(local: Storage):
    lose_an_entry(local.path)
    with closing(sqlite_driver().connect(str(local.path))) as raw:
        asked: list[str] = []
        raw.set_trace_callback(asked.append)
        assert fault_in_file(raw, "quick_check") is None
        checks = {statement for statement in asked if "_check" in statement}
        assert checks == {f"PRAGMA quick_check('{name}')" for name in tables_to_check(raw)}, (
            "it is as large as the rest"
        )
        assert "search" not in tables_to_check(raw)


def test_what_a_file_holds_is_told_without_it(local: Storage, tmp_path: Path):
    snapshot(local, tmp_path / "backup.db")
    rows = verify(tmp_path / "backup.db").contents.rows
    assert set(rows) == {"users", "api_tokens", "work_items", "tasks", "events"}


def test_a_check_that_the_closing_of_the_database_interrupts_ends_without_a_word(monkeypatch):
    def interrupted(_database: object) -> None:
        raise sqlite_driver().OperationalError("interrupted")

    monkeypatch.setattr(index_mending, "fault_in_search_index", interrupted)
    ending = threading.Event()
    ending.set()
    with capture_logs() as lines:
        index_mending.check_search_index(None, ending)  # pyright: ignore[reportArgumentType]
    assert lines == []
