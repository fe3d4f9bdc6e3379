"""What the backups are worth: drilled, pruned without losing the good ones, and their age told."""

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.backup.proofs.drill import Drill
from app.backup.proofs.drill_records import ENDING as DRILLED
from app.backup.proofs.drill_records import DrillRecord, keep_record, last_drill, passed_drill
from app.backup.schedule.retention import prune, warn_of_loss
from app.backup.schedule.schedule import next_after
from app.backup.stores import stored_backup as naming
from app.backup.stores.folder import PARTIAL, Folder
from app.backup.stores.store import Store, StoreFailed
from app.backup.stores.stored_backup import (
    ENDING,
    manifest_of,
    names_in,
    new_name,
    newest_first,
    newest_in,
    read_stored_backup,
)
from app.backup.transfer import pipeline
from app.database import migrations
from app.errors import Mismatch
from app.operations.backups.backup_health import zone_of
from app.operations.commands.read_through import read_through
from app.settings import load
from app.storage.mounts import Storage, storage_under
from app.writer.instance import Instance
from tests.app.backup.conftest import Run
from tests.app.backup.databases import execute
from tests.app.backup.test_stored_backup import backed_up, new_key

UTC_ZONE = ZoneInfo("UTC")
RULES = "last=1 daily=2"


def nights(store: Store, storage: Storage, count: int, tmp_path: Path, until: datetime | None = None) -> list[str]:
    """One backup under the names that it would have had in so many nights, the oldest first."""
    until = until or datetime.now(UTC)
    made, folder = backed_up(storage, store), tmp_path / "store"
    found = [made.name]
    for back in range(1, count):
        name = new_name("task_manager", until - timedelta(days=back))
        object_ = naming.object_of(name, encrypted=False)
        (folder / object_).write_bytes((folder / made.object).read_bytes())
        at = naming.time_of(name)
        database = made.database.model_copy(update={"created_at": at})
        older = made.model_copy(update={"name": name, "object": object_, "database": database, "scheduled_for": at})
        store.create(manifest_of(name), older.as_bytes())
        found.append(name)
    return found[::-1]


def moved_to(store: Store, name: str, at: datetime) -> str:
    """The name of that backup as if it had been made at `at`."""
    made, other, folder = read_stored_backup(store, name), new_name("task_manager", at), Path(store.url.path)
    object_ = naming.object_of(other, encrypted=bool(made.recipients))
    (folder / made.object).rename(folder / object_)
    database = made.database.model_copy(update={"created_at": naming.time_of(other)})
    moved = made.model_copy(update={"name": other, "object": object_, "database": database})
    store.create(manifest_of(other), moved.as_bytes())
    store.remove(manifest_of(name))
    return other


def pruned(store: Store, warnings: list[str] | None = None) -> list[str]:
    made = read_stored_backup(store, newest_in(store))
    return prune(store, made, RULES, UTC_ZONE, ([] if warnings is None else warnings).append)


# --- drill --------------------------------------------------------------------------------------------------


def test_a_drill_reads_the_backup_through_the_app_and_keeps_what_it_found(make, store, tmp_path):
    storage = make(items=120)
    stored = backed_up(storage, store)
    record = Drill(store, stored, storage, [], read_through).run()
    assert record.proves == "restorable" and record.size_bytes == stored.object_size_bytes and record.seconds > 0
    assert timedelta(0) <= datetime.now(UTC) - record.drilled_at < timedelta(minutes=10)
    assert passed_drill(store, stored.name) == last_drill(store) == record
    assert not [each for each in tmp_path.iterdir() if each.name.endswith(".partial")]


def test_a_drill_says_first_where_its_copy_lies_and_how_much_room_it_takes(run: Run, store):
    run("backup")
    size = read_stored_backup(store, newest_in(store)).database.size_bytes
    first = run("backup", "drill").stderr.splitlines()[0]
    assert "task_manager.db.drilled" in first and f"{size:,} bytes are needed there for a while" in first


