"""Each command of scripts/manage_db_volume.py on an empty, a used, a foreign and a root-owned volume."""

import re
import shlex
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.database.engine import Database
from app.storage.mounts import storage_under
from scripts.volume import leftovers
from tests.app.backup.databases import add_items, execute, titles
from tests.containers.conftest import Run, new_name, remove_volume
from tests.containers.running import WITHOUT_SIGN_IN, Container, docker
from tests.containers.volume_script import SCRIPT, Script


@pytest.fixture
def script(image: str, volume: str, tmp_path: Path) -> Iterator[Script]:
    made = Script(volume, image, tmp_path)
    yield made
    assert made.leftovers() == []


@pytest.fixture
def app(run: Run, volume: str) -> Container:
    """The app, running on the volume, as docker-compose.yml hardens it."""
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    return container


# --- an empty volume ----------------------------------------------------------------------------------------


def test_an_empty_volume(script: Script, volume: str):
    assert script.ask("create") == {"volume": volume, "created": False}
    facts = script.ask("inspect")
    assert (facts["driver"], facts["used_by"], facts["files"], facts["database"]) == ("local", {}, [], None)
    assert facts["mountpoint"].endswith(f"/{volume}/_data")
    assert script.ask("list")["files"] == []
    assert f"{volume} holds no task_manager.db: it is empty." in script.refused(4, "backup")
    assert not list(script.folder.glob("backups/*"))
    assert script.ask("delete", "--yes") == {"volume": volume, "deleted": True, "backup": None}
    assert "There is no volume" in script.refused(4, "inspect")


def test_looking_at_an_empty_volume_puts_nothing_into_it(script: Script, volume: str):
    mountpoint = Path(docker("volume", "inspect", "--format", "{{.Mountpoint}}", volume).stdout.strip())
    before = mountpoint.stat()
    script.ask("inspect")
    script.ask("list", "--volumes")
    assert (mountpoint.stat().st_uid, mountpoint.stat().st_mtime_ns) == (before.st_uid, before.st_mtime_ns)


def test_create_makes_what_inspect_and_list_then_see(script: Script):
    name, older = new_name(), new_name()
    labels = ["--label", "com.docker.compose.project=older", "--label", "com.docker.compose.volume=task-manager-db"]
    docker("volume", "create", *labels, older)
    try:
        assert script.ask("create", volume=name) == {"volume": name, "created": True}
        assert script.ask("inspect", volume=name)["labels"] == {"task-assist.volume": "1"}
        listed = {each["volume"]: each["databases"] for each in script.ask("list", "--volumes")["volumes"]}
        assert (listed[name], listed[older]) == ([], [])
        assert script.volume not in listed
    finally:
        remove_volume(name)
        remove_volume(older)


def test_an_empty_volume_is_filled_by_a_restore_and_the_app_starts_on_it(script: Script, run: Run, volume: str):
    script.has_backup("b.db", 3)
    restored = script.ask("restore", "b.db")
    assert (restored["rows_before"], restored["rows_after"]["work_items"], restored["kept"]) == (None, 3, None)
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    assert len(container.site.item_titles()) == 3


# --- a volume in use ----------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_volume_in_use(script: Script, app: Container):
    app.site.add_item("First", "Task")
    facts = script.ask("inspect")
    assert facts["used_by"] == {app.name: "running"}
    assert facts["database"]["database"]["rows"]["work_items"] == 1
    assert facts["database"]["database"]["journal_mode"] == "wal"
    assert "task_manager.db" in {file["name"] for file in script.ask("list")["files"]}
    done = script.run("backup", "b.db")
    assert done.stdout.splitlines()[-1].startswith(f"Backed up {script.volume} to b.db: 1 task in 1 item, ")
    assert done.stdout.endswith("checked.\n")
    assert f"{script.volume} is used by {app.name} (running)." in script.refused(6, "delete", "--yes")
    app.site.add_item("Second")
    restored = script.ask("restore", "b.db", "--yes")
    assert restored["started_again"] == [app.name]
    assert app.site.item_titles() == {"First"}
    assert app.integrity() == "ok"
    app.site.add_item("Third")
    # And the way back: what was there is in the copy that the restore kept.
    assert script.titles_of(restored["kept"]) == ["First", "Second"]
    undone = script.ask("undo", "--yes")
    assert (undone["from"], undone["started_again"]) == (restored["kept"], [app.name])
    assert app.site.item_titles() == {"First", "Second"}
    assert app.integrity() == "ok"
    assert script.titles_of(undone["kept"]) == ["First", "Third"]


