"""`task-assist restore`, typed where the app runs: the app goes on with the backup, and what was there is kept."""

import errno
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from app.backup.copies.verify import verify
from app.cli import main
from app.storage.mounts import storage_under
from app.writer import exclusive
from app.writer.lease import lease_of
from tests.app.backup.conftest import twenty_items  # noqa: F401  (a fixture)
from tests.app.backup.databases import closed_database, execute, names, titles
from tests.app.processes import Serving, ask, eventually, wait_until_ready
from tests.ports import free_port


@pytest.fixture
def app(tmp_path: Path) -> Iterator[tuple[Serving, int]]:
    port = free_port()
    process = Serving(tmp_path, port)
    wait_until_ready(port, process)
    yield process, port
    process.terminate()
    process.wait()


def typed(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, list(words), env={"DATABASE_PATH": str(folder / "a.db")})


def add(port: int, title: str) -> None:
    assert ask(port, "POST", "/api/v1/work-items", {"title": title}).status == 201


def test_beside_a_running_app_it_is_asked_to_hand_over_and_goes_on_with_the_backup(app, tmp_path: Path):
    _, port = app
    add(port, "Before")
    assert typed(tmp_path, "snapshot", str(tmp_path / "b.db")).exit_code == 0
    add(port, "After")
    done = typed(tmp_path, "restore", str(tmp_path / "b.db"))
    assert done.exit_code == 0, done.output
    assert f"Restored {tmp_path}/a.db from {tmp_path}/b.db: 0 tasks in 1 items." in done.stdout
    eventually(lambda: ask(port, "GET", "/readyz").status == 200)
    assert titles(tmp_path / "a.db") == ["Before"]
    add(port, "Later")

    back = re.search(r"task-assist (restore \S+)", done.stdout)
    assert back
    assert verify(Path(back[1].split()[1])).proven
    assert typed(tmp_path, *back[1].split()).exit_code == 0
    eventually(lambda: ask(port, "GET", "/readyz").status == 200)
    assert titles(tmp_path / "a.db") == ["Before", "After"]


def test_what_a_running_app_had_open_of_a_file_that_was_just_removed_is_kept_and_named(app, tmp_path: Path):
    _, port = app
    assert typed(tmp_path, "snapshot", str(tmp_path / "b.db")).exit_code == 0
    add(port, "After")
    (tmp_path / "a.db").unlink()
    done = typed(tmp_path, "restore", str(tmp_path / "b.db"))
    assert done.exit_code == 0, done.output
    assert f"There was no database in {tmp_path}/a.db, so no copy was made of it. What the app still had" in done.stdout
    back = re.search(r"To go back:  task-assist (restore \S+)", done.stdout)
    assert back
    assert typed(tmp_path, *back[1].split()).exit_code == 0
    eventually(lambda: ask(port, "GET", "/readyz").status == 200)
    assert titles(tmp_path / "a.db") == ["After"]


def test_it_says_that_nothing_was_there_to_be_kept(tmp_path: Path, twenty_items: Path):  # noqa: F811
    done = typed(tmp_path, "restore", str(twenty_items))
    assert done.exit_code == 0, done.output
    assert f"There was no database in {tmp_path}/a.db, so no copy was made of it." in done.stdout
    assert "To go back" not in done.stdout


def test_requests_wait_meanwhile_and_none_that_was_acknowledged_before_it_is_lost(app, tmp_path: Path):
    _, port = app
    assert typed(tmp_path, "snapshot", str(tmp_path / "b.db")).exit_code == 0
    answers, enough = [], Event()

    def write() -> None:
        while not enough.is_set():
            title = f"Item {len(answers)}"
            answers.append((title, ask(port, "POST", "/api/v1/work-items", {"title": title}).status))

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        eventually(lambda: len(answers) > 5)
        done = typed(tmp_path, "restore", str(tmp_path / "b.db"))
        since = len(answers)
        eventually(lambda: len(answers) > since + 5)
        enough.set()
        writing.result()
    assert done.exit_code == 0, done.output
    assert {status for _, status in answers} == {201}
    (kept,) = tmp_path.glob("a-before-restore-*.db")
    assert sorted(titles(kept) + titles(tmp_path / "a.db")) == sorted(title for title, _ in answers)


