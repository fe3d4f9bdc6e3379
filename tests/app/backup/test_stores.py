"""Every kind of store keeps the same promises, against a server of each."""

import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.backup.stores import bucket, folder
from app.backup.stores.store import SMALL, Store, StoreFailed, own_store, store_at
from app.errors import CannotStart, Conflict, NotFound, StorageFull
from app.setting_values import store_url
from app.settings import load
from app.storage.mounts import Mount
from tests.app.backup.servers import Cut, environment_of

MB = bytes(range(256)) * 4096
Open = Callable[[], Store]


@pytest.fixture(params=["file", "s3", "gs", "az"])
def store(request: pytest.FixtureRequest, address_of, monkeypatch, tmp_path: Path) -> Store:
    if request.param == "file":
        return store_at(tmp_path.as_uri())
    for name, value in environment_of(request.param, address_of(request.param)).items():
        monkeypatch.setenv(name, value)
    return store_at(f"{request.param}://tasks/{tmp_path.name}")


def names(store: Store) -> list[str]:
    return sorted(entry.name for entry in store.entries())


def put(store: Store, name: str, *pieces: bytes) -> None:
    with store.upload(name) as target:
        for piece in pieces:
            target.write(piece)


@pytest.mark.parametrize("pieces", [0, 1, 20])
def test_what_goes_up_comes_back(store: Store, pieces: int):
    put(store, "a.db.zst", *[MB] * pieces)
    assert b"".join(store.stream("a.db.zst")) == MB * pieces
    assert [(entry.name, entry.size_bytes) for entry in store.entries()] == [("a.db.zst", len(MB) * pieces)]


@pytest.mark.parametrize("pieces", [1, 20])
def test_of_what_breaks_off_nothing_is_there(store: Store, pieces: int):
    with pytest.raises(ZeroDivisionError), store.upload("a.db.zst") as target:
        for _ in range(pieces):
            target.write(MB)
        raise ZeroDivisionError
    assert store.entries() == []


def test_a_small_object_is_made_once_and_never_replaced(store: Store):
    store.create("a.json", b"1")
    with pytest.raises(Conflict, match=r"a.json exists already"):
        store.create("a.json", b"2")
    assert store.read("a.json") == b"1"


def test_the_same_once_more_is_no_conflict(store: Store):
    """As when the answer to the first try was lost."""
    store.create("a.json", b"1")
    store.create("a.json", b"1")
    assert store.read("a.json") == b"1"


def test_an_answer_that_is_lost_on_the_way_is_no_conflict(cut: tuple[Store, Cut], monkeypatch):
    """The try reached the server, and the next one finds what it has made: it is read back and compared."""
    url, way = str(cut[0].url), cut[1]
    monkeypatch.setattr(bucket, "RETRIES", {"max_retries": 3})
    store = store_at(url)
    way.lose = 1
    store.create("a.manifest.json", b"1")
    assert way.lose == 0 and store.read("a.manifest.json") == b"1"
    with pytest.raises(Conflict):
        store.create("a.manifest.json", b"2")


