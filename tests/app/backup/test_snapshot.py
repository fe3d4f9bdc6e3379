"""A snapshot is one moment of the database, whole and checked, whatever the app does meanwhile."""

import json
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from app.backup.copies import manifest
from app.backup.copies import snapshot as snapshots
from app.backup.copies.other_databases import other_filled_databases
from app.backup.copies.overwrite_rules import refuse_taken
from app.backup.copies.snapshot import snapshot
from app.backup.copies.staging import staging_folder
from app.backup.copies.verify import verify
from app.backup.restoring.restore import restore
from app.cli import main
from app.database.engine import Database
from app.database.migrations import known_revisions
from app.errors import Broken, Conflict, Foreign, Held, NotSqlite, Refused, StorageFull, Unreadable
from app.storage import files
from app.storage.mounts import Storage, storage_under
from app.writer.lease import lease_of
from tests.app.backup.conftest import Hold, Make
from tests.app.backup.databases import add_items, execute, names, titles, type_last_commands


def test_it_is_one_moment_while_the_app_writes(make: Make, tmp_path: Path, monkeypatch):
    storage = make(items=40)
    monkeypatch.setattr(snapshots, "PAGES", 2)
    database, steps = Database(storage), []

    def write_in_between(done: int, _total: int) -> None:
        add_items(database, 1, "While it was copied")
        steps.append(done)
        assert len(steps) < 50, "the copy begins anew with each write"

    proof = snapshot(storage, tmp_path / "b.db", progress=write_in_between)
    database.close()
    assert len(steps) > 5
    assert proof.rows["work_items"] == proof.rows["tasks"] == 40
    assert titles(tmp_path / "b.db") == titles(storage.path)[:40]
    assert len(titles(storage.path)) == 40 + len(steps)


def test_it_goes_to_the_disk_as_it_is_written_and_not_all_at_its_end(make: Make, tmp_path: Path, monkeypatch):
    """One sync of all of it would let the app's commits wait."""
    synced: list[int] = []
    monkeypatch.setattr(files, "SYNCED_AT_ONCE", 64 << 10)
    monkeypatch.setattr(files, "_sync_data", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    monkeypatch.setattr(snapshots, "PAGES", 4)
    snapshot(make(items=40), tmp_path / "b.db")
    file = files.SyncedFile(tmp_path / "object")
    at_once = len(synced)
    with file:
        for _ in range(5):
            file.write(bytes(40 << 10))
    assert at_once >= 1 and synced[at_once:] == [80 << 10, 160 << 10]


def test_the_manifest_says_what_is_in_the_file(make: Make, tmp_path: Path):
    file = tmp_path / "b.db"
    proof = snapshot(make(items=3), file)
    assert manifest.read(file) == proof
    assert (proof.size_bytes, proof.revision) == (file.stat().st_size, known_revisions()[-1])
    assert proof.rows == {"api_tokens": 0, "events": 6, "tasks": 3, "users": 0, "work_items": 3}
    assert verify(file).proven


def test_what_is_only_in_the_log_is_in_the_snapshot_too(make: Make, tmp_path: Path):
    storage = make(items=1)
    database = Database(storage)
    add_items(database, 4)
    assert storage.path.with_name("task_manager.db-wal").stat().st_size
    assert snapshot(storage, tmp_path / "b.db").rows["tasks"] == 5
    database.close()


@pytest.mark.parametrize("proven", [True, False])
def test_a_backup_that_is_far_fuller_is_not_replaced_unless_it_is_moved_away(make: Make, tmp_path: Path, proven: bool):
    """As when the database was emptied, and the nightly backup runs."""
    file, emptier = tmp_path / "nightly b.db", make("emptier.db", items=1)
    snapshot(make("full.db", items=3), file)
    if not proven:
        manifest.path_for(file).unlink()
    before = file.read_bytes()
    with pytest.raises(
        Conflict, match="holds 6 items and tasks, and the database only 2: it was not replaced"
    ) as refused:
        snapshot(emptier, file, force=True)
    assert file.read_bytes() == before
    assert names(tmp_path) >= {"nightly b.db"} and not any(name.endswith(".partial") for name in names(tmp_path))
    move_away(refused.value)
    assert snapshot(emptier, file, force=True).rows["tasks"] == 1
    assert verify(tmp_path / "nightly b.db.old").proven == proven


@pytest.mark.parametrize("there", [0, 1, 2])
def test_a_backup_of_about_as_much_is_replaced(make: Make, tmp_path: Path, there: int):
    snapshot(make("then.db", items=there), tmp_path / "b.db")
    assert snapshot(make("now.db", items=1), tmp_path / "b.db", force=True).rows["tasks"] == 1


FORCED = r"It was not replaced: --force is for backups that this version can read\.\n"


def assert_left(storage: Storage, file: Path, said: str) -> Conflict:
    """With --force, too, all that is there stays as it is, before and after the copy is made."""
    before = {each.name: each.read_bytes() for each in file.parent.iterdir() if each.is_file()}
    with pytest.raises(Conflict, match=said) as refused:
        snapshot(storage, file, force=True)
    with pytest.raises(Conflict, match=said):
        refuse_taken(file, force=True, rows={"work_items": 9999})
    assert {each.name: each.read_bytes() for each in file.parent.iterdir() if each.is_file()} == before
    return refused.value


def move_away(refused: Conflict) -> None:
    """By the commands that the refusal names, typed as they stand there."""
    type_last_commands(refused.hint)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"shopping", 'it is not an SQLite database .it starts with "shopping"..'),
        (b"SQLite format 3\0" + b"\xff" * 5000, "bytes 18 and 19 of its header are 255 and 255"),
        (b"\x37\x7f\x06\x82" + bytes(50), "write-ahead log"),
    ],
)
def test_force_replaces_nothing_that_is_no_backup(make: Make, tmp_path: Path, content: bytes, said: str):
    storage, file = make(items=1), tmp_path / "b it.db"
    file.write_bytes(content)
    (tmp_path / "b it.db.old").write_text("moved away before")
    move_away(assert_left(storage, file, f"(?s){said}.*{FORCED}"))
    assert snapshot(storage, file, force=True).rows["tasks"] == 1
    assert (tmp_path / "b it.db.old").read_text() == "moved away before"
    assert (tmp_path / "b it.db-2.old").read_bytes() == content