def test_a_wrong_file_disturbs_nobody(app, tmp_path: Path):
    _, port = app
    (tmp_path / "wrong.db").write_text("no database")
    for file, code in ((tmp_path / "wrong.db", 5), (tmp_path / "nowhere.db", 1), (tmp_path / "a.db", 1)):
        done = typed(tmp_path, "restore", str(file))
        assert done.exit_code in (code, 8), done.output
        assert done.stderr.startswith("task-assist: ")
    assert not list(tmp_path.glob("a-before-restore-*"))
    assert "asked for it" not in app[0].said
    add(port, "Still there")


def test_what_is_no_sound_database_is_kept_byte_for_byte(tmp_path: Path, twenty_items: Path):  # noqa: F811
    storage = closed_database(tmp_path / "a.db", 60)
    with storage.path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * 4096)
    damaged = storage.path.read_bytes()
    done = typed(tmp_path, "restore", str(twenty_items))
    assert done.exit_code == 0, done.output
    assert "It is kept byte for byte." in done.stdout
    (kept,) = tmp_path.glob("a-before-restore-*.db")
    assert kept.read_bytes() == damaged
    assert len(titles(storage.path)) == 20

    assert typed(tmp_path, "restore", str(kept)).exit_code == 8
    back = re.search(r"To go back:  task-assist (restore --as-it-is \S+)", done.stdout)
    assert back
    assert typed(tmp_path, *back[1].split()).exit_code == 0
    assert storage.path.read_bytes() == damaged
    last = lease_of(storage).observe().record
    assert last and last.doubt == "damage"


def test_the_log_of_a_database_that_is_kept_as_it_is_comes_along_both_ways(tmp_path: Path, twenty_items: Path):  # noqa: F811
    storage = closed_database(tmp_path / "a.db", 3)
    log = tmp_path / "a.db-wal"
    execute(storage.path, "PRAGMA journal_mode = DELETE")
    log.write_bytes(b"\x37\x7f\x06\x82" + bytes(4096))  # of another database, so no backup can be made
    before = (storage.path.read_bytes(), log.read_bytes())
    done = typed(tmp_path, "restore", str(twenty_items))
    assert done.exit_code == 0, done.output
    assert len(titles(storage.path)) == 20
    back = re.search(r"task-assist (restore --as-it-is \S+)", done.stdout)
    assert back
    assert typed(tmp_path, *back[1].split()).exit_code == 0
    assert (storage.path.read_bytes(), log.read_bytes()) == before


@pytest.mark.parametrize("put_there", [True, False])
def test_it_mends_a_file_that_was_replaced_or_removed_while_the_app_runs_by_the_command_that_is_named(
    app, tmp_path: Path, put_there: bool
):
    process, port = app
    add(port, "Before")
    if put_there:
        assert typed(tmp_path, "snapshot", str(tmp_path / "b.db")).exit_code == 0
        add(port, "After")
        (tmp_path / "b.db").replace(tmp_path / "a.db")
    else:
        (tmp_path / "a.db").unlink()
    eventually(lambda: ask(port, "POST", "/api/v1/work-items", {"title": "Refused"}).status == 503)
    eventually(lambda: "To go on with that, where the app runs" in process.said)
    named = re.search(r"task-assist (restore \S+\.db)", process.said)
    assert named
    done = typed(tmp_path, *named[1].split())
    assert done.exit_code == 0, done.output
    eventually(lambda: ask(port, "GET", "/readyz").status == 200)
    add(port, "Later")
    there = [title for title in titles(tmp_path / "a.db") if title != "Refused"]  # which may be there or not
    assert there == ["Before", *(["After"] if put_there else []), "Later"]


def test_an_empty_place_has_nothing_to_keep_and_no_keep_keeps_nothing(tmp_path: Path, twenty_items: Path):  # noqa: F811
    for words in ((), ("--no-keep",)):
        assert typed(tmp_path, "restore", *words, str(twenty_items)).exit_code == 0
    assert names(tmp_path) == {"a.db", "a.db.lease", "a.db.undo"}


