"""The copy that follows a lost holder: whole, its own, and to be gone on with wherever it was killed."""

import errno
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from app.backup.copies.snapshot import snapshot
from app.cli import main
from app.database import migrations
from app.database.engine import Database
from app.errors import CannotStart, Damaged, StorageFull
from app.storage.mounts import storage_under
from app.writer import takeover, watch
from app.writer.instance import Instance
from app.writer.lease import Lease, Lost, lease_of
from app.writer.lease_files import SIZE, Folder, folder_of
from app.writer.takeover import LOCK_BYTES, TakeOver, begin
from app.writer.terms import Acquired
from tests.app.backup.databases import add_items, closed_database, titles
from tests.app.processes import eventually

ALL = ["acknowledged 0", "acknowledged 1", "acknowledged 2"]


class Scene:
    """A holder that is cut off: it has the file open, and its newest rows are in the log only."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.storage = storage_under(folder / "a.db", "exclusive")
        self.lost = Database(self.storage)
        migrations.upgrade(self.lost)
        add_items(self.lost, 3, "acknowledged")

    def follow(self) -> tuple[Lease, Acquired]:
        """The lease as one takes it that follows a holder which did not release."""
        lease = lease_of(self.storage)
        observation = lease.observe()
        if observation.record and observation.state == "held":
            # Instead of waiting until it is stale.
            content = replace(observation.record, state="abandoned").to_bytes()
            Folder(folder_of(self.storage)).rewrite(f"term-{observation.term:012d}", content)
        acquired = lease.acquire(lease.observe())
        assert acquired
        return lease, Acquired(acquired.term, True, acquired.pending)


@pytest.fixture
def scene(tmp_path: Path):
    return Scene(tmp_path / "mount")


def test_the_copy_has_all_that_was_acknowledged_and_the_lost_one_cannot_reach_it(scene: Scene):
    begin(scene.storage, *scene.follow())
    add_items(scene.lost, 2, "never acknowledged")
    again = Database(scene.storage)
    add_items(again, 1, "new")
    again.close()
    assert titles(scene.storage.path) == [*ALL, "new 0"]


def test_nothing_is_left_of_the_copying(scene: Scene):
    begin(scene.storage, *scene.follow())
    assert os.listdir(folder_of(scene.storage)) == ["term-000000000001"]
    assert sorted(os.listdir(scene.storage.path.parent)) == ["a.db", "a.db.lease"]


def test_a_read_that_breaks_off_changes_nothing(scene: Scene, monkeypatch):
    def broken_off(descriptor: int, size: int, start: int, real=os.pread) -> bytes:
        piece = real(descriptor, size, start)
        return piece[:-1] if size > SIZE else piece

    before = scene.storage.path.read_bytes()
    held, acquired = scene.follow()
    with monkeypatch.context() as patched, pytest.raises(CannotStart, match="can't be copied"):
        patched.setattr(os, "pread", broken_off)
        begin(scene.storage, held, acquired)
    assert scene.storage.path.read_bytes() == before
    held.release("abandoned")
    begin(scene.storage, *scene.follow())
    assert titles(scene.storage.path) == ALL


def test_without_a_database_there_is_nothing_to_copy(tmp_path: Path):
    storage = storage_under(tmp_path / "a.db", "exclusive")
    lease = lease_of(storage)
    assert lease.acquire(lease.observe())
    begin(storage, lease, Acquired(1, True, None))
    assert not storage.path.exists()


def test_killed_at_any_step_the_next_one_goes_on(tmp_path: Path):
    """Before each request that changes something; and its successor at the same step once more."""
    ended, step = [False], 0
    while not all(ended):
        step += 1
        assert step < 100
        scene = Scene(tmp_path / str(step))
        ended = [_killed_before(step, scene) for _ in range(2)]
        begin(scene.storage, *scene.follow())
        assert titles(scene.storage.path) == ALL, f"killed before step {step}"
    assert step > 10


def _killed_before(step: int, scene: Scene) -> bool:
    """True if it came to its end first."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, -signal.SIGKILL)
        return code == 0
    try:
        followed = scene.follow()
        seen = 0

        def counted(real):
            def call(*arguments, **options):
                nonlocal seen
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **options)

            return call

        for name in ("rename", "replace", "unlink", "fsync", "pwrite", "open"):
            setattr(os, name, counted(getattr(os, name)))
        begin(scene.storage, *followed)
        followed[0].release("abandoned")
        os._exit(0)
    except BaseException:
        os._exit(3)


def test_who_was_overtaken_changes_nothing(scene: Scene):
    lease, acquired = scene.follow()
    (folder_of(scene.storage) / "term-000000000002").touch()
    inode = scene.storage.path.stat().st_ino
    with pytest.raises(Lost):
        begin(scene.storage, lease, acquired)
    assert scene.storage.path.stat().st_ino == inode
    assert scene.storage.path.with_name("a.db-wal").exists()


def damage(scene: Scene) -> None:
    scene.lost.close()
    whole = scene.storage.path.read_bytes()
    scene.storage.path.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])


def test_a_damaged_copy_does_not_take_the_name(scene: Scene):
    damage(scene)
    inode = scene.storage.path.stat().st_ino
    with pytest.raises(Damaged):
        begin(scene.storage, *scene.follow())
    assert scene.storage.path.stat().st_ino == inode