def test_another_apps_database_is_not_replaced(make: Make, tmp_path: Path):
    execute(tmp_path / "music.db", "CREATE TABLE albums (id INTEGER PRIMARY KEY)")
    assert_left(make(), tmp_path / "music.db", f"another app's database.*{FORCED}")


def test_what_holds_nothing_is_replaced_with_force(make: Make, tmp_path: Path):
    """As made by mktemp."""
    (tmp_path / "b.db").touch()
    snapshot(make(), tmp_path / "b.db", force=True)
    assert verify(tmp_path / "b.db").proven


def test_the_rows_of_the_file_count_and_not_those_of_another_ones_manifest(make: Make, tmp_path: Path):
    """As where a fuller backup was copied by hand over one that was proven."""
    file, emptier = tmp_path / "b.db", make("emptier.db", items=1)
    snapshot(emptier, file)
    snapshot(make("full.db", items=9), tmp_path / "full-backup.db")
    shutil.copy(tmp_path / "full-backup.db", file)
    assert_not_replaced(emptier, file, "holds 18 items and tasks, and the database only 2: it was not replaced")


def assert_not_replaced(storage: Storage, file: Path, said: str) -> None:
    before = file.read_bytes()
    with pytest.raises(Conflict, match=said):
        snapshot(storage, file, force=True)
    assert file.read_bytes() == before


def test_a_copy_by_hand_is_not_taken_from_its_log(make: Make, tmp_path: Path):
    running = Database(make("running.db", items=1))
    add_items(running, 4)
    for ending in ("", "-wal"):
        shutil.copy(f"{running.storage.path}{ending}", tmp_path / f"hand.db{ending}")
    running.close()
    refused = assert_left(make("emptier.db", items=1), tmp_path / "hand.db", f"without hand.db-wal beside it.*{FORCED}")
    move_away(refused)
    assert verify(tmp_path / "hand.db.old", fold=True).contents.rows["tasks"] == 5


def test_a_backup_of_a_newer_version_is_not_replaced(make: Make, backup: Path):
    manifest.path_for(backup).unlink()
    execute(backup, "UPDATE alembic_version SET version_num = '9999'")
    assert_left(make(items=20), backup, f"has schema 9999; .*{FORCED}")


def test_the_database_of_another_app_that_runs_or_ran_is_not_replaced(make: Make, tmp_path: Path):
    other = make("other.db")
    lease_of(other)
    assert_left(make(), other.path, "is the database of a Task Assist, with its other.db.lease beside it")


@pytest.mark.parametrize("force", [True, False])
def test_what_is_called_like_the_manifest_goes_only_if_it_is_one(make: Make, tmp_path: Path, force: bool):
    storage = make()
    (tmp_path / "b.db.manifest.json").write_text('{"name": "of another program"}')
    with pytest.raises(Conflict, match="is not a manifest" if force else "manifest.json exists already") as refused:
        snapshot(storage, tmp_path / "b.db", force=force)
    assert names(tmp_path) == {"task_manager.db", "b.db.manifest.json"}
    move_away(refused.value)
    snapshot(storage, tmp_path / "b.db", force=force)


