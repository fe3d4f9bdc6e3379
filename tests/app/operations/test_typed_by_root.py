"""What root types (docker exec -u 0, sudo) leaves nothing in the data folder that the app's own user can't open."""

import os
import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.backup.copies.snapshot import snapshot
from app.backup.copies.verify import refuse_unreadable
from app.cli import main
from app.database import migrations
from app.database.engine import Database
from app.errors import CannotStart, Problem, Unreadable, problem_of
from app.operations.control import control
from app.storage.guard import guard
from app.storage.mounts import Profile, Storage, beside, storage_under
from app.web.security import session_secret
from app.writer import takeover
from tests.app.backup.databases import add_items, closed_database, names, titles

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
USER = 1000


def give_all(folder: Path) -> None:
    folder.chmod(0o700)
    for file in (folder, *folder.rglob("*")):
        os.chown(file, USER, USER)


@pytest.fixture(params=["shared", "exclusive"])
def profile(request) -> Profile:
    return request.param


@pytest.fixture
def storage(tmp_path: Path, profile: Profile) -> Storage:
    """A database of the app's user, in a folder of that user; `tmp_path` itself is root's."""
    (tmp_path / "data").mkdir()
    storage = closed_database(tmp_path / "data" / "a.db", 2, profile)
    storage.path.chmod(0o640)
    give_all(tmp_path / "data")
    return storage


def typed(storage: Storage, *words: str | Path) -> Result:
    environment = {"DATABASE_PATH": str(storage.path), "DATABASE_STORAGE": storage.profile}
    done = CliRunner().invoke(main, list(map(str, words)), env=environment)
    assert done.exit_code == 0, done.output
    return done


def roots(folder: Path) -> list[Path]:
    return [file for file in (folder, *folder.rglob("*")) if (file.stat().st_uid, file.stat().st_gid) != (USER, USER)]


@pytest.mark.parametrize("words", [[], ["--as-it-is"]])
def test_a_restore_keeps_owner_and_mode_of_what_was_there(storage: Storage, tmp_path: Path, words: list[str]):
    other = closed_database(tmp_path / "other.db", 3)
    snapshot(other, tmp_path / "b.db")
    typed(storage, "restore", *words, tmp_path / "b.db")
    assert roots(storage.path.parent) == []
    assert stat.S_IMODE(storage.path.stat().st_mode) == 0o640
    assert len(titles(storage.path)) == 3
    assert len([name for name in names(storage.path.parent) if "before-restore" in name]) == 2


def test_a_restore_into_an_empty_folder_leaves_its_users_files(tmp_path: Path, profile: Profile):
    snapshot(closed_database(tmp_path / "other.db", 3), tmp_path / "b.db")
    (tmp_path / "data").mkdir()
    give_all(tmp_path / "data")
    storage = storage_under(tmp_path / "data" / "a.db", profile)
    typed(storage, "restore", tmp_path / "b.db")
    assert roots(storage.path.parent) == []
    assert stat.S_IMODE(storage.path.stat().st_mode) == 0o600


def test_what_a_restore_keeps_of_a_damaged_one_is_its_users(storage: Storage, tmp_path: Path):
    snapshot(closed_database(tmp_path / "other.db", 3), tmp_path / "b.db")
    storage.path.write_bytes(b"\xff" * 9000)
    typed(storage, "restore", tmp_path / "b.db")
    assert roots(storage.path.parent) == []


def test_a_restore_with_a_log_leaves_its_users_log(storage: Storage, tmp_path: Path):
    running = Database(closed_database(tmp_path / "other.db", 1))
    add_items(running, 1)
    for ending in ("", "-wal"):
        (tmp_path / f"hand.db{ending}").write_bytes(beside(running.storage.path, ending).read_bytes())
    running.close()
    typed(storage, "restore", "--as-it-is", tmp_path / "hand.db")
    assert beside(storage.path, "-wal").stat().st_size
    assert roots(storage.path.parent) == []