def test_what_was_found_damaged_is_copied_once_and_again_when_it_has_changed(scene: Scene, monkeypatch):
    whole = scene.storage.path.read_bytes()
    damage(scene)
    copied: list[str] = []
    real = takeover._copy_file
    monkeypatch.setattr(takeover, "_copy_file", lambda file, to: (copied.append(file.name), real(file, to)))
    taking = TakeOver(scene.storage)
    for _ in range(3):
        lease, acquired = scene.follow()
        with pytest.raises(Damaged, match="the last instance was lost"):
            taking.begin(lease, acquired)
        lease.release("abandoned")
    assert copied == ["a.db"]
    scene.storage.path.write_bytes(whole)
    taking.begin(*scene.follow())
    assert copied == ["a.db", "a.db"]


def test_whether_the_indexes_fit_is_still_to_be_looked_at_when_the_copy_has_the_name(scene: Scene):
    """The quick check of the copy does not say it; the one beside the requests does (checkup.py)."""
    scene.follow()
    lease, acquired = scene.follow()
    begin(scene.storage, lease, acquired)
    assert lease.doubt == "unclean end"


@pytest.mark.parametrize("overwritten", ["a page", "the beginning"])
def test_an_app_that_finds_damage_stands_by_says_so_and_goes_on_after_the_restore_that_it_names(
    scene: Scene, tmp_path: Path, monkeypatch, overwritten: str
):
    snapshot(closed_database(tmp_path / "source.db", 1), tmp_path / "backup.db")
    damage(scene)
    if overwritten == "the beginning":
        with scene.storage.path.open("r+b") as file:
            file.write(b"\xff" * 512)
    scene.follow()[0].release("abandoned")
    monkeypatch.setattr(watch, "RETRY", 1.0)
    app = Instance(scene.storage, migrations.upgrade)
    app.start()
    try:
        problem = app.problem
        assert isinstance(problem, Damaged) and not app.writes
        assert str(problem).startswith(f"{scene.storage.path} is damaged: the last instance was lost without a release")
        assert "task-assist restore" in problem.hint
        place = {"DATABASE_PATH": str(scene.storage.path), "DATABASE_STORAGE": "exclusive"}
        done = CliRunner().invoke(main, ["restore", str(tmp_path / "backup.db")], env=place)
        assert done.exit_code == 0, done.output
        eventually(lambda: app.writes)
        assert app.problem is None
    finally:
        app.stop()
    assert titles(scene.storage.path) == ["Item 0"]


def test_without_room_it_says_how_much_is_needed(scene: Scene, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(StorageFull, match="1,000 are free"):
        begin(scene.storage, *scene.follow())
    assert os.listdir(folder_of(scene.storage)) == ["term-000000000001"]


def test_a_quota_that_ends_in_the_middle_of_the_copy_is_no_room(scene: Scene, monkeypatch):
    def over_quota(_: Path) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(takeover, "to_disk", over_quota)
    with pytest.raises(StorageFull, match="quota"):
        begin(scene.storage, *scene.follow())
    assert os.listdir(folder_of(scene.storage)) == ["term-000000000001"]


def test_one_that_was_suspended_leaves_alone_what_a_later_one_makes(scene: Scene):
    lease, acquired = scene.follow()
    later = ["copy-7", "ready-7", "lost-ready-7-wal"]
    for name in later:
        (folder_of(scene.storage) / name).touch()
    begin(scene.storage, lease, acquired)
    assert set(later) < set(os.listdir(folder_of(scene.storage)))


def test_a_log_that_begins_anew_during_the_copy_is_noticed(scene: Scene, monkeypatch):
    """The lost holder's checkpoint moves rows from the log into the file after the file was copied."""
    real, copied = takeover._copy_file, []

    def copy(file: Path, to: Path) -> None:
        real(file, to)
        if not copied:
            add_items(scene.lost, 1, "in between")
            scene.lost.close()
            scene.lost = Database(scene.storage)
            add_items(scene.lost, 1, "into a new log")
        copied.append(file.name)

    monkeypatch.setattr(takeover, "_copy_file", copy)
    begin(scene.storage, *scene.follow())
    assert titles(scene.storage.path)[:3] == ALL
    assert copied.count("a.db") == 2


def test_a_log_that_begins_anew_each_time_is_no_copy(scene: Scene, monkeypatch):
    heads = iter(range(100))
    monkeypatch.setattr(takeover, "_wal_head", lambda _: bytes(next(heads)))
    inode = scene.storage.path.stat().st_ino
    with pytest.raises(CannotStart, match="changes all the time"):
        begin(scene.storage, *scene.follow())
    assert scene.storage.path.stat().st_ino == inode


def test_a_copy_that_failed_does_not_stay(scene: Scene):
    damage(scene)
    for _ in range(3):
        held, acquired = scene.follow()
        with pytest.raises(Damaged):
            begin(scene.storage, held, acquired)
        held.release("abandoned")
        assert not [name for name in os.listdir(folder_of(scene.storage)) if name.startswith("copy-")]


def test_the_copy_leaves_out_sqlites_lock_bytes_and_nothing_else():
    for size in (0, 1, 4096, LOCK_BYTES.start, LOCK_BYTES.start + 4096, LOCK_BYTES.stop + takeover.CHUNK + 1):
        pieces = list(takeover._pieces(size))
        copied = sum(length for _, length in pieces)
        assert copied == size - len(range(LOCK_BYTES.start, min(size, LOCK_BYTES.stop)))
        assert all(start + length <= LOCK_BYTES.start or start >= LOCK_BYTES.stop for start, length in pieces)
