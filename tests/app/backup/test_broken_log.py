"""A -wal that lacks what was saved is refused, with commands that mend it; what a kill or a power cut leaves is not."""

import os
import shutil
from pathlib import Path

import pytest

from app.backup.copies.snapshot import snapshot
from app.backup.restoring.restore import restore
from app.database.broken_log import BrokenLog, log_was_emptied, refuse_broken_log
from app.database.engine import Database
from app.database.sqlite import opened, sqlite_driver, uri_of
from app.database.wal import read_index, read_log
from app.storage.mounts import beside, storage_under
from app.writer.safe_acquire import why_refused
from tests.app.backup.databases import add_items, closed_database, execute, titles, type_last_commands

FRAME = 24 + 4096


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A database of three items as an app leaves it that is killed, with 20 more in the log only."""
    storage = closed_database(tmp_path / "open.db", 3)
    database = Database(storage)
    for _ in range(20):
        add_items(database, 1, "Only in the log")
    file = tmp_path / "volume" / "a.db"
    file.parent.mkdir()
    for ending in ("", "-wal", "-shm"):
        shutil.copy(beside(storage.path, ending), beside(file, ending))
    database.close()
    return file


def wal(database: Path) -> Path:
    return beside(database, "-wal")


def shm(database: Path) -> Path:
    return beside(database, "-shm")


def change(file: Path, at: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)


def test_the_log_and_its_index_are_read_as_sqlite_reads_them(killed: Path):
    index, log = read_index(shm(killed)), read_log(wal(killed))
    assert index and log
    assert (index.salts, index.frames) == (log.salts, log.frames)
    assert log.frames == (wal(killed).stat().st_size - 32) // FRAME
    assert log.later_commits == 0
    assert index.needs_log
    refuse_broken_log(killed)
    assert len(titles(killed)) == 23


def zeroed(database: Path) -> None:
    wal(database).write_bytes(bytes(wal(database).stat().st_size))


def zeroed_behind_its_header(database: Path) -> None:
    change(wal(database), 32, bytes(wal(database).stat().st_size - 32))


def cut_in_half(database: Path) -> None:
    os.truncate(wal(database), wal(database).stat().st_size // 2)


def without_its_last_commit(database: Path) -> None:
    os.truncate(wal(database), wal(database).stat().st_size - 1)


def with_a_zeroed_page(database: Path) -> None:
    change(wal(database), 4096 * 3, bytes(4096))


def with_one_flipped_bit(database: Path) -> None:
    change(wal(database), 32 + FRAME + 100, bytes([wal(database).read_bytes()[32 + FRAME + 100] ^ 1]))


def removed(database: Path) -> None:
    wal(database).unlink()


EVERY_LOSS = (
    zeroed,
    zeroed_behind_its_header,
    cut_in_half,
    without_its_last_commit,
    with_a_zeroed_page,
    with_one_flipped_bit,
    removed,
)


@pytest.mark.parametrize("harm", EVERY_LOSS)
def test_a_log_that_lacks_what_was_saved_is_refused_and_the_command_goes_on_without(killed: Path, harm):
    harm(killed)
    refused = why_refused(storage_under(killed))
    assert isinstance(refused, BrokenLog)
    assert "task-assist restore FILE" in refused.hint
    type_last_commands(refused.hint)
    assert why_refused(storage_under(killed)) is None
    assert 3 <= len(titles(killed)) < 23


def test_without_a_log_of_which_the_file_has_more_than_is_left_nothing_older_is_mixed_in(killed: Path):
    connection = sqlite_driver().connect(str(killed), isolation_level=None)
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    saved = {ending: beside(killed, ending).read_bytes() for ending in ("", "-wal", "-shm")}
    connection.close()
    for ending, content in saved.items():
        beside(killed, ending).write_bytes(content)
    cut_in_half(killed)
    refused = why_refused(storage_under(killed))
    assert isinstance(refused, BrokenLog)
    type_last_commands(refused.hint)
    assert len(titles(killed)) == 23
    with opened(uri_of(killed, "rw"), killed) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_is_set_aside_moves_over_nothing(killed: Path):
    beside(killed, "-shm.old").write_text("precious")
    cut_in_half(killed)
    refused = why_refused(storage_under(killed))
    assert refused
    type_last_commands(refused.hint)
    assert beside(killed, "-shm.old").read_text() == "precious"


@pytest.mark.parametrize("harm", EVERY_LOSS)
def test_a_restore_mends_it_and_no_backup_is_made_of_it(killed: Path, tmp_path: Path, backup: Path, harm):
    harm(killed)
    with pytest.raises(BrokenLog):
        snapshot(storage_under(killed), tmp_path / "copy.db")
    restore(backup, storage_under(killed))
    assert why_refused(storage_under(killed)) is None
    assert len(titles(killed)) == 20


@pytest.mark.parametrize("harm", [zeroed, with_a_zeroed_page, with_one_flipped_bit])
def test_what_a_log_alone_tells_is_seen_without_its_index(killed: Path, harm):
    """As on a network mount."""
    shm(killed).unlink()
    refuse_broken_log(killed)
    harm(killed)
    with pytest.raises(BrokenLog):
        refuse_broken_log(killed)


@pytest.mark.parametrize("opened_by", ["app", "snapshot"])
def test_what_was_shared_and_killed_is_not_refused_after_an_end_on_storage_for_one_alone(
    killed: Path, tmp_path: Path, opened_by: str
):
    """That one keeps the index in memory, and folds in and removes the log of which the old index tells."""
    alone = storage_under(killed, "exclusive")
    if opened_by == "app":
        database = Database(alone)
        add_items(database, 1)
        database.close()
    else:
        snapshot(alone, tmp_path / "copy.db")
    assert not wal(killed).exists()
    assert why_refused(alone) is None
    assert why_refused(storage_under(killed)) is None


def last_commit_torn(database: Path) -> None:
    """By a power cut, of which the index on the disk knows nothing, or something older."""
    shm(database).unlink()
    os.truncate(wal(database), wal(database).stat().st_size - FRAME // 2)


def last_commit_zeroed(database: Path) -> None:
    """The size of a file gets to the disk before what is in it does."""
    shm(database).unlink()
    change(wal(database), wal(database).stat().st_size - 2 * FRAME, bytes(2 * FRAME))


def last_commit_without_its_first_page(database: Path) -> None:
    """A disk writes in what order it likes."""
    shm(database).unlink()
    change(wal(database), wal(database).stat().st_size - 2 * FRAME, bytes(FRAME))


def first_commit_zeroed(database: Path) -> None:
    shm(database).unlink()
    os.truncate(wal(database), 32 + 4 * FRAME)
    change(wal(database), 32, bytes(4 * FRAME))


def header_not_yet_on_disk(database: Path) -> None:
    """All of the log by then: SQLite has it on the disk before it writes a frame."""
    shm(database).unlink()
    wal(database).write_bytes(bytes(32))


def emptied(database: Path) -> None:
    shm(database).unlink()
    wal(database).write_bytes(b"")


def an_older_index(database: Path) -> None:
    """Of a log that was longer."""
    old = closed_database(database.with_name("old.db"), 1)
    again = Database(old)
    add_items(again, 60)
    shutil.copy(shm(old.path), shm(database))
    again.close()


def half_an_index(database: Path) -> None:
    change(shm(database), 16, b"\xff\xff\xff\x7f")


@pytest.mark.parametrize(
    "power_cut",
    [
        last_commit_torn,
        last_commit_zeroed,
        last_commit_without_its_first_page,
        first_commit_zeroed,
        header_not_yet_on_disk,
        emptied,
        an_older_index,
        half_an_index,
    ],
)
def test_what_a_power_cut_leaves_goes_by_itself(killed: Path, power_cut):
    power_cut(killed)
    assert why_refused(storage_under(killed)) is None


def test_older_frames_behind_a_log_that_was_begun_anew_are_not_missed(tmp_path: Path):
    storage = closed_database(tmp_path / "a.db", 3)
    database = Database(storage)
    for _ in range(5):
        add_items(database, 1)
    execute(storage.path, "PRAGMA wal_checkpoint(RESTART)")
    refuse_broken_log(storage.path)
    add_items(database, 1)
    log = read_log(wal(storage.path))
    assert log and 0 < log.frames < (wal(storage.path).stat().st_size - 32) // FRAME
    refuse_broken_log(storage.path)
    database.close()


def test_a_log_that_is_emptied_though_its_index_needs_it_may_be_a_power_cut(killed: Path):
    assert not log_was_emptied(killed)
    wal(killed).write_bytes(b"")
    assert log_was_emptied(killed)
    assert why_refused(storage_under(killed)) is None
    shm(killed).unlink()
    assert not log_was_emptied(killed)


def test_a_log_that_is_just_being_written_is_not_called_broken(killed: Path, monkeypatch):
    cut_in_half(killed)
    moments = iter(range(10))
    monkeypatch.setattr("app.database.broken_log._moment", lambda _: next(moments))
    refuse_broken_log(killed)


def test_a_long_log_is_read_by_its_salts_from_some_place_on(killed: Path, monkeypatch):
    monkeypatch.setattr("app.database.wal.CHECKED", FRAME)
    index, log = read_index(shm(killed)), read_log(wal(killed))
    assert index and log and log.frames == index.frames
    cut_in_half(killed)
    with pytest.raises(BrokenLog):
        refuse_broken_log(killed)