@pytest.mark.parametrize("table", ["work_items", "tasks", "users", "events"])
def test_a_drill_counts_by_itself_and_believes_no_manifest(make, store, table: str):
    storage = make()
    stored = backed_up(storage, store)

    def read(file: Path) -> Any:
        found = read_through(file)
        return replace(found, rows={**found.rows, table: 77})

    with pytest.raises(Mismatch, match=f"rows of {table}"):
        Drill(store, stored, storage, [], read).run()
    assert last_drill(store) is None


def test_what_the_app_can_not_read_is_not_proven(make, store):
    storage = make()
    stored = backed_up(storage, store)

    def fails(_: Path) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Drill(store, stored, storage, [], fails).run()
    assert last_drill(store) is None


def test_without_the_key_a_drill_says_that_it_compared_the_hash_and_no_more(run: Run, store, tmp_path, monkeypatch):
    key = new_key()
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    run("backup")
    done = run("backup", "drill")
    assert done.exit_code == 0 and "that is all that can be known here" in done.stdout and "--identity" in done.stdout
    record = last_drill(store)
    assert record and record.proves == "unchanged"
    (tmp_path / "key.txt").write_text(str(key))
    assert "can be restored" in run("backup", "drill", "--identity", "key.txt").stdout
    record = last_drill(store)
    assert record and record.proves == "restorable"


def test_a_damaged_backup_fails_its_drill_with_and_without_key(run: Run, store, tmp_path, monkeypatch):
    key = new_key()
    for recipient in ("", str(key.to_public())):
        monkeypatch.setenv("BACKUP_RECIPIENT", recipient)
        run("backup")
        stored = read_stored_backup(store, newest_in(store))
        object_ = tmp_path / "store" / stored.object
        object_.write_bytes(object_.read_bytes()[:-1] + b"?")
        done = run("backup", "drill", stored.name)
        assert done.exit_code == 4 and f"{stored.object} is not what its manifest says" in done.stderr
    assert last_drill(store) is None


def test_a_manifest_that_says_other_rows_is_told_by_the_backups_name(run: Run, store, tmp_path):
    run("backup")
    name = newest_in(store)
    file = tmp_path / "store" / manifest_of(name)
    file.write_text(file.read_text().replace('"tasks": 3', '"tasks": 4'))
    done = run("backup", "drill")
    assert done.exit_code == 4 and f"/{name} is not what its manifest says: tasks has 3 rows, not 4" in done.stderr
    assert ".partial" not in done.stderr.partition("task-assist: ")[2]


def test_a_drill_is_due_each_seven_days(run: Run, store):
    run("backup")
    assert "can be restored" in run("backup", "drill", "--if-due").stdout
    assert "No drill is due" in run("backup", "drill", "--if-due").stdout
    record = last_drill(store)
    assert record
    for entry in store.entries():
        if entry.name.endswith(DRILLED):
            store.remove(entry.name)
    keep_record(store, record.model_copy(update={"drilled_at": record.drilled_at - timedelta(days=7, hours=1)}))
    assert "can be restored" in run("backup", "drill", "--if-due").stdout


def test_a_drill_of_an_older_one_by_hand_does_not_put_off_that_of_the_newest(run: Run, make, store, tmp_path: Path):
    now = datetime.now(UTC).replace(microsecond=0)
    *_, older, newest, _ = nights(store, make("other.db"), 4, tmp_path, now + timedelta(hours=22))
    store.remove(manifest_of(newest_in(store)))
    by_hand = DrillRecord(
        name=older, drilled_at=now - timedelta(hours=1), proves="restorable", seconds=1.0, size_bytes=1
    )
    keep_record(store, by_hand)
    assert f"{newest} can be restored" in run("backup", "drill", "--if-due").stdout
    assert "No drill is due" in run("backup", "drill", "--if-due").stdout


# --- which stay ---------------------------------------------------------------------------------------------


