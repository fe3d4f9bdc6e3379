"""From the database to a store and back: whole and proven, or not at all."""

import errno
import json
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from app.backup.copies import manifest
from app.backup.copies.snapshot import snapshot
from app.backup.copies.verify import verify
from app.backup.restoring import undo
from app.backup.stores.store import Store, StoreFailed, store_at
from app.backup.stores.stored_backup import StoredBackup, manifest_of, names_in, newest_in, read_stored_backup
from app.backup.transfer.fetch import check_object, fetch
from app.backup.transfer.pipeline import BackupOptions, back_up
from app.cli import main
from app.database import migrations
from app.errors import Broken, CannotStart, Forbidden, Held, Mismatch, NotFound, Problem, StorageFull
from app.operations.commands import undo_commands
from app.storage.files import sha256_of
from app.storage.mounts import Mount, Profile, Storage, storage_under
from app.version import __version__
from app.writer.instance import Instance
from tests.app.backup.conftest import Make
from tests.app.backup.databases import closed_database, execute, names, titles, unfit_index
from tests.app.processes import eventually

pyrage: Any = pytest.importorskip("pyrage")
Run = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return store_at((tmp_path / "store").as_uri())


@pytest.fixture
def run(make: Make, store: Store, monkeypatch, tmp_path: Path) -> Run:
    """Types a command with a database of three items, BACKUP_URL and a working folder of its own."""
    monkeypatch.setenv("DATABASE_PATH", str(make().path))
    monkeypatch.setenv("BACKUP_URL", str(store.url))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, words)


def backed_up(storage: Storage, store: Store, recipients: tuple[str, ...] = ()) -> StoredBackup:
    def take(storage: Storage, file: Path, progress: Any):
        return snapshot(storage, file, progress=progress)

    return back_up(storage, store, BackupOptions(recipients), take, say=lambda _: None, progress=None)


def new_key() -> Any:
    return pyrage.x25519.Identity.generate()


def fetched(store: Store, stored: StoredBackup, tmp_path: Path, *keys: Any) -> Path:
    file = tmp_path / "fetched.db"
    fetch(store, stored, file, list(keys), None)
    return file


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_was_backed_up_comes_back_byte_for_byte_and_proven(make, store, tmp_path, encrypted: bool):
    key = new_key()
    stored = backed_up(make(items=5), store, (str(key.to_public()),) if encrypted else ())
    file = fetched(store, read_stored_backup(store, newest_in(store)), tmp_path, key)
    assert verify(file).proven and titles(file) == [f"Item {number}" for number in range(5)]
    assert verify(file).sha256 == stored.database.sha256
    assert (b"Item 3" in (tmp_path / "store" / stored.object).read_bytes()) is False


def test_any_of_several_keys_opens_it_and_no_other(make, store, tmp_path):
    keys = [new_key(), new_key()]
    stored = backed_up(make(), store, tuple(str(key.to_public()) for key in keys))
    for key in keys:
        fetched(store, stored, tmp_path, key).unlink()
    with pytest.raises(Forbidden, match="other keys"):
        fetched(store, stored, tmp_path, new_key())
    with pytest.raises(Forbidden, match=r"--identity FILE(?s:.*)" + str(keys[0].to_public())):
        fetched(store, stored, tmp_path)
    assert not (tmp_path / "fetched.db").exists()


def test_a_public_key_with_a_typing_mistake_is_refused_before_anything_is_done(make, store):
    key = str(new_key().to_public())
    mistyped = key[:-1] + ("q" if key[-1] != "q" else "p")

    def never(*_given: Any) -> Any:
        raise AssertionError("the database was copied")

    with pytest.raises(CannotStart, match="BACKUP_RECIPIENT"):
        back_up(make(), store, BackupOptions((mistyped,)), never, say=lambda _: None, progress=None)
    assert store.entries() == []


def test_only_what_has_its_manifest_is_a_backup(make, store, tmp_path):
    first = backed_up(make(), store)
    second = backed_up(make("other.db"), store)
    store.remove(manifest_of(second.name))
    assert names_in(store) == [first.name]
    (tmp_path / "store" / "notes.manifest.json").write_text("{}")
    (tmp_path / "store" / second.name).write_text("{}")
    assert names_in(store) == [first.name]


def test_nothing_is_left_beside_the_database(make, store, tmp_path):
    """But the deployment's number."""
    before = names(tmp_path)
    backed_up(make(), store)
    assert names(tmp_path) - before == {"task_manager.db", "task_manager.db.deployment"}


