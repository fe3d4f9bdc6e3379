"""Every kind of wrong file is refused, says what it is, and stays as it was."""

import gzip
import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.backup.copies import manifest
from app.backup.copies.verify import verify
from app.cli import main
from app.database.engine import Database
from app.database.migrations import known_revisions
from app.errors import Broken, Mismatch, Refused
from app.storage.mounts import storage_under
from tests.app.backup.conftest import Make
from tests.app.backup.databases import add_items, execute, names

FLIPS = 200


def test_every_single_flipped_bit_is_refused(backup: Path):
    """SQLite's own integrity_check finds about one in ten of these."""
    whole, where = backup.read_bytes(), random.Random(5)
    for bit in (where.randrange(len(whole) * 8) for _ in range(FLIPS)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        backup.write_bytes(flipped)
        with pytest.raises(Mismatch, match="its sha256 is"):
            verify(backup)
    backup.write_bytes(whole)
    assert verify(backup).proven


def test_a_good_file_is_left_exactly_as_it_is(backup: Path, tmp_path: Path):
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.iterdir()}
    verify(backup)
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.iterdir()} == before


def test_a_database_in_wal_mode_is_read_without_a_wal_or_shm_beside_it(make: Make, tmp_path: Path):
    file = make().path
    assert not verify(file).proven
    assert names(tmp_path) == {"task_manager.db"}


def alter_manifest(file: Path, **changes: object) -> None:
    path = manifest.path_for(file)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def unprove(file: Path) -> None:
    manifest.path_for(file).unlink()


def empty(file: Path) -> None:
    unprove(file)
    file.write_bytes(b"")


def cut(file: Path, to: int) -> None:
    unprove(file)
    os.truncate(file, to)


def replaced(content: bytes) -> Callable[[Path], None]:
    def replace(file: Path) -> None:
        unprove(file)
        file.write_bytes(content)

    return replace


def garbage_inside(file: Path) -> None:
    unprove(file)
    with file.open("r+b") as opened:
        opened.seek(8192)
        opened.write(random.Random(1).randbytes(8192))