@pytest.mark.parametrize("force", [True, False])
def test_it_takes_the_place_of_nothing_that_is_the_apps_own(make: Make, tmp_path: Path, force: bool):
    storage = make()
    lease = lease_of(storage)
    assert lease.acquire(lease.observe())
    storage.secret.write_text("0" * 64)
    (tmp_path / "soft").symlink_to(storage.lease)
    (tmp_path / "hard").hardlink_to(storage.secret)
    for name in ("task_manager.secret", "hard"):
        with pytest.raises(Unreadable, match="is the app's own secret"):
            snapshot(storage, tmp_path / name, force=force)
    for name in (".task_manager.db.restoring", ".task_manager.db.restoring-wal", "task_manager.db.may-lack-changes"):
        with pytest.raises(Unreadable, match="is a name that Task Assist uses itself"):
            snapshot(storage, tmp_path / name, force=force)
    for name in ("task_manager.db.lease", "task_manager.db.lease/lock", "task_manager.db.lease/new.db", "soft/lock"):
        with pytest.raises(Unreadable, match="where Task Assist keeps who writes"):
            snapshot(storage, tmp_path / name, force=force)
    with pytest.raises(Unreadable, match="is the app's own secret"):
        restore(storage.secret, storage, as_it_is=True)
    lease.release()
    assert storage.secret.read_text() == "0" * 64
    assert not [name for name in names(storage.lease) if not name.startswith(("lock", "term-"))]