def test_it_is_said_first_where_the_copy_lies_and_how_much_room_it_takes(make, store):
    storage, said = make(), []

    def take(*_given: Any):
        assert said
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        back_up(storage, store, BackupOptions(), take, say=said.append, progress=None)
    assert str(storage.path.parent) in said[0] and f"{storage.path.stat().st_size:,} bytes" in said[0]


def test_without_room_for_the_copy_nothing_is_begun(make, store, monkeypatch):
    storage = make()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # pyright: ignore
    with pytest.raises(StorageFull, match=r"no room in .* for a copy of the database: .* 1 are free"):
        backed_up(storage, store)
    assert store.entries() == []


def damage(data: bytes, how: str, by: random.Random) -> bytes:
    place = by.randrange(len(data))
    if how == "cut":
        return data[:place]
    if how == "longer":
        return data + by.randbytes(by.randrange(1, 50))
    return data[:place] + bytes([data[place] ^ 1 << by.randrange(8)]) + data[place + 1 :]


@pytest.mark.parametrize("encrypted", [False, True])
def test_500_damaged_objects_are_all_refused_and_leave_nothing(make, store, tmp_path, encrypted: bool):
    key, by = new_key(), random.Random(19)
    stored = backed_up(make(), store, (str(key.to_public()),) if encrypted else ())
    object_ = tmp_path / "store" / stored.object
    whole = object_.read_bytes()
    for number in range(500):
        how = ("bit", "bit", "cut", "longer")[number % 4]
        object_.write_bytes(damage(whole, how, by))
        with pytest.raises((Mismatch, Forbidden)):
            fetched(store, stored, tmp_path, key)
        assert not (tmp_path / "fetched.db").exists()
        with pytest.raises(Mismatch):
            check_object(store, stored)
    object_.write_bytes(whole)
    check_object(store, stored)


def test_a_manifest_with_any_flipped_bit_is_refused_or_changes_nothing_that_counts(make, store, tmp_path):
    stored, by = backed_up(make(), store), random.Random(19)
    file = tmp_path / "store" / manifest_of(stored.name)
    whole = file.read_bytes()
    for _ in range(300):
        file.write_bytes(damage(whole, "bit", by))
        try:
            found = fetched(store, read_stored_backup(store, stored.name), tmp_path)
            verify(found)
        except Problem:
            (tmp_path / "fetched.db").unlink(missing_ok=True)
            manifest.path_for(tmp_path / "fetched.db").unlink(missing_ok=True)
            continue
        assert verify(found).sha256 == stored.database.sha256
        found.unlink()


def test_an_object_that_has_no_end_is_not_read_to_it(make, store, monkeypatch):
    stored = backed_up(make(), store)
    given = []

    def endless(name: str) -> Iterator[bytes]:
        whole = store.read(name)
        while sum(given) < 5 << 20:
            given.append(len(whole))
            yield whole

    monkeypatch.setattr(store, "stream", endless)
    with pytest.raises(Mismatch, match="is not what its manifest says"):
        check_object(store, stored)
    assert len(given) < 5


def test_swapped_manifests_are_refused(make, store, tmp_path):
    one, other = backed_up(make("one.db"), store), backed_up(make("other.db"), store)
    folder = tmp_path / "store"
    a, b = folder / manifest_of(one.name), folder / manifest_of(other.name)
    swapped = a.read_bytes(), b.read_bytes()
    b.write_bytes(swapped[0])
    with pytest.raises(Mismatch, match="is the manifest of another backup"):
        read_stored_backup(store, other.name)


def test_swapped_objects_are_refused(make, store, tmp_path):
    one, other = backed_up(make("one.db"), store), backed_up(make("other.db", items=9), store)
    (tmp_path / "store" / other.object).replace(tmp_path / "store" / one.object)
    with pytest.raises(Mismatch, match="is not what its manifest says"):
        fetched(store, one, tmp_path)