def test_what_the_rules_do_not_keep_goes_with_all_that_belongs_to_it(make, store, tmp_path):
    names = nights(store, make(), 6, tmp_path)
    assert pruned(store) == names[:3]
    assert names_in(store) == names[3:]
    assert {entry.name.split(".")[0] for entry in store.entries()} == set(names[3:])


def test_the_newest_that_a_drill_has_proven_stays(make, store, tmp_path):
    storage = make()
    names = nights(store, storage, 6, tmp_path)
    for name in names[:2]:
        Drill(store, read_stored_backup(store, name), storage, [], read_through).run()
    assert pruned(store) == [names[0], names[2]]
    assert names_in(store) == [names[1], *names[3:]]


def test_what_has_failed_its_drill_since_is_not_what_stays(make, store, tmp_path):
    storage = make()
    names = nights(store, storage, 6, tmp_path)
    for name in names[:2]:
        keep_record(store, found(name, "restorable", days_ago=2))
    object_ = tmp_path / "store" / read_stored_backup(store, names[1]).object
    object_.write_bytes(object_.read_bytes()[:-1] + b"?")
    with pytest.raises(Mismatch):
        Drill(store, read_stored_backup(store, names[1]), storage, [], read_through).run()
    assert passed_drill(store, names[1]) is None and (last := last_drill(store)) and last.name == names[0]
    assert pruned(store) == names[1:3]


def test_what_was_only_compared_stays_beside_what_was_opened_and_not_instead_of_it(make, store, tmp_path):
    names = nights(store, make(), 7, tmp_path)
    keep_record(store, found(names[1], "restorable", days_ago=3))
    for name in names[1:3]:
        keep_record(store, found(name, "unchanged", days_ago=2))
    assert pruned(store) == [names[0], names[3]]


def test_a_hash_that_fits_makes_good_no_drill_that_was_failed_with_the_key(store, make):
    name = backed_up(make(), store).name
    for proves, days in (("restorable", 3), ("failed", 2), ("unchanged", 1)):
        keep_record(store, found(name, proves, days_ago=days))
    assert passed_drill(store, name) is None
    keep_record(store, found(name, "restorable", days_ago=0))
    assert (last := passed_drill(store, name)) and last.proves == "restorable"