@pytest.mark.long
def test_rows_are_replaced_after_a_yes_alone(script: Script):
    script.seed(2, "Mine")
    script.has_backup("b.db", 3)
    before = script.fingerprint()
    said = script.refused(7, "restore", "b.db")
    assert f"{script.volume} holds 2 tasks in 2 items now: what b.db holds takes their place." in said
    assert "there is no terminal to ask on" in said and "Nothing was changed. To say yes:  --yes" in said
    assert script.fingerprint() == before
    kept = script.ask("restore", "b.db", "--yes")["kept"]
    said = script.refused(7, "undo")
    assert f"{script.volume} holds 3 tasks in 3 items now: what {kept} holds takes their place." in said
    assert script.titles() == ["Item 0", "Item 1", "Item 2"]
    done = script.run("undo", "--dry-run")
    assert ["work_items", "3", "2"] in [line.split() for line in done.stdout.splitlines()]
    assert script.titles() == ["Item 0", "Item 1", "Item 2"]
    script.ask("undo", "--yes")
    assert script.titles() == ["Mine 0", "Mine 1"]
    script.ask("undo", "--yes")  # and the undoing
    assert script.titles() == ["Item 0", "Item 1", "Item 2"]


@pytest.mark.long
def test_a_restore_from_inside_is_undone_from_outside_and_the_other_way_round(script: Script, app: Container):
    app.site.add_item("First")
    script.ask("backup", "b.db")
    app.site.add_item("Second")
    docker("exec", app.name, "task-assist", "snapshot", "/app/data/b.db")
    app.site.add_item("Third")
    docker("exec", app.name, "task-assist", "restore", "/app/data/b.db")
    script.ask("undo", "--yes")
    assert app.site.item_titles() == {"First", "Second", "Third"}
    script.ask("restore", "b.db", "--yes")
    docker("exec", app.name, "task-assist", "undo")
    app.wait_until_ready()
    assert app.site.item_titles() == {"First", "Second", "Third"}


def test_without_a_restore_there_is_nothing_to_undo(script: Script):
    script.seed(1)
    said = script.refused(4, "undo", "--yes")
    assert f"beside task_manager.db in the volume {script.volume}: no restore has kept one." in said
    assert f"manage_db_volume.py list --volume {script.volume}" in said
    script.has_backup("b.db", 3)
    assert script.ask("restore", "b.db", "--yes", "--no-keep")["kept"] is None
    assert "the last restore has kept none" in script.refused(4, "undo", "--yes")
    assert script.titles() == ["Item 0", "Item 1", "Item 2"]


@pytest.mark.long
def test_a_dry_run_shows_what_would_change_and_changes_nothing(script: Script, app: Container):
    script.has_backup("b.db", 0)
    app.site.add_item("Later")
    started, before = app.state("StartedAt"), script.fingerprint_at_rest()
    done = script.run("restore", "b.db", "--dry-run")
    assert ["work_items", "1", "0"] in [line.split() for line in done.stdout.splitlines()]
    assert f"Stops   {app.name}" in done.stdout
    assert done.stdout.endswith("Nothing was changed: this was a dry run.\n")
    assert (app.state("StartedAt"), script.fingerprint()) == (started, before)