def test_a_few_kilobytes_that_become_gigabytes_fill_no_disk(make, store, tmp_path):
    from app.backup.transfer.compression import zstd

    stored = backed_up(make(), store)
    bomb = zstd.compress(bytes(1 << 30))
    assert len(bomb) < 100_000
    (tmp_path / "store" / stored.object).write_bytes(bomb)
    with pytest.raises(Mismatch, match="more in it than its manifest says"):
        fetched(store, stored, tmp_path)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_network_that_breaks_while_it_is_read_is_no_damage(make, store, tmp_path, monkeypatch, encrypted: bool):
    key = new_key()
    stored = backed_up(make(), store, (str(key.to_public()),) if encrypted else ())

    def breaks(name: str) -> Iterator[bytes]:
        yield (tmp_path / "store" / name).read_bytes()[:50]
        raise StoreFailed("The network is gone.")

    monkeypatch.setattr(store, "stream", breaks)
    with pytest.raises(StoreFailed, match="The network is gone"):
        fetched(store, stored, tmp_path, key)
    assert not (tmp_path / "fetched.db").exists()


def test_an_object_that_is_gone_is_said(make, store, tmp_path):
    stored = backed_up(make(), store)
    store.remove(stored.object)
    with pytest.raises(NotFound, match=stored.object):
        fetched(store, stored, tmp_path)


def test_a_copy_that_the_disk_changed_on_the_way_is_not_kept(make, store):
    def take(storage: Storage, file: Path, progress: Any):
        proof = snapshot(storage, file)
        execute(file, "DELETE FROM tasks")
        return proof

    with pytest.raises(Broken, match="is not what was written there"):
        back_up(make(), store, BackupOptions(), take, say=lambda _: None, progress=None)
    assert store.entries() == []


@pytest.mark.parametrize("profile", ["shared", "exclusive"])
def test_the_manifest_says_what_is_in_it_and_under_which_circumstances_it_was_made(store, tmp_path, profile: Profile):
    storage = closed_database(tmp_path / "a.db", 3, profile)
    at = datetime(2026, 6, 1, 3, 15, tzinfo=UTC)

    def take(storage: Storage, file: Path, progress: Any):
        return snapshot(storage, file, progress=progress)

    stored = back_up(storage, store, BackupOptions((), at), take, say=lambda _: None, progress=None)
    said = json.loads((tmp_path / "store" / manifest_of(stored.name)).read_text())
    file = fetched(store, stored, tmp_path)
    assert said["object_sha256"] == sha256_of(tmp_path / "store" / stored.object)
    assert said["object_size_bytes"] == (tmp_path / "store" / stored.object).stat().st_size
    assert said["database"]["sha256"] == sha256_of(file)
    assert said["database"]["rows"] == {"api_tokens": 0, "events": 6, "tasks": 3, "users": 0, "work_items": 3}
    assert said["database"]["revision"] == migrations.known_revisions()[-1]
    assert said["database"]["app_version"] == __version__ and said["database"]["sqlite_version"][0] == "3"
    assert (said["format"], said["storage_profile"]) == (3, profile)
    assert datetime.fromisoformat(said["scheduled_for"]) == at


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_manifest_says_how_to_restore_it_with_plain_tools(make, store, tmp_path, encrypted: bool):
    """The lines of the manifest are typed as they stand there."""
    tools = ["sha256sum", "zstd", "sqlite3", *(["age"] if encrypted else [])]
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"there is no {missing[0]}: sudo apt-get install {missing[0]}")
    key = new_key()
    stored = backed_up(make(items=4), store, (str(key.to_public()),) if encrypted else ())
    (tmp_path / "store" / "KEY.txt").write_text(f"# a key\n{key}\n")
    said = json.loads((tmp_path / "store" / manifest_of(stored.name)).read_text())["how_to_restore"]
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(said)], cwd=tmp_path / "store", check=True, capture_output=True, text=True
    )
    assert done.stdout.count(": OK") == 2 and done.stdout.endswith("ok\n")
    assert titles(tmp_path / "store" / f"{stored.name}.db") == [f"Item {number}" for number in range(4)]


# --- as it is typed -----------------------------------------------------------------------------------------


def change(tmp_path: Path) -> None:
    execute(
        tmp_path / "task_manager.db",
        "DELETE FROM tasks WHERE id = 1",
        "UPDATE work_items SET title = 'Another' WHERE id = 2",
        "INSERT INTO tasks SELECT * FROM tasks WHERE 0",
    )


def test_a_backup_is_made_listed_and_restored_by_what_is_printed(run: Run, tmp_path: Path):
    assert "There is no backup in file://" in run("backup", "list").output
    made = run("backup")
    assert made.exit_code == 0, made.output
    assert "3 tasks in 3 items" in made.stdout and "checked" in made.stdout
    change(tmp_path)
    words = made.stdout.splitlines()[-1].split()
    assert words[:5] == ["To", "put", "it", "back:", "task-assist"]
    assert words[6] in run("backup", "list").stdout
    restored = run(*words[5:])
    assert restored.exit_code == 0, restored.output
    assert titles(tmp_path / "task_manager.db") == ["Item 0", "Item 1", "Item 2"]