def statement(*statements: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        unprove(file)
        execute(file, *statements)

    return change


def another_apps(file: Path) -> None:
    unprove(file)
    file.unlink()
    execute(file, "CREATE TABLE albums (id INTEGER PRIMARY KEY)", "PRAGMA user_version = 7")


def tableless(file: Path) -> None:
    unprove(file)
    file.unlink()
    execute(file, "PRAGMA user_version = 7")


def with_log(file: Path) -> None:
    """As `cp` of a running app's database leaves it."""
    unprove(file)
    database = Database(storage_under(file))
    add_items(database, 1)
    shutil.copy(file.with_name(file.name + "-wal"), file.with_name("kept"))
    shutil.copy(file, file.with_name("main"))
    database.close()
    file.with_name("main").replace(file)
    file.with_name("kept").replace(file.with_name(file.name + "-wal"))


def opened_after(file: Path) -> None:
    proof = manifest.path_for(file).read_text()
    with_log(file)
    manifest.path_for(file).write_text(proof)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def loop(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("gone.db")


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def door(file: Path) -> None:
    file.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(file))


def device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


WAL_MAGIC = b"\x37\x7f\x06\x82"
WRONG: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "missing": (lambda file: file.unlink(), 1, "No such file"),
    "a folder": (folder, 1, "is a folder"),
    "a loop of links": (loop, 1, "symbolic links"),
    "a dangling link": (dangling, 1, "No such file"),
    "a pipe": (pipe, 1, "a pipe, socket or device"),
    "a socket": (door, 1, "a pipe, socket or device"),
    "a device": (device, 1, "a pipe, socket or device"),
    "one byte more": (lambda file: file.write_bytes(file.read_bytes() + b"\0"), 4, "it has .* bytes, the backup had"),
    "one byte less": (lambda file: os.truncate(file, file.stat().st_size - 1), 4, "it has .* bytes, the backup had"),
    "another backup's manifest": (lambda file: alter_manifest(file, sha256="0" * 64), 4, "its sha256 is"),
    "a manifest with other rows": (lambda file: alter_manifest(file, rows={"tasks": 1}), 4, "rows, not"),
    "a manifest with another schema": (
        lambda file: alter_manifest(file, revision="0000"),
        4,
        f"schema is {known_revisions()[-1]}, not 0000",
    ),
    "a manifest of a later format": (lambda file: alter_manifest(file, format=2), 4, "not a manifest .* format"),
    "a manifest without a hash": (lambda file: alter_manifest(file, sha256=None), 4, "not a manifest .* sha256"),
    "a manifest that is no JSON": (lambda file: manifest.path_for(file).write_text("{"), 4, "not a manifest"),
    "a manifest that is a folder": (
        lambda file: (unprove(file), manifest.path_for(file).mkdir()),
        4,
        "Can't read .*manifest.json: Is a directory",
    ),
    "opened and changed since": (opened_after, 4, "opened and changed after the backup"),
    "empty": (empty, 5, r"empty \(0 bytes\)"),
    "text": (replaced(b"shopping\nmilk\n"), 5, 'starts with "shopping"'),
    "an SQL dump": (replaced(b"PRAGMA foreign_keys=OFF;\nBEGIN;\n"), 5, 'starts with "PRAGMA foreign_keys=OFF;"'),
    "a manifest": (lambda file: manifest.path_for(file).replace(file), 5, 'starts with "{"'),
    "gzip": (lambda file: replaced(gzip.compress(file.read_bytes()))(file), 5, "compressed .gzip"),
    "zstd": (replaced(b"\x28\xb5\x2f\xfd\x00\x00"), 5, "compressed .zstd"),
    "zip": (replaced(b"PK\x03\x04\x14\x00"), 5, "zip archive"),
    "age": (replaced(b"age-encryption.org/v1\n"), 5, "encrypted"),
    "noise": (replaced(random.Random(3).randbytes(8192)), 5, "starts with the bytes fd 3f eb 3c"),
    "a -wal": (replaced(WAL_MAGIC + b"\0" * 60), 5, "the write-ahead log"),
    "a journal": (replaced(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 504), 5, "the rollback journal"),
    "another app's": (another_apps, 6, "another app's database"),
    "no tables": (tableless, 8, "without any table"),
    "a newer schema": (statement("UPDATE alembic_version SET version_num = '9999'"), 7, "has schema 9999"),
    "no schema number": (statement("DELETE FROM alembic_version"), 8, "nothing in it says its schema"),
    "a table dropped": (statement("DROP TABLE tasks"), 8, "it lacks tasks"),
    "cut in the middle": (lambda file: cut(file, 20_000), 8, "cut short: 20,000 of"),
    "cut after the header": (lambda file: cut(file, 100), 8, "cut short: 100 of"),
    "noise inside": (garbage_inside, 8, "is damaged"),
    "copied while the app ran": (with_log, 8, "-wal beside it holds changes"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_file_is_refused_for_what_it_is(kind: str, backup: Path, tmp_path: Path):
    spoil, exit_code, said = WRONG[kind]
    spoil(backup)
    before = names(tmp_path)
    with pytest.raises(Refused, match=said) as refused:
        verify(backup)
    assert refused.value.exit_code == exit_code
    assert "\n" not in refused.value.message
    assert names(tmp_path) == before
    done = CliRunner().invoke(main, ["verify", "--json", str(backup)])
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (exit_code, refused.value.code)


def test_a_file_without_a_manifest_is_sound_but_unproven(backup: Path):
    unprove(backup)
    done = CliRunner().invoke(main, ["verify", str(backup)])
    assert (done.exit_code, done.stderr) == (3, "")
    assert done.stdout == f"{backup} is a sound database of Task Assist, but unproven: it has no manifest: " + (
        "20 tasks in 20 items.\n"
    )


def test_a_copied_log_can_be_folded_in(backup: Path, tmp_path: Path):
    with_log(backup)
    assert verify(backup, fold=True).contents.rows["tasks"] == 21
    assert not backup.with_name("backup.db-wal").exists()


def test_a_log_that_is_not_its_databases_is_told_as_damage(backup: Path):
    unprove(backup)
    backup.with_name("backup.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\xff" * 1000)
    with pytest.raises(Broken):
        verify(backup)


def test_of_one_that_is_cut_short_it_says_what_to_do_next(backup: Path):
    unprove(backup)
    os.truncate(backup, backup.stat().st_size - 4096)
    with pytest.raises(Broken, match=r"is cut short.*\nUse another backup"):
        verify(backup)


def test_of_a_file_that_is_not_there_it_says_where_it_may_be(tmp_path: Path):
    with pytest.raises(Refused, match=r"(?s)No such file.*ls -l .*manage_db_volume\.py restore \S+/nightly\.db$"):
        verify(tmp_path / "nightly.db")
