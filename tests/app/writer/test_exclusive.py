"""The lease for one command: alone, sure of it, and gone again."""

import errno
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.backup.copies.snapshot import snapshot
from app.backup.restoring.restore import restore
from app.cli import main
from app.database import migrations
from app.errors import Standby, StorageFull
from app.storage.mounts import Storage
from app.writer import exclusive
from app.writer.exclusive import exclusive_access
from app.writer.instance import Instance
from app.writer.lease import Lease, lease_of
from app.writer.lease_files import Folder, folder_of
from tests.app.backup.databases import closed_database, titles


@pytest.fixture(params=["shared", "exclusive"])
def storage(request, tmp_path: Path) -> Storage:
    return closed_database(tmp_path / "a.db", 2, request.param)


@pytest.fixture
def on_network(tmp_path: Path) -> Storage:
    return closed_database(tmp_path / "a.db", 2, "exclusive")


def test_beside_a_running_app_it_is_refused(storage: Storage):
    running = Instance(storage, migrations.upgrade)
    running.start()
    with pytest.raises(Standby, match="A running app has the database"), exclusive_access(storage):
        pytest.fail("it was not alone")
    running.stop()
    with exclusive_access(storage) as alone:
        alone.sure()


def test_typed_beside_a_running_app_no_command_says_only_to_type_it_there(storage: Storage):
    running = Instance(storage, migrations.upgrade)
    running.start()
    with pytest.raises(Standby, match=r"If that is here, .*try again"), exclusive_access(storage):
        pytest.fail("it was not alone")
    with pytest.raises(Standby, match=r"If that is here, .*try again"), exclusive_access(storage, by_force=False):
        pytest.fail("it was not alone")
    place = {"DATABASE_PATH": str(storage.path), "DATABASE_STORAGE": storage.profile}
    done = CliRunner().invoke(main, ["start-empty"], env=place)
    running.stop()
    assert done.exit_code == 1
    assert "has a database open" in done.output and "so it is not empty" in done.output
    assert "Stop it first." in done.output and "Type this where" not in done.output


def test_an_app_stands_by_while_a_command_is_at_work_and_writes_after_it(storage: Storage):
    with exclusive_access(storage):
        app = Instance(storage, migrations.upgrade, requests_handover=False)
        app.start()
        assert not app.writes
    until = time.monotonic() + 60
    while not app.writes:
        assert time.monotonic() < until
        time.sleep(0.05)
    app.stop()


def test_a_storage_that_fails_once_does_not_end_its_heart(on_network: Storage, monkeypatch):
    monkeypatch.setattr(exclusive, "RENEW_EVERY", 0.05)
    rewrite, failed = Folder.rewrite, []

    def flaky(self: Folder, name: str, content: bytes) -> None:
        if not failed:
            failed.append(name)
            raise OSError(errno.EIO, "Input/output error")
        rewrite(self, name, content)

    with exclusive_access(on_network):
        monkeypatch.setattr(Folder, "rewrite", flaky)
        until = time.monotonic() + 60
        while not failed:
            assert time.monotonic() < until
            time.sleep(0.01)
        observation = Lease(Folder(folder_of(on_network))).observe()
        while Lease(Folder(folder_of(on_network))).observe().content == observation.content:
            assert time.monotonic() < until
            time.sleep(0.01)


def test_a_restore_that_was_overtaken_changes_nothing(on_network: Storage, tmp_path: Path):
    snapshot(on_network, tmp_path / "backup.db")
    inode = on_network.path.stat().st_ino
    with (
        pytest.raises(Standby, match="has taken the database over"),
        exclusive_access(on_network, replaces=True) as alone,
    ):
        (folder_of(on_network) / "term-000000000009").touch()
        restore(tmp_path / "backup.db", on_network, sure=alone.sure)
    assert on_network.path.stat().st_ino == inode


def test_a_restore_whose_storage_stood_still_changes_nothing(on_network: Storage, tmp_path: Path, monkeypatch):
    snapshot(on_network, tmp_path / "backup.db")
    inode = on_network.path.stat().st_ino
    with pytest.raises(Standby, match="did not answer"), exclusive_access(on_network, replaces=True) as alone:
        monkeypatch.setattr(Lease, "holds", lambda _: False)
        restore(tmp_path / "backup.db", on_network, sure=alone.sure)
    assert on_network.path.stat().st_ino == inode


def test_after_a_restore_nobody_is_told_the_schema_of_before(storage: Storage, tmp_path: Path):
    """Else the version that made the backup would not start on it."""
    snapshot(storage, tmp_path / "backup.db")
    newer = lease_of(storage)
    assert newer.acquire(newer.observe())
    newer.note(schema="9999")
    newer.release()
    with exclusive_access(storage, replaces=True) as alone:
        restore(tmp_path / "backup.db", storage, sure=alone.sure)
    app = Instance(storage, migrations.upgrade)
    app.start()
    assert app.writes
    app.stop()
    assert titles(storage.path) == ["Item 0", "Item 1"]


def test_without_force_what_a_killed_app_left_stays_as_it_is(on_network: Storage):
    killed = lease_of(on_network)
    assert killed.acquire(killed.observe())
    before = os.listdir(folder_of(on_network))
    began = time.monotonic()
    with pytest.raises(Standby, match="was killed with it"), exclusive_access(on_network, by_force=False):
        pytest.fail("it was not alone")
    assert time.monotonic() - began < exclusive.WRITE_DEADLINE
    assert os.listdir(folder_of(on_network)) == before


def test_a_full_disk_is_told_in_words(on_network: Storage, monkeypatch):
    def full(self: Folder, name: str, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Folder, "rewrite", full)
    with pytest.raises(StorageFull, match=r"no room left.*\n.*larger"), exclusive_access(on_network):
        pytest.fail("it was not alone")