def test_of_each_kind_only_the_newest_record_stays_and_what_is_killed_in_between_loses_none(store, make, monkeypatch):
    name = backed_up(make(), store).name
    for days in (5, 4):
        keep_record(store, found(name, "restorable", days_ago=days))
        keep_record(store, found(name, "unchanged", days_ago=days))
    assert sum(entry.name.endswith(DRILLED) for entry in store.entries()) == 2
    monkeypatch.setattr(store, "create", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        keep_record(store, found(name, "restorable", days_ago=0))
    assert (last := passed_drill(store, name)) and last.proves == "restorable"


def test_two_drills_at_once_leave_a_record(store, make, monkeypatch):
    name = backed_up(make(), store).name
    keep_record(store, found(name, "restorable", days_ago=9))
    remove = store.remove

    def meanwhile(each: str) -> None:
        monkeypatch.setattr(store, "remove", remove)
        remove(each)
        keep_record(store, found(name, "restorable", days_ago=0, seconds=2.0))

    monkeypatch.setattr(store, "remove", meanwhile)
    keep_record(store, found(name, "restorable", days_ago=0, seconds=1.0))
    assert (last := passed_drill(store, name)) and last.seconds in (1.0, 2.0)


def test_a_record_of_before_is_read_and_none_that_was_left_by_a_backup_that_is_gone(store, make, tmp_path):
    name, gone = backed_up(make(), store).name, new_name("task_manager", datetime.now(UTC) - timedelta(days=90))
    for each in (name, gone):
        old = found(each, "restorable", days_ago=1).model_dump(mode="json", exclude={"why"}) | {"format": 1}
        store.create(each + DRILLED, json.dumps(old).encode())
    assert (last := last_drill(store)) and last.name == name
    (tmp_path / "store" / f"holiday{DRILLED}").write_text("somebody's")
    pruned(store)
    left = {entry.name for entry in store.entries() if entry.name.endswith(DRILLED)}
    assert left == {name + DRILLED, f"holiday{DRILLED}"}


def test_a_drill_of_a_time_to_come_hides_none_that_was(store, make):
    name = backed_up(make(), store).name
    for proves, days in (("restorable", 1), ("unchanged", -30), ("failed", -30)):
        keep_record(store, found(name, proves, days_ago=days))
    assert (last := last_drill(store)) and last.proves == "restorable"


def found(name: str, proves: Any, *, days_ago: int, seconds: float = 0.1) -> DrillRecord:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
    return DrillRecord(name=name, drilled_at=at, proves=proves, seconds=seconds, size_bytes=1)


def test_an_emptied_database_takes_no_fuller_backup_along_however_many_nights(make, store, tmp_path):
    full = nights(store, make("full.db", items=9), 5, tmp_path, datetime.now(UTC) - timedelta(days=40))
    nights(store, make("emptied.db", items=1), 5, tmp_path)
    for name in full:
        if naming.time_of(name) > datetime.now(UTC) - timedelta(days=1):  # the copy from which the others were made
            (tmp_path / "store" / manifest_of(name)).unlink()
    warnings: list[str] = []
    pruned(store, warnings)
    assert set(full[:-1]) <= set(names_in(store))
    assert any("holds 18 items and tasks, and the newest backup only 2" in warning for warning in warnings)


def test_what_can_not_be_read_stays_and_is_named(make, store, tmp_path):
    names = nights(store, make(), 6, tmp_path)
    (tmp_path / "store" / manifest_of(names[0])).write_text('{"format": 4}')
    warnings: list[str] = []
    assert pruned(store, warnings) == names[1:3]
    assert names[0] in warnings[0] and names[0] in names_in(store)


def test_many_that_stay_for_the_same_reason_are_one_warning(make, store, tmp_path):
    names = nights(store, make(), 9, tmp_path)
    for name in names[:5]:
        (tmp_path / "store" / manifest_of(name)).write_text('{"format": 4}')
    warnings: list[str] = []
    assert pruned(store, warnings) == names[5:6]
    assert (
        len(warnings) == 1 and "5 backups stay, because they can't be read" in warnings[0] and names[4] in warnings[0]
    )


def test_a_backup_of_a_time_to_come_is_not_the_newest_and_takes_no_place_from_the_others(
    run: Run, store, make, tmp_path
):
    names = nights(store, make("other.db"), 7, tmp_path)
    ahead = [
        moved_to(store, name, datetime.now(UTC) + timedelta(days=days)) for days, name in enumerate(names[:3], 300)
    ]
    made = read_stored_backup(store, names[-1])
    assert newest_in(store) == names[-1] and next(newest_first(store)).name == names[-1]
    assert prune(store, made, RULES, UTC_ZONE, [].append) == names[3:4]
    assert names_in(store) == [*names[4:], *ahead]
    for name in names[4:]:
        store.remove(manifest_of(name))
    said = run("restore", "latest").stderr
    assert "none is past" in said and f"task-assist restore {ahead[0]}" in said


def test_a_manifest_that_can_not_be_written_leaves_no_object(run: Run, store, monkeypatch):
    create = Folder.create

    def fails(self: Folder, name: str, data: bytes) -> None:
        if name.endswith(ENDING):
            raise StoreFailed("The network is gone.")
        create(self, name, data)

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "create", fails)
        assert run("backup").exit_code == 1
    assert store.entries() == []


def test_a_manifest_whose_answer_was_lost_keeps_its_object(run: Run, store, monkeypatch):
    create = Folder.create

    def lost(self: Folder, name: str, data: bytes) -> None:
        create(self, name, data)
        raise StoreFailed("The network is gone.")

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "create", lost)
        assert run("backup").exit_code == 1
    assert run("restore", "latest").exit_code == 0