@pytest.mark.parametrize("what", ["latest", "name", "url", "url of latest", "object", "manifest"])
def test_a_backup_has_many_names(run: Run, store: Store, tmp_path: Path, what: str):
    run("backup")
    change(tmp_path)
    stored = read_stored_backup(store, newest_in(store))
    known = {
        "latest": "latest",
        "name": stored.name,
        "url": f"{store.url}/{stored.name}",
        "url of latest": f"{store.url}/latest",
        "object": f"store/{stored.object}",
        "manifest": str(tmp_path / "store" / manifest_of(stored.name)),
    }
    done = run("restore", known[what])
    assert done.exit_code == 0, done.output
    assert titles(tmp_path / "task_manager.db")[1] == "Item 1"


def test_a_dry_run_says_the_difference_in_data_and_changes_nothing(run: Run, tmp_path: Path):
    run("backup")
    change(tmp_path)
    execute(tmp_path / "task_manager.db", "UPDATE tasks SET id = 77 WHERE id = 3")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.suffix == ".db"}
    done = run("restore", "latest", "--dry-run")
    assert done.exit_code == 0
    assert "1 item will change, 1 task made since will go, 2 tasks will be back" in done.stdout
    assert "Nothing was changed" in done.stdout
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.suffix == ".db"} == before


def test_a_restore_is_undone_and_the_undoing_as_well(run: Run, tmp_path: Path):
    run("backup")
    change(tmp_path)
    now = (tmp_path / "task_manager.db").read_bytes()
    assert run("restore", "latest").exit_code == 0
    assert titles(tmp_path / "task_manager.db")[1] == "Item 1"
    assert run("undo").exit_code == 0
    assert titles(tmp_path / "task_manager.db")[1] == "Another"
    assert run("undo").exit_code == 0
    assert titles(tmp_path / "task_manager.db")[1] == "Item 1"
    assert now


def test_after_a_restore_that_kept_nothing_no_older_copy_is_taken_for_it(run: Run, tmp_path: Path):
    run("backup")
    assert run("restore", "latest").exit_code == 0
    change(tmp_path)
    assert run("restore", "latest", "--no-keep").exit_code == 0
    done = run("undo")
    assert done.exit_code == 1 and "the last restore has kept none" in done.stderr
    assert titles(tmp_path / "task_manager.db")[1] == "Item 1"