def test_a_container_that_stopping_would_delete_is_left_alone(script: Script, run: Run, volume: str):
    container = run("--rm", *WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    script.has_backup("b.db", 1)
    said = script.refused(6, "restore", "b.db")
    assert f"{container.name} uses {volume} and was started with --rm" in said
    assert f"docker stop {container.name}" in said
    assert container.site.is_ready()


@pytest.mark.long
def test_a_stopped_container_counts_as_a_user_but_is_not_started(script: Script, app: Container):
    script.has_backup("b.db", 1)
    docker("stop", app.name)
    assert script.ask("inspect")["used_by"] == {app.name: "exited"}
    assert script.ask("restore", "b.db")["started_again"] == []
    assert app.state("Running") == "false"
    script.refused(6, "delete", "--yes")


def test_a_container_that_does_not_come_back_is_named(script: Script, volume: str):
    script.seed(1)
    script.has_backup("b.db", 1)
    options = ["--health-cmd", "false", "--stop-timeout", "0", "--volume", f"{volume}:/app/data"]
    never = docker("run", "--detach", "--name", new_name(), *options, script.image, "sleep", "999").stdout.strip()
    name = docker("inspect", "--format", "{{.Name}}", never).stdout.strip().removeprefix("/")
    impatient = "import sys; from scripts.volume import cli, leftovers; leftovers.READY_WITHIN = 1\n"
    try:
        done = script.run_python("-c", impatient + "sys.exit(cli.main(sys.argv[1:]))", "restore", "b.db", "--yes")
    finally:
        docker("rm", "--force", never)
    said = done.stderr
    assert done.returncode == 1
    assert said.startswith(f"{volume} has the database of b.db, but {name} is not ready.\n")
    assert f"docker logs {name}\nTo go back:  python scripts/manage_db_volume.py undo --volume" in said


@pytest.mark.long
def test_a_backup_while_the_app_writes_is_one_moment(script: Script, app: Container):
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        began = time.monotonic()
        while not stop.is_set():
            title = f"Item {len(acknowledged)}"
            app.site.add_item(title)
            acknowledged.append(title)
            # 50 a second, as long as the machine keeps up.
            time.sleep(max(0.0, began + len(acknowledged) / 50 - time.monotonic()))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            before = len(acknowledged)
            script.ask("backup", f"{number}.db")
            copied = titles(script.folder / f"{number}.db")
            assert copied == [f"Item {each}" for each in range(len(copied))]
            assert before <= len(copied) <= len(acknowledged) + 1
            assert len(acknowledged) > before, "nothing was written during the backup"
    finally:
        stop.set()
        writer.join()


def test_of_two_commands_the_second_is_refused_but_may_look(script: Script):
    script.seed(1)
    with closing(sqlite3.connect(leftovers.lock_file(script.volume), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert f"Another command is at work on {script.volume}." in script.refused(6, "backup", "b.db")
        assert script.ask("inspect")["database"]["database"]["rows"]["work_items"] == 1
    script.ask("backup", "b.db")


def test_who_only_looks_is_not_cut_off_by_a_command_that_begins(script: Script):
    script.seed(1)
    label = f"task-assist.helper-of={script.volume}"
    looking = docker("run", "--detach", "--label", label, script.image, "sh", "-c", "sleep 60", "facts").stdout.strip()
    try:
        script.ask("backup", "b.db")
        assert docker("inspect", "--format", "{{.State.Running}}", looking).stdout == "true\n"
    finally:
        docker("rm", "--force", looking)


@pytest.mark.long
def test_an_app_that_has_the_database_for_itself_makes_the_copy(script: Script, run: Run, volume: str):
    """As on a network mount: no other process can open the file."""
    container = run(*WITHOUT_SIGN_IN, "--env", "DATABASE_STORAGE=exclusive", "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    container.site.add_item("Only the app can read this")
    done = script.run("backup", "b.db")
    assert done.returncode == 0, done.stderr
    assert f"{container.name} has the database for itself, so it is asked for the copy." in done.stdout + done.stderr
    assert titles(script.folder / "b.db") == ["Only the app can read this"]
    left = {file["name"] for file in script.ask("list")["files"]}
    assert not {name for name in left if "snapshot" in name}
    assert script.ask("restore", "b.db", "--yes")["restored"]


# --- a foreign volume, and one that belongs to root ---------------------------------------------------------


def test_a_foreign_volume(script: Script, tmp_path: Path):
    script.has_backup("b.db", 1)
    execute(tmp_path / "music.db", "CREATE TABLE albums (id)")
    script.put("task_manager.db", (tmp_path / "music.db").read_bytes())
    before = script.fingerprint()
    assert script.ask("inspect")["database"]["database"]["problem"]["code"] == "other_app"
    assert "other app" in script.run("list").stdout
    assert script.volume not in [each["volume"] for each in script.ask("list", "--volumes")["volumes"]]
    assert "is another app's database" in script.refused(5, "backup", "c.db")
    assert "is another app's database" in script.refused(5, "restore", "b.db", "--yes")
    assert f"docker volume rm {script.volume}" in script.refused(5, "delete", "--yes")
    assert script.fingerprint() == before


def test_a_volume_with_other_files_only_takes_a_database_after_a_yes(script: Script):
    script.has_backup("b.db", 1)
    script.put("PG_VERSION", b"17")
    assert f"{script.volume} holds no task_manager.db: it holds PG_VERSION." in script.refused(4, "backup", "c.db")
    assert "there is no terminal to ask on" in script.refused(7, "restore", "b.db")
    assert script.titles() is None
    assert "Nothing was deleted" in script.refused(5, "delete", "--yes")
    script.ask("restore", "b.db", "--yes")
    assert script.titles() == ["Item 0"]


@pytest.mark.long
def test_a_volume_that_belongs_to_root_says_how_to_hand_it_over(script: Script, volume: str):
    script.seed(2)
    script.has_backup("b.db", 2)
    script.inside("sh", "-c", "chown -R 0:0 /app/data && chmod -R u=rwX,go=rX /app/data", user="0")
    both = "chown -R 1000:1000 /app/data && chmod -R u+rwX /app/data"
    hand_over = f"docker run --rm --user 0 -v {volume}:/app/data {script.image} sh -c '{both}'"
    inspected = " ".join(script.run("inspect").stdout.split())
    assert "work_items 2" in inspected
    assert hand_over in inspected
    assert {file["owner"] for file in script.ask("list")["files"]} == {0}
    before = script.fingerprint()
    for words in (["backup", "c.db"], ["restore", "b.db"], ["delete", "--yes"]):
        said = script.refused(8, *words)
        assert "belongs to user 0" in said
        assert hand_over in said
    assert script.fingerprint() == before
    subprocess.run(shlex.split(hand_over), check=True)
    script.ask("restore", "b.db", "--yes")


def test_a_mode_that_shuts_the_app_out_is_told_as_that_and_mended_by_the_command_that_is_named(script: Script):
    script.seed(2)
    for what, code, said in (
        ("/app/data", 8, f"{script.volume} has a mode"),
        ("/app/data/task_manager.db", 5, "It has a mode"),
    ):
        script.inside("chmod", "a-rwx" if code == 5 else "a-w", what)
        refusal = script.refused(code, "backup", "c.db")
        assert f"{said} that shuts its own user out" in refusal
        (named,) = re.findall("docker run --rm --user 0 .*", refusal)
        subprocess.run(shlex.split(named), check=True)
    script.ask("backup", "c.db")


def test_files_that_only_root_may_read_are_told_as_such(script: Script):
    script.seed(2)
    script.inside("sh", "-c", "chown -R 0:0 /app/data && chmod 755 /app/data && chmod 600 /app/data/*", user="0")
    assert script.ask("inspect")["database"]["readable"] is False
    assert "It belongs to user 0.\nHand it over:" in script.refused(5, "backup")


def test_a_database_under_another_name_is_found(script: Script):
    script.seed(2, file="old.db")
    assert "It holds old.db: name it with --file." in script.refused(4, "backup")
    assert script.ask("backup", "b.db", "--file", "old.db")["manifest"]["rows"]["work_items"] == 2
    (found,) = (each for each in script.ask("list", "--volumes")["volumes"] if each["volume"] == script.volume)
    assert [file["name"] for file in found["databases"]] == ["old.db"]


@pytest.mark.parametrize("log", ["full", "empty"])
def test_what_a_killed_app_left_in_its_log_is_backed_up(log: str, script: Script, tmp_path: Path):
    """Without the -shm beside it, as after `docker cp` and as an app on a network mount leaves it."""
    script.has_backup("task_manager.db", 1)
    with closing(Database(storage_under(tmp_path / "task_manager.db"))) as database:
        add_items(database, 2, "Only in the log")
        wal = (tmp_path / "task_manager.db-wal").read_bytes()
        script.put("task_manager.db", (tmp_path / "task_manager.db").read_bytes())
    script.put("task_manager.db-wal", wal if log == "full" else b"")
    assert script.run("inspect").returncode == 0
    script.ask("backup", "b.db")
    newest = ["Only in the log 0", "Only in the log 1"] if log == "full" else []
    assert titles(script.folder / "b.db") == ["Item 0", *newest]


def test_a_damaged_database_can_be_replaced_and_is_kept_as_it_was(script: Script):
    script.has_backup("b.db", 3)
    script.put("task_manager.db", b"\0" * 9000)
    assert "It is not an SQLite database" in script.refused(5, "backup", "c.db")
    script.refused(7, "restore", "b.db")
    done = script.run("restore", "b.db", "--yes")
    (kept,) = (name for name in script.files() if "before-restore" in name)
    assert script.files()[kept][1] == b"\0" * 9000
    assert script.titles() == ["Item 0", "Item 1", "Item 2"]

    back = re.search(r"To go back:  python scripts/manage_db_volume.py (undo .*)", done.stdout)
    assert back, done.stdout
    assert script.run_python(str(SCRIPT), *shlex.split(back[1]), "--yes").returncode == 0
    assert script.files()["task_manager.db"][1] == b"\0" * 9000


def test_what_is_damaged_is_put_back_as_it_is_where_that_is_asked_for(script: Script):
    (script.folder / "old.db").write_bytes(b"\0" * 9000)
    assert "Can't restore" in script.refused(5, "restore", "old.db", "--yes")
    script.ask("restore", "old.db", "--as-it-is", "--yes")
    assert script.files()["task_manager.db"][1] == b"\0" * 9000


def test_a_far_fuller_backup_is_not_replaced_by_that_of_an_emptied_database(script: Script):
    script.seed(5)
    script.ask("backup", "b.db")
    before = (script.folder / "b.db").read_bytes()
    script.seed(1)
    said = script.refused(7, "backup", "b.db", "--force")
    assert "b.db was not replaced." in said
    assert (script.folder / "b.db").read_bytes() == before
    script.ask("backup", "b.db", "--force", "--yes")
    assert titles(script.folder / "b.db") == ["Item 0"]
    assert {file.name for file in script.folder.iterdir()} == {"b.db", "b.db.manifest.json"}


def test_damage_that_only_a_full_check_finds_does_not_stand_in_the_way_of_a_restore(script: Script, tmp_path: Path):
    script.has_backup("b.db", 3)
    script.has_backup("unsound.db", 1)
    execute(
        tmp_path / "unsound.db",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'deleted_at DATETIME', 'deleted_at DATETIME NOT NULL')",
    )
    unsound = (tmp_path / "unsound.db").read_bytes()
    script.put("task_manager.db", unsound)
    done = script.run("restore", "b.db", "--yes")
    assert done.returncode == 0, done.stderr
    (kept,) = (name for name in script.files() if "before-restore" in name)
    assert (
        f"Kept what was there in the volume, as {kept}. It is no whole database, and kept byte for byte." in done.stdout
    )
    assert script.files()[kept][1] == unsound
    assert script.titles() == ["Item 0", "Item 1", "Item 2"]


def test_a_database_of_a_newer_version_can_be_replaced_and_is_kept_as_it_was(script: Script, tmp_path: Path):
    """The way back after an upgrade that went wrong."""
    script.has_backup("b.db", 3)
    script.has_backup("newer.db", 1)
    execute(tmp_path / "newer.db", "UPDATE alembic_version SET version_num = '9999'")
    newer = (tmp_path / "newer.db").read_bytes()
    script.put("task_manager.db", newer)
    assert "has schema 9999" in script.refused(5, "backup", "c.db")
    assert "there is no terminal to ask on" in script.refused(7, "restore", "b.db")
    kept = script.ask("restore", "b.db", "--yes")["kept"]
    assert script.files()[kept][1] == newer
    assert script.titles() == ["Item 0", "Item 1", "Item 2"]


# --- what is not there, and what has no room ----------------------------------------------------------------


def test_what_is_not_there_is_named(script: Script):
    said = script.refused(4, "inspect", volume="nowhere")
    assert said.startswith("There is no volume nowhere. The volumes here: ")
    assert script.volume in said
    assert "docker compose build" in script.refused(4, "inspect", image="nothing-of-the-kind")
    assert "There is no file none.db." in script.refused(4, "restore", "none.db")


def test_an_image_that_is_too_old_or_another_one(script: Script):
    name = new_name()
    for command, said in (
        ("rm /opt/task-assist/.venv/bin/task-assist", "is not Task Assist: it has no task-assist command."),
        (
            "echo 'import click; click.Group(commands={})()' >/opt/task-assist/app/__main__.py",
            "is older than this script.",
        ),
    ):
        docker("run", "--name", name, "--user", "0", script.image, "sh", "-c", command)
        docker("commit", "--change", "USER app", name, name)
        docker("rm", name)
        assert f"The image {name} {said}" in script.refused(4, "inspect", image=name)
        docker("rmi", name)


def test_a_target_that_cant_be_written(script: Script):
    script.seed(1)
    script.has_backup("taken.db", 2)
    assert "taken.db exists already." in script.refused(8, "backup", "taken.db")
    assert len(titles(script.folder / "taken.db")) == 2
    script.ask("backup", "taken.db", "--force")
    assert titles(script.folder / "taken.db") == ["Item 0"]
    (script.folder / "notes.txt").write_text("precious")
    assert "notes.txt was not replaced: it can't be read" in script.refused(5, "backup", "notes.txt", "--force")
    assert (script.folder / "notes.txt").read_text() == "precious"
    assert "backup tasks.db" in script.refused(8, "backup", ".")
    assert "mkdir -p nowhere" in script.refused(8, "backup", "nowhere/b.db")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 300 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k,uid=1000", "none", folder], check=False).returncode:
        pytest.skip("this root may not mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.root
def test_no_room_on_this_side(script: Script, small_disk: Path):
    script.seed(10, notes=100_000)
    assert "There is no room for small/b.db: " in script.refused(8, "backup", "small/b.db")
    assert list(small_disk.iterdir()) == []


@pytest.mark.root
def test_no_room_in_the_volume(script: Script, small_disk: Path):
    script.has_backup("large.db", 10, notes=100_000)
    name = new_name()
    options = ["--opt", "type=none", "--opt", "o=bind", "--opt", f"device={small_disk}"]
    docker("volume", "create", *options, name)
    small = Script(name, script.image, script.folder)
    try:
        small.seed(1)
        before = small.fingerprint()
        done = small.run("restore", "large.db", "--yes")
        assert done.returncode == 8
        assert "There is no room beside task_manager.db in the volume" in done.stderr
        without_copy = f"restore large.db --no-keep --volume {name} --image {script.image}"
        assert (
            f"To keep no copy of what is there now:\n  python scripts/manage_db_volume.py {without_copy}" in done.stderr
        )
        assert small.fingerprint() == before
    finally:
        small.let_go()
        remove_volume(name)


IN_60_MB = """
import sys
from pathlib import Path
from docker.models.containers import ContainerCollection
from scripts.volume.cli import main
create = ContainerCollection.create
def limited(*arguments, **options):
    return create(*arguments, mem_limit="60m", memswap_limit="60m", **options)
ContainerCollection.create = limited
assert main(sys.argv[1:]) == 0
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


def test_a_large_backup_takes_little_memory(script: Script):
    """The limit of 60 MB holds for any size; a database of 100 MB would pass it if a copy were in memory.

    The helpers are killed if they pass it.
    """
    script.seed(100, notes=1_000_000)
    done = script.run_python("-c", IN_60_MB, "backup", "b.db")
    assert (done.returncode, (script.folder / "b.db").stat().st_size > 100_000_000) == (0, True), done.stderr
    assert int(done.stderr) < 60_000, "kilobytes"


SERVE = ("task-assist", "serve", "--host", "0.0.0.0")


def test_the_database_of_an_old_container_moves_in(script: Script, run: Run):
    """As docs/DATABASE_PERSISTENCE.md tells it: a container without a volume is killed, its files are copied out."""
    old = run(*WITHOUT_SIGN_IN, "--env", "APP_ENV=development", command=SERVE, hardened=False)
    old.wait_until_ready()
    old.site.add_item("From before")
    docker("kill", old.name)
    for name in ("task_manager.db", "task_manager.db-wal"):
        docker("cp", f"{old.name}:/app/data/{name}", str(script.folder / name))
    assert "unproven" in script.run("restore", "task_manager.db", "--dry-run").stdout
    script.ask("restore", "task_manager.db", "--yes")
    assert script.titles() == ["From before"]
    # The originals are as they were.
    assert (script.folder / "task_manager.db-wal").stat().st_size