@pytest.mark.parametrize("how", [(), ("--as-it-is",)])
def test_on_a_full_disk_it_names_the_way_without_a_copy_which_works_when_it_is_typed(
    tmp_path: Path,
    twenty_items: Path,  # noqa: F811
    monkeypatch,
    how: tuple[str, ...],
):
    storage = closed_database(tmp_path / "a.db", 3)
    backup = Path(shutil.copy(twenty_items, tmp_path / "my backup.db"))
    usage = SimpleNamespace(free=storage.path.stat().st_size + backup.stat().st_size - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    done = typed(tmp_path, "restore", *how, str(backup))
    assert (done.exit_code, "no room beside" in done.stderr) == (1, True)
    assert len(titles(storage.path)) == 3 and not list(tmp_path.glob("a-before-restore-*"))
    words = shlex.split(done.stderr.strip().splitlines()[-1])
    assert words[:-1] == ["task-assist", "restore", "--no-keep", *how]
    done = typed(tmp_path, *words[1:])
    assert done.exit_code == 0, done.output
    assert len(titles(storage.path)) == 20


def test_where_the_disk_cannot_read_what_is_there_it_names_the_way_without_a_copy(
    tmp_path: Path,
    twenty_items: Path,  # noqa: F811
    monkeypatch,
):
    storage = closed_database(tmp_path / "a.db", 3)

    def unreadable(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(storage.path))

    monkeypatch.setattr("app.backup.copies.safety_copy._keep", unreadable)
    done = typed(tmp_path, "restore", str(twenty_items))
    assert (done.exit_code, str(storage.path) in done.stderr, "dmesg" in done.stderr) == (1, True, True)
    words = shlex.split(done.stderr.strip().splitlines()[-1])
    done = typed(tmp_path, *words[1:])
    assert done.exit_code == 0, done.output
    assert len(titles(storage.path)) == 20


def test_the_way_back_can_be_typed_where_a_folder_has_a_space_in_its_name(tmp_path: Path, twenty_items: Path):  # noqa: F811
    (tmp_path / "my data").mkdir()
    closed_database(tmp_path / "my data/a.db", 3)
    done = typed(tmp_path / "my data", "restore", str(twenty_items))
    back = done.stdout.strip().rpartition("To go back:  ")[2]
    assert typed(tmp_path / "my data", *shlex.split(back)[1:]).exit_code == 0
    assert len(titles(tmp_path / "my data/a.db")) == 3


def test_an_app_that_does_not_hand_over_keeps_its_database(tmp_path: Path, twenty_items: Path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(exclusive, "HANDS_OVER_WITHIN", 0.5)
    storage = closed_database(tmp_path / "a.db", 3)
    holder = lease_of(storage)
    assert holder.acquire(holder.observe())
    done = typed(tmp_path, "restore", str(twenty_items))
    holder.release()
    assert (done.exit_code, "did not hand it over within" in done.stderr) == (1, True)
    assert len(titles(storage_under(storage.path).path)) == 3


def test_where_the_disk_is_full_that_is_said_and_not_to_stop_the_app(tmp_path: Path, twenty_items: Path, monkeypatch):  # noqa: F811
    """It may be the only one that still has a database whose file was removed, and have no room to keep it."""
    monkeypatch.setattr(exclusive, "HANDS_OVER_WITHIN", 0.5)
    storage = closed_database(tmp_path / "a.db", 3)
    holder = lease_of(storage)
    assert holder.acquire(holder.observe())
    monkeypatch.setattr("app.storage.full_or_read_only.shutil.disk_usage", lambda _: SimpleNamespace(free=0, total=1))
    done = typed(tmp_path, "restore", str(twenty_items))
    holder.release()
    assert done.exit_code == 1
    assert "did not hand it over within 0 s: there is no room on" in done.stderr
    assert "type this again, and don't stop the app before that" in done.stderr
    assert not list(tmp_path.glob("a-before-restore-*"))