def test_a_restore_that_is_refused_leaves_no_copy_and_is_not_undone(run: Run, tmp_path: Path, monkeypatch):
    run("backup")
    assert run("undo").exit_code == 1
    held = Held("Another process has it.", "Stop the app.")
    for times in range(2):
        before = names(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr("app.backup.restoring.restore.fold_in", lambda *_: (_ for _ in ()).throw(held))
            for _ in range(2):
                assert run("restore", "latest").exit_code == 9
        assert names(tmp_path) == before
        execute(tmp_path / "task_manager.db", "UPDATE work_items SET title = 'An hour later' WHERE id = 2")
        if not times:
            done = run("undo")
            assert done.exit_code == 1 and "no restore has kept one" in done.stderr
            assert titles(tmp_path / "task_manager.db")[1] == "An hour later"
            assert run("restore", "latest").exit_code == 0
    assert run("undo").exit_code == 0  # the one that did happen
    assert titles(tmp_path / "task_manager.db")[1] == "An hour later"


def test_a_restore_is_undone_after_a_take_over_too_which_makes_a_new_file(run: Run, tmp_path: Path):
    run("backup")
    change(tmp_path)
    assert run("restore", "latest").exit_code == 0
    file = tmp_path / "task_manager.db"
    shutil.copy(file, tmp_path / "copy")
    (tmp_path / "copy").rename(file)
    assert run("undo").exit_code == 0
    assert titles(file)[1] == "Another"


def test_a_note_that_speaks_of_no_file_that_is_there_is_said_with_what_to_type(run: Run, tmp_path: Path):
    run("backup")
    change(tmp_path)
    assert run("restore", "latest").exit_code == 0
    (tmp_path / "task_manager.db.undo").write_text("{}")
    done = run("undo")
    assert done.exit_code == 1 and "speaks of another file" in done.stderr
    assert titles(tmp_path / "task_manager.db")[1] == "Item 1"
    words = done.stderr.splitlines()[-1].partition("task-assist ")[2].split()
    assert run(*words).exit_code == 0
    assert titles(tmp_path / "task_manager.db")[1] == "Another"


def test_without_its_note_the_newest_copy_undoes(run: Run, tmp_path: Path):
    """As from before there were notes."""
    run("backup")
    for _ in range(2):
        change(tmp_path)
        assert run("restore", "latest").exit_code == 0
    (tmp_path / "task_manager.db.undo").unlink()
    assert run("undo").exit_code == 0
    assert titles(tmp_path / "task_manager.db")[1] == "Another"


def test_what_the_quick_check_does_not_see_is_no_obstacle_to_an_undo_and_is_looked_for_afterwards(
    run: Run, tmp_path: Path
):
    run("backup")
    file = tmp_path / "task_manager.db"
    index = unfit_index(file, "work_items")
    assert run("restore", "latest").exit_code == 0
    assert run("undo").exit_code == 0
    instance = Instance(storage_under(file), migrations.upgrade)
    instance.start()
    eventually(lambda: index in str(instance.problem))
    instance.stop()


def test_what_a_restore_takes_in_is_checked_whole_by_the_next_app(run: Run, tmp_path: Path):
    run("backup")
    assert run("restore", "latest").exit_code == 0
    instance = Instance(storage_under(tmp_path / "task_manager.db"), migrations.upgrade)
    with capture_logs() as said:
        instance.start()
        eventually(lambda: any("was restored, and is sound" in line["event"] for line in said))
        instance.stop()


def test_it_is_said_first_where_what_is_fetched_lies_and_how_much_room_it_takes(run: Run, store: Store):
    run("backup")
    size = read_stored_backup(store, newest_in(store)).database.size_bytes
    for words in (("restore", "latest", "--dry-run"), ("restore", "latest")):
        first = run(*words).stderr.splitlines()[0]
        assert "task_manager.db.fetched" in first and f"{size:,} bytes are needed there for a while" in first


def test_what_was_damaged_comes_back_by_undo_as_it_was(run: Run, tmp_path: Path):
    run("backup")
    file = tmp_path / "task_manager.db"
    whole = file.read_bytes()
    page = whole.index(b"Item 1") // 4096 * 4096
    damaged = whole[:page] + bytes(4096) + whole[page + 4096 :]
    file.write_bytes(damaged)
    assert run("restore", "latest").exit_code == 0
    assert run("undo").exit_code == 0
    assert file.read_bytes() == damaged


def test_without_a_restore_there_is_nothing_to_undo(run: Run):
    done = run("undo")
    assert done.exit_code == 1 and "no restore has kept one" in done.stderr


def test_an_encrypted_backup_needs_its_key(run: Run, tmp_path: Path, monkeypatch):
    key = new_key()
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    assert "encrypted for age1" in run("backup").stdout
    refused = run("restore", "latest")
    assert refused.exit_code == 1 and "--identity" in refused.stderr and str(key.to_public()) in refused.stderr
    (tmp_path / "key.txt").write_text(f"# made today\n{key}\n")
    assert run("restore", "latest", "--identity", "key.txt").exit_code == 0
    (tmp_path / "key.txt").write_text("AGE-SECRET-KEY-1QQQ")
    wrong = run("restore", "latest", "--identity", "key.txt")
    assert wrong.exit_code == 1 and "has a mistake" in wrong.stderr and "1QQQ" not in wrong.output


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nothing.db", "Can't read nothing.db"),
        ("task_manager-20260101T000000Z-00000000", "task-assist backup list"),
        ("file:///", "names a store, and no backup"),
        ("https://example.com/latest", "one of file:///"),
    ],
)
def test_what_is_not_there_is_told_in_words(run: Run, what: str, said: str):
    run("backup")
    done = run("restore", what)
    assert done.exit_code == 1 and said in done.stderr, done.output


def test_a_setting_with_a_key_in_it_is_refused_without_the_key(run: Run, monkeypatch):
    monkeypatch.setenv("BACKUP_URL", "s3://key:hush@tasks")
    done = run("backup")
    assert done.exit_code == 1 and "No user or password" in done.stderr and "hush" not in done.output