@pytest.mark.parametrize("while_it_was_written", [False, True])
def test_an_object_whose_backup_broke_off_is_taken_away_two_days_later(make, store, tmp_path, while_it_was_written):
    nights(store, make(), 1, tmp_path)
    left = [
        naming.object_of(new_name("a", datetime.now(UTC) - timedelta(hours=age)), encrypted=True) for age in (50, 40)
    ]
    if while_it_was_written:
        left = [f".{name}{digits}{PARTIAL}" for name in left for digits in ("", ".0123abcd")]
    for name in left:
        (tmp_path / "store" / name).write_bytes(b"half")
    (tmp_path / "store" / "holiday.db.zst").write_bytes(b"somebody's")
    pruned(store)
    there = {entry.name for entry in store.entries()}
    half = len(left) // 2
    assert not there & set(left[:half]) and set(left[half:]) <= there and "holiday.db.zst" in there


def test_a_prune_that_is_killed_leaves_no_backup_without_its_object(make, store, tmp_path, monkeypatch):
    nights(store, make(), 6, tmp_path)
    remove = store.remove
    for steps in range(12):
        left = iter(range(steps))

        def killed(name: str, left: Any = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            remove(name)

        monkeypatch.setattr(store, "remove", killed)
        with suppress(KeyboardInterrupt):
            pruned(store)
        for name in names_in(store):
            assert (tmp_path / "store" / read_stored_backup(store, name).object).exists(), steps


def test_a_backup_that_fails_prunes_nothing(run: Run, make, store, tmp_path, monkeypatch):
    nights(store, make("other.db"), 6, tmp_path)
    monkeypatch.setenv("BACKUP_KEEP", RULES)
    before = names_in(store)
    monkeypatch.setattr(
        "app.backup.stores.folder.Folder.create", lambda *_: (_ for _ in ()).throw(OSError(5, "broken"))
    )
    assert run("backup").exit_code == 1
    assert names_in(store) == before


@pytest.mark.parametrize("step", ["prune", "sweep_claims"])
def test_a_backup_after_which_nothing_can_be_removed_is_made_with_a_warning(run: Run, make, store, tmp_path, step: str):
    """A cron sees no failure: the data is safe. The next night tries again."""
    names = nights(store, make("other.db"), 6, tmp_path)
    where = {"prune": "app.backup.schedule.retention", "sweep_claims": "app.backup.stores.claims"}[step]
    with pytest.MonkeyPatch.context() as broken:
        broken.setenv("BACKUP_KEEP", RULES)
        broken.setattr(f"{where}.{step}", refuses)
        done = run("backup")
        facts = json.loads(run("backup", "--json").stdout)
    assert done.exit_code == 0 and "Backed up to" in done.stdout and "checked" in done.stdout
    assert "Warning: Older backups could not be pruned; the next backup tries again. Access denied." in done.stdout
    assert facts["made"] and "Access denied" in facts["warnings"][-1]
    if step == "prune":
        assert set(names) < set(names_in(store))
    assert run("backup").exit_code == 0


def refuses(*_: Any) -> None:
    raise StoreFailed("Access denied.", "The identity must be allowed to delete.")


@pytest.mark.parametrize(("rows", "size", "said"), [(4, 100, "holds 4 items"), (20, 40, "has 40 bytes"), (11, 60, "")])
def test_a_loss_of_more_than_half_is_told(rows: int, size: int, said: str):
    def of(rows: int, size: int) -> Any:
        return SimpleNamespace(database=SimpleNamespace(rows={"tasks": rows}), object_size_bytes=size, name="a")

    warnings: list[str] = []
    warn_of_loss(of(rows, size), of(20, 100), warnings.append)
    assert [said in warning for warning in warnings] == ([True] if said else [])


def test_the_schedule_puts_no_empty_database_in_front_of_a_full_backup(run: Run, store, tmp_path, monkeypatch):
    """After a loss a new stack begins empty, and `restore latest` must still find what was lost."""
    run("backup")
    name = moved_to(store, newest_in(store), datetime.now(UTC) - timedelta(days=1))
    new = storage_under(tmp_path / "new.db")
    app = Instance(new, migrations.upgrade)
    app.start()
    app.stop()
    monkeypatch.setenv("DATABASE_PATH", str(new.path))
    refused = run("backup", "--if-due")
    assert refused.exit_code == 1 and "The database is empty" in refused.stderr
    assert f"task-assist restore {name}" in refused.stderr and names_in(store) == [name]
    assert "3 items" in run("restore", "latest", "--dry-run").stdout
    # It is meant to be empty: then a person says so, once.
    assert run("backup").exit_code == 0
    moved_to(store, newest_in(store), datetime.now(UTC) - timedelta(hours=1))
    assert run("backup", "--if-due").exit_code == 0 and len(names_in(store)) == 3


# --- as it is typed -----------------------------------------------------------------------------------------


def test_a_backup_is_only_made_where_one_is_due(run: Run, store, monkeypatch):
    monkeypatch.setenv("BACKUP_SCHEDULE", "0 0 1 1 *")
    first = run("backup", "--if-due")
    assert first.exit_code == 0 and "Backed up" in first.stdout
    again = run("backup", "--if-due")
    assert again.exit_code == 0 and "No backup is due; the next is at" in again.stdout
    assert len(names_in(store)) == 1
    assert read_stored_backup(store, newest_in(store)).scheduled_for


@pytest.fixture
def due_at(make, store, tmp_path: Path) -> datetime:
    """The newest backup is a day old, so one is due, for the time that this gives."""
    *_, last, newest = nights(store, make("other.db"), 3, tmp_path)
    store.remove(manifest_of(newest))
    return next_after(load().backup_schedule, zone_of(load()), naming.time_of(last))


def test_one_that_another_run_has_begun_is_no_backup_and_is_looked_for_soon(run: Run, store, due_at: datetime):
    """That run may have been killed: what is claimed is neither made nor for tomorrow."""
    store.create(f"backup-{due_at:%Y%m%dT%H%M%SZ}-1.claim", b"killed")
    said = json.loads(run("backup", "--if-due", "--json").stdout)
    assert said["made"] is None and said["claimed"]
    assert timedelta(minutes=5) < datetime.fromisoformat(said["next"]) - datetime.now(UTC) <= timedelta(minutes=15)
    assert "Another run has begun the backup that is due" in run("backup", "--if-due").stdout


@pytest.mark.usefixtures("due_at")
def test_one_that_is_ended_by_sigterm_leaves_nothing_behind(run: Run, store, monkeypatch, tmp_path: Path):
    with monkeypatch.context() as broken:
        broken.setattr(pipeline, "_store", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        done = run("backup", "--if-due")
    assert done.exit_code == 143 and "ended from outside (SIGTERM)" in done.stderr
    assert not [each.name for each in store.entries() if each.name.endswith(".claim")]
    assert list(tmp_path.glob(".*.partial")) == []
    assert "Backed up" in run("backup", "--if-due").stdout


@pytest.mark.usefixtures("due_at")
def test_one_that_lost_the_network_says_so_though_its_claim_stays(run: Run, monkeypatch):
    monkeypatch.setattr(pipeline, "_store", refuses)
    monkeypatch.setattr(Folder, "remove", has_no_route)
    done = run("backup", "--if-due")
    assert done.exit_code == 1 and "Access denied." in done.stderr and "No route" not in done.stderr


def has_no_route(*_: Any) -> None:
    raise StoreFailed("No route.")


def test_a_restore_changes_nothing_about_what_is_due(run: Run, store, monkeypatch):
    """The last run is read from the store, so an older database does not make the schedule forget or repeat it."""
    monkeypatch.setenv("BACKUP_SCHEDULE", "0 0 1 1 *")
    run("backup", "--if-due")
    assert run("restore", "latest").exit_code == 0
    assert "No backup is due" in run("backup", "--if-due").stdout


def test_with_the_schedule_off_nothing_is_ever_due(run: Run, store, monkeypatch):
    monkeypatch.setenv("BACKUP_SCHEDULE", "off")
    done = run("backup", "--if-due")
    assert done.exit_code == 1 and "BACKUP_SCHEDULE is off" in done.stderr and names_in(store) == []


def test_the_status_is_red_where_the_last_drill_failed_and_says_why(run: Run, store, tmp_path):
    run("backup")
    name = newest_in(store)
    keep_record(store, found(name, "restorable", days_ago=2))
    object_ = tmp_path / "store" / read_stored_backup(store, name).object
    whole = object_.read_bytes()
    object_.write_bytes(whole[:-1] + b"?")
    assert run("backup", "drill").exit_code == 4
    said = run("backup", "status", "--max-drill-age", "8d")
    assert said.exit_code == 1 and f"Not well: {name} failed its drill, 0 minutes ago: " in said.stdout
    assert "not what its manifest says" in said.stdout and "no backup has passed a drill yet" in said.stdout
    assert (
        "not what its manifest says" in run("backup", "drill", "--if-due").stderr
    )  # so it is due, until one is passed


def test_of_an_encrypted_backup_a_drill_without_the_key_counts_and_is_told_from_one_with_it(
    run: Run, store, monkeypatch
):
    monkeypatch.setenv("BACKUP_RECIPIENT", str(new_key().to_public()))
    run("backup")
    run("backup", "drill")
    said = run("backup", "status", "--max-drill-age", "8d")
    assert said.exit_code == 0 and "was unchanged" in said.stdout and "its hash alone was compared" in said.stdout
    run("backup")
    keep_record(store, found(moved_to(store, newest_in(store), datetime.now(UTC)), "unchanged", days_ago=1))
    monkeypatch.delenv("BACKUP_RECIPIENT")
    moved_to(store, made_by(run), datetime.now(UTC) + timedelta(minutes=1))
    said = run("backup", "status", "--max-drill-age", "8d")
    assert said.exit_code == 1 and "no backup was opened by a drill, only compared" in said.stdout


def made_by(run: Run) -> str:
    return json.loads(run("backup", "--json").stdout)["made"]["name"]


def test_the_status_is_red_where_a_backup_is_missing_or_old(run: Run, store, tmp_path):
    assert run("backup", "status").exit_code == 1
    run("backup")
    assert run("backup", "status", "--max-age", "26h").exit_code == 0
    assert run("backup", "status", "--max-drill-age", "8d").exit_code == 1
    run("backup", "drill")
    well = run("backup", "status", "--max-age", "26h", "--max-drill-age", "8d")
    assert well.exit_code == 0 and "was restorable" in well.stdout
    old = new_name("task_manager", datetime.now(UTC) - timedelta(hours=27))
    newest = newest_in(store)
    for ending in (naming.ENDING, ".db.zst"):
        (tmp_path / "store" / f"{newest}{ending}").rename(tmp_path / "store" / f"{old}{ending}")
    red = run("backup", "status", "--max-age", "26h")
    assert red.exit_code == 1 and "the newest is older than 26 hours" in red.stdout


def test_of_backups_that_are_made_in_one_second_the_last_one_is_the_newest():
    second, made = datetime.now(UTC).replace(microsecond=0), []
    for _ in range(10):
        made.append(new_name("task_manager", second))
        time.sleep(0.002)
    assert sorted(made) == made


def test_a_name_with_a_time_that_does_not_exist_is_no_backup(run: Run, store, tmp_path):
    (tmp_path / "store" / manifest_of("x-20269999T999999Z-00000000")).write_text("{}")
    (tmp_path / "store" / "x-20269999T999999Z-00000000.db.zst").write_text("{}")
    done = run("backup", "list")
    assert done.exit_code == 0 and "There is no backup" in done.stdout
    assert run("backup").exit_code == 0


def test_what_belongs_to_no_backup_is_no_backup(run: Run, store, tmp_path):
    execute(tmp_path / "store" / "a.db", "CREATE TABLE a (id)")
    assert "There is no backup" in run("backup", "list").stdout
