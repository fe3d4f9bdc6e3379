"""DATABASE_PATH is a symbolic link, or has one in it, and somebody leads that elsewhere or removes it."""

import shutil
import subprocess
import threading
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.database import migrations
from app.storage.guard import refuse_unwritable
from app.storage.led_elsewhere import LedElsewhere
from app.storage.mounts import storage_under
from app.writer import checkup, heartbeat
from app.writer.instance import Instance
from tests.app.backup.databases import add_items, closed_database, titles
from tests.app.processes import eventually


@pytest.fixture(params=["shared", "exclusive"])
def profile(request, monkeypatch):
    monkeypatch.setattr(checkup, "LOOK_EVERY", {"shared": 0.05, "exclusive": 0.05})
    return request.param


def link_to_the_file(folder: Path) -> tuple[Path, Path]:
    """The link, and DATABASE_PATH by it."""
    link = folder / "my link.db"
    link.symlink_to(Path("real", "a.db"))  # as most are: from where it lies
    return link, link


def link_to_the_folder(folder: Path) -> tuple[Path, Path]:
    link = folder / "my link"
    link.symlink_to(folder / "real")
    return link, link / "a.db"


def link_to_a_link(folder: Path) -> tuple[Path, Path]:
    """Not the first one is led elsewhere."""
    link = folder / "inner link"
    link.symlink_to(folder / "real")
    (folder / "outer link").symlink_to(link)
    return link, folder / "outer link" / "a.db"


@pytest.fixture(params=[link_to_the_file, link_to_the_folder, link_to_a_link])
def way(request, tmp_path: Path, profile) -> tuple[Path, Path]:
    (tmp_path / "real").mkdir()
    (tmp_path / "empty").mkdir()
    closed_database(tmp_path / "real" / "a.db", 3, profile)
    return request.param(tmp_path)


@pytest.fixture
def start_by(profile):
    """Starts an instance by what is typed; all of them end with the test."""
    started: list[Instance] = []

    def start(typed: Path, on_lease_lost: Callable[[], None] = lambda: None) -> Instance:
        made = Instance(storage_under(typed, profile), migrations.upgrade, on_lease_lost=on_lease_lost)
        started.append(made)
        made.start()
        return made

    yield start
    for each in started:
        each.stop()


def remove(link: Path) -> None:
    link.unlink()


def lead_elsewhere(link: Path) -> None:
    to_folder = link.is_dir()
    link.unlink()
    link.symlink_to(link.with_name("empty") if to_folder else link.with_name("empty") / "a.db")


def put_something_empty_there(link: Path) -> None:
    to_folder = link.is_dir()
    link.unlink()
    link.mkdir() if to_folder else link.touch()


CHANGES = [remove, lead_elsewhere, put_something_empty_there]


def type_first_commands(problem: LedElsewhere) -> None:
    _, *lines = problem.hint.splitlines()
    for command in takewhile(lambda line: line.startswith("  "), lines):
        subprocess.run(["sh", "-c", command], check=True)


@pytest.mark.parametrize("change", CHANGES)
def test_while_the_app_runs_nothing_is_written_any_more_until_the_command_was_typed(way, start_by, tmp_path, change):
    link, typed = way
    running = start_by(typed)
    add_items(running.database, 1, "Before")
    change(link)
    eventually(lambda: running.problem is not None)
    assert isinstance(running.problem, LedElsewhere)
    assert f"DATABASE_PATH={typed} does not lead to the database {tmp_path}/real/a.db any more" in str(running.problem)
    with pytest.raises(LedElsewhere):
        add_items(running.database, 1)
    type_first_commands(running.problem)
    eventually(lambda: running.problem is None)
    add_items(running.database, 1, "After")
    running.stop()
    assert titles(tmp_path / "real" / "a.db")[3:] == ["Before 0", "After 0"]
    assert not list((tmp_path / "real").glob("a-kept-*"))  # it was never lost


@pytest.mark.parametrize("change", CHANGES)
def test_the_next_start_makes_no_empty_database_and_says_how_to_go_on(way, start_by, tmp_path, profile, change):
    link, typed = way
    start_by(typed).stop()
    change(link)
    if not typed.parent.exists():
        with pytest.raises(LedElsewhere, match=r"is gone|leads elsewhere"):
            refuse_unwritable(storage_under(typed, profile))
        return
    anew = threading.Event()
    second = start_by(typed, on_lease_lost=anew.set)
    assert isinstance(second.problem, LedElsewhere) and not second.writes
    type_first_commands(second.problem)
    assert anew.wait(10)  # the server's worker, which resolves DATABASE_PATH again
    third = start_by(typed)
    assert third.writes and third.storage.path == tmp_path / "real" / "a.db"
    third.stop()
    assert len(titles(tmp_path / "real" / "a.db")) == 3


def test_who_finds_the_folder_of_the_lease_gone_as_well_ends_as_without_a_link(
    tmp_path, start_by, profile, monkeypatch
):
    monkeypatch.setattr(heartbeat, "RENEW_EVERY", 0.05)
    storage = closed_database(tmp_path / "real.db", 1, profile)
    link = tmp_path / "link.db"
    link.symlink_to("real.db")
    ended = threading.Event()
    running = start_by(link, on_lease_lost=ended.set)
    link.unlink()
    eventually(lambda: isinstance(running.problem, LedElsewhere))
    shutil.rmtree(storage.lease)
    if profile == "exclusive":
        assert ended.wait(10)
    else:
        eventually(storage.lease.exists)


def test_what_has_the_name_of_the_link_is_moved_over_nothing(way, start_by):
    link, typed = way
    start_by(typed).stop()
    put_something_empty_there(link)
    moved_before = link.with_name(f"{link.name}.old")
    moved_before.write_text("precious")
    problem = start_by(typed).problem
    assert isinstance(problem, LedElsewhere)
    type_first_commands(problem)
    assert moved_before.read_text() == "precious"


def test_after_start_empty_it_begins_in_the_new_place(way, start_by, profile):
    link, typed = way
    start_by(typed).stop()
    lead_elsewhere(link)
    assert isinstance(start_by(typed).problem, LedElsewhere)
    place = {"DATABASE_PATH": str(typed), "DATABASE_STORAGE": profile}
    for words, refused in ((["check"], True), (["start-empty"], False), (["check"], False)):
        done = CliRunner().invoke(main, words, env=place)
        assert ("does not lead to the database" in f"{done.output}{done.exception}") == refused, words
    assert start_by(typed).writes


def test_a_move_to_a_place_with_a_database_is_meant_and_remembered(way, start_by, tmp_path, profile):
    link, typed = way
    start_by(typed).stop()
    closed_database(tmp_path / "empty" / "a.db", 1, profile)
    lead_elsewhere(link)
    second = start_by(typed)
    assert second.writes
    second.stop()
    noted = [file.read_text() for file in tmp_path.glob("*.leads-to")]
    assert noted and all(str(tmp_path / "empty" / "a.db") in note for note in noted)


def test_a_path_without_a_link_leaves_no_note(tmp_path: Path, start_by, profile):
    closed_database(tmp_path / "a.db", 1, profile)
    start_by(tmp_path / "a.db").stop()
    assert not list(tmp_path.rglob("*.leads-to"))