def test_a_backup_that_was_copied_into_the_container_is_restored_from_there(run: Run, store, tmp_path, monkeypatch):
    run("backup")
    stored = read_stored_backup(store, newest_in(store))
    here = Mount("/", "/", "overlay", "", read_only=False)
    monkeypatch.setattr("app.backup.stores.folder.mount_of", lambda *_: here)
    monkeypatch.setenv("APP_ENV", "production")
    for what in (str(tmp_path / "store" / stored.object), f"{store.url}/{stored.name}"):
        assert "is sound" in run("restore", what, "--dry-run").stdout
    assert "inside the container" in run("backup").stderr


def test_without_room_for_the_copy_what_is_to_be_typed_does_the_same(run: Run, tmp_path: Path, monkeypatch):
    key = new_key()
    (tmp_path / "key.txt").write_text(str(key))
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    run("backup")
    file = Path(shutil.copy(tmp_path / "task_manager.db", tmp_path / "raw.db"))
    full = StorageFull("There is no room.", "Free some.")
    with monkeypatch.context() as patched:
        patched.setattr(
            "app.backup.copies.safety_copy.refuse_without_room", lambda *_, **__: (_ for _ in ()).throw(full)
        )
        said = run("restore", "latest", "--identity", "key.txt").stderr
        assert "--no-keep" not in run("import-db", str(file)).stderr  # which has no such option
    words = said.splitlines()[-1].split()
    assert words == ["task-assist", "restore", "--no-keep", "--identity", "key.txt", "latest"]
    assert run(*words[1:]).exit_code == 0


def test_a_file_named_latest_is_a_file_when_it_is_typed_as_one(run: Run, tmp_path: Path, backup: Path):
    shutil.copy(backup, tmp_path / "latest")
    done = run("restore", "./latest")
    assert "20 tasks in 20 items" in done.stdout, done.output


def test_encryption_streams_and_lets_other_threads_run(make, store, monkeypatch):
    """`encrypt_io` alone does: `encrypt_file` lets no other thread run, `encrypt` takes three times the file."""
    used = []

    def watched(*given: Any) -> Any:
        used.append("encrypt_io")
        return streams(*given)

    def never(*_given: Any) -> Any:
        raise AssertionError("it was not encrypted as a stream")

    streams = pyrage.encrypt_io
    monkeypatch.setattr(pyrage, "encrypt_io", watched)
    for name in ("encrypt", "encrypt_file"):
        monkeypatch.setattr(pyrage, name, never)
    stored = backed_up(make(), store, (str(new_key().to_public()),))
    assert used == ["encrypt_io"] and stored.object.endswith(".age")


def test_an_undo_that_another_restore_overtakes_changes_nothing(run: Run, tmp_path: Path, monkeypatch):
    """It has looked which restore is the last one before it had the database for itself."""
    run("backup")
    change(tmp_path)
    assert run("restore", "latest").exit_code == 0
    execute(tmp_path / "task_manager.db", "UPDATE work_items SET title = 'Since' WHERE id = 3")
    looks = undo_commands.verified

    def overtaken(*given: Any, **named: Any) -> Any:
        found = looks(*given, **named)
        monkeypatch.setattr(undo_commands, "verified", looks)
        assert run("restore", "latest").exit_code == 0
        return found

    monkeypatch.setattr(undo_commands, "verified", overtaken)
    done = run("undo")
    assert done.exit_code == 1 and "another restore" in done.output
    assert titles(tmp_path / "task_manager.db") == ["Item 0", "Item 1", "Item 2"]
    assert run("undo").exit_code == 0
    assert titles(tmp_path / "task_manager.db")[2] == "Since"


def test_an_undo_that_finds_no_room_at_all_says_what_does_the_same_without_a_copy(run: Run, tmp_path, monkeypatch):
    """Where not even the note of what it undoes can be written anew."""
    run("backup")
    change(tmp_path)
    assert run("restore", "latest").exit_code == 0
    before = names(tmp_path)

    def full(*_given: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(undo, "to_disk", full)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # pyright: ignore
    done = run("undo")
    monkeypatch.undo()
    assert "two copies" in done.output and "Nothing was changed" in done.output
    assert names(tmp_path) == before
    (command,) = [line.split() for line in done.output.splitlines() if "--no-keep" in line]
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "task_manager.db"))
    assert run(*command[1:]).exit_code == 0
    assert titles(tmp_path / "task_manager.db")[1] == "Another"