def test_it_is_one_file_for_its_owner_alone(make: Make, tmp_path: Path):
    storage = make()
    (tmp_path / "out").mkdir()
    done = CliRunner().invoke(main, ["snapshot", str(tmp_path / "out/b.db")], env={"DATABASE_PATH": str(storage.path)})
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"Copied the database to {tmp_path}/out/b.db: 3 tasks in 3 items, ")
    # Not in WAL mode (byte 18), so that a reader leaves nothing beside it, on a read-only disk too.
    assert (tmp_path / "out/b.db").read_bytes()[18] == 1
    titles(tmp_path / "out/b.db")
    assert names(tmp_path / "out") == {"b.db", "b.db.manifest.json"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").iterdir()} == {0o600}


def test_json_has_the_manifest_on_stdout_and_progress_on_stderr(make: Make, tmp_path: Path):
    file = tmp_path / "b.db"
    done = CliRunner().invoke(main, ["snapshot", "--json", str(file)], env={"DATABASE_PATH": str(make().path)})
    assert json.loads(done.stdout) == json.loads(manifest.path_for(file).read_text())
    last = json.loads(done.stderr.splitlines()[-1])
    assert last == {"doing": "Copying", "done": file.stat().st_size, "total": file.stat().st_size}


def test_an_existing_file_is_only_overwritten_when_told_to(make: Make, tmp_path: Path):
    storage, file = make(), tmp_path / "b.db"
    snapshot(make("then.db", items=2), file)
    before = file.read_bytes()
    with pytest.raises(Conflict, match="exists already"):
        snapshot(storage, file)
    assert file.read_bytes() == before
    snapshot(storage, file, force=True)
    assert verify(file).proven


@pytest.mark.parametrize("renamed", [0, 1])
def test_a_kill_while_overwriting_never_leaves_a_file_with_another_manifest(
    make: Make, backup: Path, monkeypatch, renamed: int
):
    storage, done, real = make(items=12), [], Path.replace

    def killed(self: Path, to: Path) -> Path:
        if len(done) == renamed:
            raise KeyboardInterrupt
        done.append(to)
        return real(self, to)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        snapshot(storage, backup, force=True)
    assert not verify(backup).proven


@pytest.mark.parametrize("force", [True, False])
def test_of_two_snapshots_to_one_name_at_once_the_one_that_says_done_is_there_and_proven(
    make: Make, tmp_path: Path, force: bool
):
    """The second begins, and ends, in the middle of the first."""
    few, many, file = make("few.db", items=2), make("many.db", items=4), tmp_path / "b.db"
    proofs = []

    def second(_done: int, _total: int) -> None:
        if not proofs:
            proofs.append(snapshot(many, file, force=force))

    if force:
        proofs.append(snapshot(few, file, force=True, progress=second))
    else:
        with pytest.raises(Conflict, match="exists already"):
            snapshot(few, file, progress=second)
    assert verify(file).proven
    assert manifest.read(file) == proofs[-1]
    assert names(tmp_path) == {"few.db", "many.db", "b.db", "b.db.manifest.json"}


def test_of_many_snapshots_to_one_name_at_once_one_is_there_and_proven(make: Make, tmp_path: Path):
    storages = [make(f"{number}.db", items=number) for number in range(6, 12)]
    with ThreadPoolExecutor(6) as pool:
        proofs = list(pool.map(lambda storage: snapshot(storage, tmp_path / "b.db", force=True), storages))
    assert verify(tmp_path / "b.db").proven
    assert manifest.read(tmp_path / "b.db") in proofs
    assert not [name for name in names(tmp_path) if name.endswith(".partial")]


def test_what_a_killed_snapshot_left_goes_with_the_next_one_but_not_what_is_being_written(make: Make, tmp_path: Path):
    killed = tmp_path / ".b.db.killed.partial"
    killed.mkdir()
    (killed / "copy.db").write_text("half of it")
    with staging_folder(tmp_path / "b.db") as busy:
        snapshot(make(), tmp_path / "b.db")
        assert not killed.exists() and busy.is_dir()
    assert names(tmp_path) == {"task_manager.db", "b.db", "b.db.manifest.json"}


def test_a_copy_that_ends_while_the_next_one_looks_for_what_was_left_is_no_matter(
    make: Make, tmp_path: Path, monkeypatch
):
    left, real = tmp_path / ".b.db.ending.partial", os.open

    def gone(path: Path, *options: int, **where: int) -> int:
        if path == left and left.exists():
            left.rmdir()
        return real(path, *options, **where)

    left.mkdir()
    monkeypatch.setattr(os, "open", gone)
    snapshot(make(), tmp_path / "b.db")
    assert verify(tmp_path / "b.db").proven


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_it_never_takes_the_place_of_the_database_itself(make: Make, tmp_path: Path, ending: str):
    storage = make()
    (tmp_path / "link").symlink_to(tmp_path)
    for folder in (tmp_path, tmp_path / "link"):
        with pytest.raises(Unreadable, match="is the database itself"):
            snapshot(storage, folder / f"task_manager.db{ending}", force=True)
    assert len(titles(storage.path)) == 3


def test_what_an_app_has_open_under_a_name_that_is_gone_replaces_an_older_backup(make: Make, tmp_path: Path):
    storage = make()
    snapshot(storage, tmp_path / "b.db")
    database = Database(storage)
    add_items(database, 1, "Later")
    storage.path.unlink()
    snapshot(storage, tmp_path / "b.db", force=True, held=nullcontext(database))
    database.close()
    assert titles(tmp_path / "b.db") == ["Item 0", "Item 1", "Item 2", "Later 0"]


@pytest.mark.parametrize("ending", ["", "-wal"])
def test_what_is_open_is_not_looked_into_by_the_name_that_it_was_given_meanwhile(
    make: Make, tmp_path: Path, monkeypatch, ending: str
):
    """Closing it again would drop SQLite's locks on it."""
    storage, opened_again = make(), []
    with closing(Database(storage)) as database:
        add_items(database, 1)
        old = tmp_path / "old.db"
        (tmp_path / f"task_manager.db{ending}").rename(old)
        real = os.open
        monkeypatch.setattr(
            os, "open", lambda path, *how, **more: opened_again.append(path) or real(path, *how, **more)
        )
        with pytest.raises(Unreadable, match="is the database itself"):
            snapshot(storage, old, force=True, held=nullcontext(database))
        assert other_filled_databases(storage, database.has_open) == ""
        assert old not in opened_again


@pytest.mark.parametrize("left", ["a link", "nothing"])
def test_it_does_not_take_the_name_by_which_the_database_is_found(make: Make, tmp_path: Path, left: str):
    """The next start would open the copy instead of it."""
    real, name = make(), tmp_path / "link.db"
    name.symlink_to(real.path)
    storage = storage_under(name)
    with closing(Database(storage)) as database:
        name.unlink()
        if left == "a link":
            name.symlink_to("nowhere")
        with pytest.raises(Unreadable, match="is the database itself"):
            snapshot(storage, name, force=True, held=nullcontext(database))


def test_another_name_of_the_database_is_the_database_too(make: Make, tmp_path: Path):
    storage = make()
    with closing(Database(storage)) as database:
        (tmp_path / "soft.db").symlink_to(storage.path)
        (tmp_path / "hard.db").hardlink_to(storage.path)
        for name in ("soft.db", "hard.db"):
            with pytest.raises(Unreadable, match="is the database itself"):
                snapshot(storage, tmp_path / name, force=True, held=nullcontext(database))
            with pytest.raises(Unreadable, match="is the database itself"):
                restore(tmp_path / name, storage)


@pytest.mark.parametrize(
    ("target", "problem", "said"),
    [
        (".", Unreadable, "is a folder"),
        ("nowhere/b.db", Unreadable, r"(?s)Can't write .*No such file.*task-assist snapshot \S+/b\.db$"),
        ("mk.py/b.db", Unreadable, "Can't write"),
    ],
)
def test_a_target_that_cant_be_written(make: Make, tmp_path: Path, target: str, problem: type[Refused], said: str):
    storage = make()
    (tmp_path / "mk.py").touch()
    with pytest.raises(problem, match=said):
        snapshot(storage, tmp_path / target)


def test_it_takes_the_place_of_no_pipe_and_of_no_link(make: Make, tmp_path: Path):
    storage = make()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unreadable, match="is a pipe, socket or device"):
        snapshot(storage, tmp_path / "pipe", force=True)
    snapshot(storage, tmp_path / "real.db")
    for leads_to in ("gone.db", "real.db"):
        (tmp_path / "link").symlink_to(leads_to)
        with pytest.raises(Conflict, match="exists already"):
            snapshot(storage, tmp_path / "link")
        with pytest.raises(Conflict, match=f"is a link to {leads_to}. It was not replaced") as refused:
            snapshot(storage, tmp_path / "link", force=True)
        move_away(refused.value)
    assert verify(tmp_path / "real.db").proven