def test_without_keys_or_an_identity_the_clouds_own_address_for_machines_is_not_asked(monkeypatch):
    """In no test: the whole run has these settings (tests/conftest.py)."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(bucket, "RETRIES", {"max_retries": 0})
    with pytest.raises(StoreFailed) as failed:
        store_at("s3://tasks/nobody").entries()
    assert "127.0.0.1:9" in str(failed.value.__cause__) and "169.254" not in str(failed.value.__cause__)


def test_of_a_large_object_in_the_place_of_a_small_one_only_the_beginning_is_read(store: Store):
    put(store, "a.manifest.json", *[MB] * 3)
    assert store.read("a.manifest.json") == MB[:SMALL]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str):
    there = tmp_path / "a.db.zst"
    {"pipe": os.mkfifo, "device": lambda file: file.symlink_to("/dev/zero"), "folder": Path.mkdir}[kind](there)
    store = store_at(tmp_path.as_uri())
    for read in (store.read, lambda name: next(store.stream(name))):
        with pytest.raises(StoreFailed, match=r"a.db.zst is no file"):
            read("a.db.zst")


def test_what_is_not_there_is_said_by_name(store: Store):
    with pytest.raises(NotFound, match=r"There is no .*nothing.json"):
        store.read("nothing.json")
    with pytest.raises(NotFound, match=r"There is no .*nothing.zst"):
        list(store.stream("nothing.zst"))


def test_what_is_removed_is_gone_and_may_be_removed_again(store: Store):
    store.create("a.json", b"1")
    store.remove("a.json")
    store.remove("a.json")
    assert store.entries() == []


def test_what_lies_in_folders_of_it_is_not_listed(store: Store):
    inner = store.url.path + "/inner"
    if store.url.scheme == "file":
        Path(inner).mkdir()
    put(store_at(f"{str(store.url).removesuffix(store.url.path)}{inner}"), "deep.json", b"1")
    assert store.entries() == []


def test_a_way_that_breaks_at_any_request_leaves_no_half_object(cut: tuple[Store, Cut]):
    store, way = cut
    put(store, "whole.db.zst", *[MB] * 20)
    requests = way.seen
    assert requests >= 3
    for after in range(requests):
        way.seen, way.after = 0, after
        with pytest.raises(StoreFailed, match=r"Can't write .*half.db.zst: "):
            put(store, "half.db.zst", *[MB] * 20)
        way.seen, way.after = 0, 1 << 30
        assert names(store) == ["whole.db.zst"], after


def test_each_verb_says_that_the_way_is_broken(cut: tuple[Store, Cut]):
    store, way = cut
    way.after = 0
    for verb in (
        store.entries,
        lambda: store.read("a"),
        lambda: list(store.stream("a")),
        lambda: store.create("a", b""),
        lambda: store.remove("a"),
    ):
        with pytest.raises(StoreFailed, match=r"Can't \w+ \w\w://tasks/.*\n.*") as failed:
            verb()
        assert "127.0.0.1" not in str(failed.value) and "\n\n" not in str(failed.value)


def test_a_foreign_object_beside_which_none_can_be_listed_is_said_with_what_to_do(amazon: str, monkeypatch, tmp_path):
    for name, value in environment_of("s3", amazon).items():
        monkeypatch.setenv(name, value)
    with closing(http.client.HTTPConnection(urlsplit(amazon).netloc)) as connection:
        place = f"/tasks/{tmp_path.name}//odd"
        connection.request("PUT", place, b"1", {"Host": "s3.amazonaws.com"})
        assert connection.getresponse().read() is not None
    store = store_at(f"s3://tasks/{tmp_path.name}")
    store.create("a.json", b"1")
    with pytest.raises(StoreFailed, match=f'"{tmp_path.name}//"') as failed:
        store.entries()
    assert "Remove it" in failed.value.hint and store.read("a.json") == b"1"


def test_a_bucket_that_is_not_there_is_said(amazon: str, monkeypatch):
    for name, value in environment_of("s3", amazon).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreFailed, match=r"NoSuchBucket|no such bucket") as failed:
        store_at("s3://another").entries()
    assert "AWS_REGION" in failed.value.hint and "hush" not in str(failed.value)


def test_azures_container_needs_the_name_of_its_account(monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(CannotStart, match="AZURE_STORAGE_ACCOUNT_NAME="):
        store_at("az://tasks")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path):
    """It may be a mount that is missing."""
    with pytest.raises(StoreFailed, match=r"There is no folder .*missing(?s:.*)mkdir -p"):
        store_at((tmp_path / "missing").as_uri())
    assert not (tmp_path / "missing").exists()


def test_a_folder_without_room_says_so(tmp_path: Path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.SyncedFile, "write", full)
    with pytest.raises(StorageFull, match="no room left in"):
        put(store_at(tmp_path.as_uri()), "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_a_folder_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch):
    done: list[str] = []
    rename = Path.rename
    monkeypatch.setattr("os.fsync", lambda _: done.append("sync"))
    monkeypatch.setattr(Path, "rename", lambda self, to: (done.append("rename"), rename(self, to)))
    put(store_at(tmp_path.as_uri()), "a", b"1")
    assert done == ["sync", "rename", "sync"]


def test_what_is_renamed_or_removed_while_a_folder_is_listed_is_not_listed(tmp_path: Path, monkeypatch):
    store = store_at(tmp_path.as_uri())
    for name in ("a", "b"):
        put(store, name, b"1")
    scandir = os.scandir

    @contextmanager
    def going(folder: Path) -> Iterator[list[os.DirEntry[str]]]:
        with scandir(folder) as found:
            entries = list(found)
        (tmp_path / "b").rename(tmp_path / "c")
        yield entries

    monkeypatch.setattr(os, "scandir", going)
    assert names(store) == ["a"]


def test_a_folder_is_gone_only_where_it_is(tmp_path: Path, monkeypatch):
    (tmp_path / "store").mkdir()
    store = store_at((tmp_path / "store").as_uri())
    with pytest.raises(StoreFailed, match="something removes files there") as failed, store.upload("a") as file:
        file.write(b"1")
        [partial] = (tmp_path / "store").iterdir()
        partial.unlink()
    assert "is gone" not in failed.value.message
    (tmp_path / "store").rmdir()
    for verb in (store.entries, lambda: store.read("a"), lambda: put(store, "a", b"1")):
        with pytest.raises(StoreFailed, match="is gone"):
            verb()


def test_two_that_write_the_same_at_once_do_not_take_each_others_part(tmp_path: Path):
    store = store_at(tmp_path.as_uri())
    with store.upload("a") as file:
        file.write(b"first")
        with pytest.raises(ZeroDivisionError), store.upload("a") as other:
            other.write(b"second")
            raise ZeroDivisionError
    assert store.read("a") == b"first"


def test_without_a_place_it_is_said_which_line_names_one():
    with pytest.raises(CannotStart, match=r"BACKUP_URL is not set(?s:.*)BACKUP_URL=file:///backups"):
        store_at(None)


@pytest.mark.parametrize(
    ("text", "scheme", "bucket_", "path"),
    [
        ("file:///backups", "file", "", "/backups"),
        ("file:///my%20backups/a/", "file", "", "/my backups/a"),
        ("file://localhost/b", "file", "", "/b"),
        ("s3://tasks", "s3", "tasks", ""),
        ("s3://tasks//a/b/", "s3", "tasks", "a/b"),
        ("az://tasks/a", "az", "tasks", "a"),
        ("gs://my_tasks.example.com/a=1", "gs", "my_tasks.example.com", "a=1"),
    ],
)
def test_an_address_is_taken_apart(text: str, scheme: str, bucket_: str, path: str):
    found = store_url(text)
    assert (found.scheme, found.bucket, found.path) == (scheme, bucket_, path)
    assert store_url(str(found)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://key:hush@tasks", "No user or password"),
        ("s3://hush@tasks", "No user or password"),
        ("az://tasks/a?sig=hush", "no \\? and no #"),
        ("s3://tasks/a#hush", "no \\? and no #"),
        ("s3://tasks?", "no \\? and no #"),
        ("https://tasks.s3.amazonaws.com", "one of file"),
        ("s3:tasks", "one of file"),
        ("/backups", "one of file"),
        ("", "one of file"),
        ("file://backups", "three slashes"),
        ("file:///", "three slashes"),
        ("file:///a/../b", "without .. in it"),
        ("s3:///a", "no name of a bucket"),
        ("s3://Tasks", "no name of a bucket"),
        ("s3://tasks/a b", "letters, digits"),
        ("s3://tasks/../a", "letters, digits"),
        (" s3://tasks", "blanks around it"),
        ("s3://tasks\n", "blanks around it"),
    ],
)
def test_an_address_with_what_would_be_ignored_is_refused(text: str, said: str):
    with pytest.raises(ValueError, match=said) as refused:
        store_url(text)
    assert "hush" not in str(refused.value)


AMAZONS = {"AWS_ACCESS_KEY_ID": "AKIDINFILE\n", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "eu-central-1"}


def in_files(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    monkeypatch.setenv("BACKUP_CREDENTIALS", str(folder))


def test_keys_can_stand_in_files_and_those_of_another_provider_are_let_be(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDINSETTINGS")
    in_files(tmp_path, monkeypatch, AMAZONS | {"AZURE_STORAGE_ACCOUNT_KEY": "a2V5", ".hidden": "x"})
    known = dict(bucket._store(store_url("s3://a-bucket")).config)
    assert known["access_key_id"] == "AKIDINFILE"
    assert known["secret_access_key"] == "hush"
    assert known["region"] == "eu-central-1"


def test_azures_account_can_stand_in_a_file(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    in_files(tmp_path, monkeypatch, {"AZURE_STORAGE_ACCOUNT_NAME": "anaccount", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5"})
    assert dict(bucket._store(store_url("az://a-container")).config)["account_name"] == "anaccount"


def test_a_folder_without_a_key_says_what_belongs_there(tmp_path: Path, monkeypatch):
    in_files(tmp_path, monkeypatch, {"aws_access_key_id": "x"})
    with pytest.raises(CannotStart) as refused:
        store_at("s3://a-bucket")
    assert f"BACKUP_CREDENTIALS={tmp_path} has no file whose name begins with AWS_" in refused.value.message
    monkeypatch.setenv("BACKUP_CREDENTIALS", str(tmp_path / "nowhere"))
    with pytest.raises(CannotStart, match="No such file"):
        store_at("s3://a-bucket")


@pytest.mark.parametrize(
    ("point", "filesystem", "said"), [("/", "overlay", "inside the container"), ("/tmp", "tmpfs", "in memory")]
)
def test_in_production_a_folder_that_vanishes_is_no_place_for_backups(
    tmp_path: Path, monkeypatch, point: str, filesystem: str, said: str
):
    monkeypatch.setattr(folder, "mount_of", lambda *_: Mount(point, "/", filesystem, "", read_only=False))
    given = {"BACKUP_URL": tmp_path.as_uri()}
    assert own_store(load(given)).entries() == []
    for address in (None, tmp_path.as_uri()):
        with pytest.raises(StoreFailed) as refused:
            own_store(load({**given, "APP_ENV": "production"}), address)
        assert said in refused.value.message and "docker run -v" in refused.value.hint
    assert store_at(tmp_path.as_uri()).entries() == []  # somebody has copied a backup there


def test_in_production_a_folder_on_a_mount_of_its_own_is_one(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folder, "mount_of", lambda *_: Mount(str(tmp_path), "/", "ext4", "", read_only=False))
    assert own_store(load({"BACKUP_URL": tmp_path.as_uri(), "APP_ENV": "production"})).entries() == []