def test_a_snapshot_in_the_data_folder_is_its_users_and_elsewhere_roots(storage: Storage, tmp_path: Path):
    (storage.path.parent / "backups").mkdir()
    give_all(storage.path.parent)
    for name in ("b.db", "backups/b.db"):
        typed(storage, "snapshot", storage.path.parent / name)
    typed(storage, "snapshot", tmp_path / "b.db")
    assert roots(storage.path.parent) == []
    assert (tmp_path / "b.db").stat().st_uid == 0


def test_start_empty_and_the_first_start_leave_their_users_files(tmp_path: Path, profile: Profile):
    (tmp_path / "data").mkdir()
    give_all(tmp_path / "data")
    storage = storage_under(tmp_path / "data" / "a.db", profile)
    typed(storage, "start-empty")
    session_secret(storage)
    database = Database(storage)
    migrations.upgrade(database)
    add_items(database, 1)
    assert roots(storage.path.parent) == []
    database.close()


def test_where_the_folder_is_everybodys_it_goes_by_the_database(storage: Storage):
    os.chown(storage.path.parent, 0, 0)
    storage.path.parent.chmod(0o777)
    typed(storage, "snapshot", storage.path.parent / "b.db")
    assert roots(storage.path.parent) == [storage.path.parent]


def test_a_take_over_copies_the_owner_and_the_mode_too(storage: Storage, tmp_path: Path):
    takeover._copy_file(storage.path, storage.path.with_name("copy"))
    assert roots(storage.path.parent) == []
    assert stat.S_IMODE(storage.path.with_name("copy").stat().st_mode) == 0o640


def test_where_root_may_not_hand_it_over_nothing_is_changed(storage: Storage, tmp_path: Path, monkeypatch):
    snapshot(closed_database(tmp_path / "other.db", 3), tmp_path / "b.db")
    lease = storage.lease
    typed(storage, "snapshot", tmp_path / "c.db")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    before = names(storage.path.parent), names(lease) if lease.exists() else set()
    environment = {"DATABASE_PATH": str(storage.path), "DATABASE_STORAGE": storage.profile}
    for words in (["restore", "--no-keep", str(tmp_path / "b.db")], ["snapshot", str(storage.path.parent / "b.db")]):
        done = CliRunner().invoke(main, words, env=environment)
        if storage.profile == "shared" or words[0] == "restore":
            assert done.exit_code == 1, done.output
            assert "can't be handed to user 1000" in done.output
            assert "sudo -u '#1000'" in done.output
    assert names(storage.path.parent) - {lease.name} == before[0] - {lease.name}
    assert len(titles(storage.path)) == 2
    assert [file for file in roots(storage.path.parent) if file != lease] == []


@pytest.mark.parametrize("owner", [USER, 0, 1234])
def test_root_asks_the_app_of_the_databases_user_and_nobody_who_plays_it(
    storage: Storage, place: Path, owner: int, monkeypatch
):
    with monkeypatch.context() as as_the_app:
        as_the_app.setattr(os, "getuid", lambda: USER)
        folder = control._folder(USER)
        folder.mkdir(mode=0o700)
    os.chown(folder, owner, owner)
    file = folder / f"{control._name(storage)}-{os.getpid()}.sock"
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(file))
        assert control._sockets(storage) == ([file] if owner == USER else [])


def test_what_this_user_may_not_read_is_to_be_typed_as_another(storage: Storage, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/app/data/b.db")

    monkeypatch.setattr(Path, "stat", refuse)
    for problem in (problem_of(PermissionError(13, "Permission denied")), said_by(storage)):
        assert problem.hint.startswith("Type it as the user whose that is: with docker exec or run  --user 1000")


def said_by(storage: Storage) -> Problem:
    with pytest.raises(Unreadable) as refused:
        refuse_unreadable(storage.path)
    return refused.value


def test_root_without_its_rights_is_not_told_to_take_the_folder_from_the_app(storage: Storage, monkeypatch):
    """As in a container without capabilities: the folder is another user's, and stays so."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(CannotStart, match=r"belongs to user 1000 .* so user 0 can't write it") as refused:
        guard(storage, production=False, keeps_secret=False)
    assert "Type it as user 1000" in refused.value.hint
    assert "chown" not in refused.value.hint