def test_a_full_disk_is_told_before_anything_is_written(make: Make, tmp_path: Path, monkeypatch):
    storage = make()
    monkeypatch.setattr(snapshots.shutil, "disk_usage", lambda _: SimpleNamespace(free=9))
    with pytest.raises(StorageFull, match=r"no room for .* 9 are free"):
        snapshot(storage, tmp_path / "b.db")
    assert "b.db" not in names(tmp_path)


def test_a_damaged_database_makes_no_backup(make: Make, tmp_path: Path):
    storage = make(items=60)
    with storage.path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * 4096)
    with pytest.raises(Broken, match=r"(?s)task_manager\.db is damaged.*task-assist restore "):
        snapshot(storage, tmp_path / "b.db")
    assert names(tmp_path) == {"task_manager.db"}


def test_damage_that_counting_rows_does_not_meet_makes_no_backup_either(make: Make, tmp_path: Path):
    storage = make()
    execute(
        storage.path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'deleted_at DATETIME', 'deleted_at DATETIME NOT NULL')",
    )
    with pytest.raises(Broken, match=r"NULL value in work_items\.deleted_at"):
        snapshot(storage, tmp_path / "b.db")
    assert names(tmp_path) == {"task_manager.db"}


def test_what_is_no_database_of_this_app_makes_no_backup(tmp_path: Path):
    with pytest.raises(Unreadable, match="No such file"):
        snapshot(storage_under(tmp_path / "none.db"), tmp_path / "b.db")
    (tmp_path / "notes.txt").write_text("shopping")
    with pytest.raises(NotSqlite, match='starts with "shopping"'):
        snapshot(storage_under(tmp_path / "notes.txt"), tmp_path / "b.db")
    execute(tmp_path / "music.db", "CREATE TABLE albums (id INTEGER PRIMARY KEY)")
    with pytest.raises(Foreign, match="another app's database"):
        snapshot(storage_under(tmp_path / "music.db"), tmp_path / "b.db")
    assert names(tmp_path) == {"notes.txt", "music.db"}


def test_a_database_that_the_app_has_for_itself_says_to_stop_it(make: Make, hold: Hold, tmp_path: Path):
    storage = storage_under(make().path, "exclusive")
    hold(storage)
    with pytest.raises(Held, match="Stop the app"):
        snapshot(storage, tmp_path / "b.db")
    assert "b.db" not in names(tmp_path)


@pytest.mark.parametrize("profile", ["shared", "exclusive"])
def test_it_needs_no_sqlalchemy(make: Make, tmp_path: Path, profile: str):
    """Which would take more memory than all of the rest."""
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from app.cli import main\n"
        "for verb in ('snapshot', 'verify'):\n"
        "    print(CliRunner().invoke(main, [verb, sys.argv[1]]).exit_code)\n"
        "print('sqlalchemy' in sys.modules)"
    )
    settings = {"DATABASE_PATH": str(make().path), "DATABASE_STORAGE": profile}
    command = [sys.executable, "-c", program, str(tmp_path / "b.db")]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["0", "0", "False"], done.stderr
