"""The page for the drawer: all that a person needs who has nothing else, as it is typed, and no secret."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.backup.restoring.recovery_commands import AFTERWARDS, TASK_ON_AZURE, for_once, in_cloud
from app.backup.stores.stored_backup import manifest_of, names_in, new_name, newest_in, object_of
from app.backup.transfer.encryption import SECRET
from app.setting_values import StoreUrl, store_url
from tests.app.backup.conftest import Run
from tests.app.backup.databases import titles
from tests.app.backup.servers import environment_of
from tests.app.backup.test_stored_backup import new_key

TOOLS = ("age", "zstd", "sqlite3")
ROOT = Path(__file__).resolve().parents[3]


def commands(page: str, part: int) -> list[str]:
    """Those of a part: four blanks deep."""
    found = page.partition(f"\n{part}. ")[2].partition(f"\n{part + 1}. ")[0]
    return re.findall(r"^    (\S.*)$", found, re.MULTILINE)


def test_it_names_the_place_the_keys_and_when_each_was_proven(run: Run, store, tmp_path, monkeypatch):
    proven, other = new_key(), new_key()
    monkeypatch.setenv("BACKUP_RECIPIENT", f"{proven.to_public()} {other.to_public()}")
    run("backup")
    (tmp_path / "key.txt").write_text(str(proven))
    run("backup", "drill", "--identity", "key.txt")
    page = run("backup", "key-kit").stdout
    assert str(store.url) in page and newest_in(store) in page
    assert re.search(rf"{proven.to_public()}\n +proven on 20", page)
    assert re.search(rf"{other.to_public()}\n +never proven yet", page)
    proving = "docker exec -i task-assist task-assist backup drill --identity /dev/stdin <key.txt"
    assert proving in commands(page, 5)


def test_no_private_key_is_ever_on_it(run: Run, tmp_path, monkeypatch):
    key = new_key()
    (tmp_path / "key.txt").write_text(str(key))
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    page = run("backup", "key-kit").stdout
    assert re.findall(rf"{SECRET}\w*", page) == [f"{SECRET}1"] and "hush" not in page


def test_without_a_key_it_says_what_that_means(run: Run):
    run("backup")
    page = run("backup", "key-kit").stdout
    assert "BACKUP_RECIPIENT is not set" in page and "whoever reads that place reads all" in page
    assert "age-keygen -o key.txt" in page and "--identity" not in page
    assert not any(line.startswith("age -d") for line in commands(page, 3))
    # The folder is the container's: from another machine its address leads nowhere.
    drills = ["docker compose exec -T app", "docker exec -i task-assist"]
    assert commands(page, 5) == [f"{where} task-assist backup drill" for where in drills]


def test_a_backup_of_a_time_to_come_is_not_the_newest_on_it(run: Run, store):
    run("backup")
    newest = newest_in(store)
    later = new_name("task_manager", datetime.now(UTC) + timedelta(days=365))
    store.create(object_of(later, encrypted=False), b"")
    store.create(manifest_of(later), b"{}")
    assert f"NAME={newest}" in run("backup", "key-kit").stdout


def test_before_the_first_backup_it_says_that_there_is_none(run: Run):
    page = run("backup", "key-kit").stdout
    assert "The newest on that day: none yet" in page and "NAME=NAME-OF-THE-BACKUP" in page


def test_without_a_place_it_says_which_line_makes_one(run: Run, monkeypatch):
    monkeypatch.delenv("BACKUP_URL")
    done = run("backup", "key-kit")
    assert done.exit_code == 1 and "BACKUP_URL=file:///backups" in done.stderr


def typed_in_an_empty_folder(page: str, drawer: Path, key: str) -> str:
    """What the commands of part 3 say, by a shell, with plain tools alone."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    drawer.mkdir()
    (drawer / "key.txt").write_text(f"{key}\n")
    lines = ['sudo() { "$@"; }', *commands(page, 3)]  # whoever runs the tests may read the store
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)], cwd=drawer, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("encrypted", [True, False])
def test_its_commands_get_the_database_back_as_they_are_typed(encrypted: bool, run: Run, tmp_path, monkeypatch):
    key, drawer = new_key(), tmp_path / "drawer"
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()) if encrypted else "")
    run("backup")
    said = typed_in_an_empty_folder(run("backup", "key-kit").stdout, drawer, str(key))
    assert said.rstrip().endswith("ok")
    [database] = drawer.glob("*.db")
    assert titles(database) == ["Item 0", "Item 1", "Item 2"]
    # Before, it showed the manifest's own checks, with the sums that must come out.
    checks = re.findall(r"echo '[0-9a-f]{64}  [^']+' \| sha256sum -c", said)
    assert len(checks) == 2
    for check in checks:
        subprocess.run(["bash", "-euc", check], cwd=drawer, check=True, capture_output=True)


def test_its_commands_for_s3_work_with_amazons_own_tool(run: Run, amazon: str, tmp_path, monkeypatch):
    if shutil.which("aws") is None:
        pytest.skip("no aws here")
    for name, value in environment_of("s3", amazon).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BACKUP_URL", f"s3://tasks/{tmp_path.name}")
    run("backup")
    run("backup")
    drawer = tmp_path / "drawer"
    assert typed_in_an_empty_folder(run("backup", "key-kit").stdout, drawer, "").rstrip().endswith("ok")
    [database] = drawer.glob("*.db")
    assert titles(database) == ["Item 0", "Item 1", "Item 2"]


@pytest.mark.parametrize(
    ("url", "given", "said"),
    [
        ("s3://bucket/tasks", {"AWS_REGION": "eu-central-1"}, ["aws s3 ls s3://bucket/tasks/"]),
        ("s3://bucket", {"AWS_REGION": "eu-central-1"}, ["first type  export AWS_REGION=eu-central-1"]),
        ("s3://bucket", {"AWS_ENDPOINT_URL": "https://minio.example.org"}, ["export AWS_ENDPOINT_URL=https://minio"]),
        (
            "az://tasks/a",
            {"AZURE_STORAGE_ACCOUNT_NAME": "backups"},
            ["account backups", "--prefix a/ ", 'mv a/"$NAME".* .'],
        ),
        ("gs://bucket/tasks", {}, ['gcloud storage cp "gs://bucket/tasks/$NAME.*" .']),
    ],
)
def test_each_place_has_its_own_tool(url: str, given: dict[str, str], said: list[str], monkeypatch):
    from app.backup.stores.provider_commands import provider_commands, where

    for name, value in given.items():
        monkeypatch.setenv(name, value)
    place = store_url(url)
    page = "\n".join([*where(place), *provider_commands(place).listing(), *provider_commands(place).fetching()])
    assert all(each in page for each in said), page


# One of each place; `once` is the copy that a key for once opens.
STORES = {"az": "az://backups", "s3": "s3://a-bucket/a-folder", "gs": "gs://a-bucket"}
ON_PAGES = "s3://BUCKET/FOLDER"
PAGES = {"az": "azure.md", "s3": "aws.md", "gs": "gcp.md"}


def plainly(text: str) -> str:
    """Without the ends of lines that a page breaks, and without blanks, which it puts elsewhere."""
    return re.sub(r"\s", "", text.replace("\\\n", " "))


@pytest.mark.parametrize("scheme", STORES)
@pytest.mark.parametrize("encrypted", [False, True])
def test_its_commands_for_a_cloud_are_those_of_the_pages(scheme: str, encrypted: bool):
    docs = ROOT / "docs"
    pages = plainly((docs / "deploy" / PAGES[scheme]).read_text() + (docs / "backups.md").read_text())
    lines = list(in_cloud(store_url(STORES[scheme]), encrypted=encrypted))
    assert lines
    for line in lines:
        said = line.replace(f"COPY={STORES[scheme]}", f"COPY={ON_PAGES}")
        assert plainly(said.removeprefix(TASK_ON_AZURE) if encrypted else said) in pages, said
    assert subprocess.run(["bash", "-n"], input="\n".join(lines), text=True, check=False).returncode == 0


def test_what_a_key_for_once_takes_is_on_the_page():
    page = plainly((ROOT / "docs" / "backups.md").read_text())
    url = STORES["s3"]
    lines = [*for_once(store_url(url)), AFTERWARDS]
    assert all(plainly(line.replace(url, ON_PAGES)) in page for line in lines)


@pytest.mark.parametrize("url", STORES.values())
def test_it_has_the_commands_of_the_cloud_that_its_store_is_in(url: str, run: Run, monkeypatch):
    monkeypatch.setattr("app.backup.stores.store.open_store", lambda _url, must_last: Elsewhere(_url))
    monkeypatch.setenv("BACKUP_URL", url)
    page = run("backup", "key-kit").stdout
    assert set(in_cloud(store_url(url), encrypted=False)) <= set(commands(page, 4))
    monkeypatch.setenv("BACKUP_RECIPIENT", str(new_key().to_public()))
    page = run("backup", "key-kit").stdout
    assert {*for_once(store_url(url)), *in_cloud(store_url(url), encrypted=True)} <= set(commands(page, 4))


class Elsewhere:
    """An empty store in a cloud."""

    def __init__(self, url: StoreUrl) -> None:
        self.url = url

    def entries(self) -> list[object]:
        return []


def typed(lines: list[str], folder: Path, **more: str) -> str:
    """What commands say that are typed in a folder of a machine with nothing but `task-assist`."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "task-assist").write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from app.cli import main; main()' \"$@\"\n"
    )
    (folder / "bin" / "task-assist").chmod(0o755)
    clean = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(folder), **more}
    line = "\n".join(lines)
    done = subprocess.run(["bash", "-euc", line], cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_key_for_once_brings_an_encrypted_backup_back_and_neither_prunes_nor_opens_the_others(
    run: Run, store, tmp_path: Path, monkeypatch
):
    if shutil.which("age-keygen") is None:
        pytest.skip("no age-keygen here")
    key, laptop, kept = new_key(), tmp_path / "laptop", tmp_path / "store" / "once"
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    monkeypatch.setenv("BACKUP_KEEP", "last=6")
    for _ in range(5):
        assert run("backup").exit_code == 0
    before = names_in(store)
    assert len(before) == 5  # two more than a machine keeps that has no BACKUP_KEEP
    laptop.mkdir()
    kept.mkdir()  # a bucket has no folders to be made
    (laptop / "key.txt").write_text(f"{key}\n")
    typed(list(for_once(store.url)), laptop)
    assert names_in(store) == before
    assert {file.suffix for file in kept.iterdir()} == {".age", ".json"}
    # And as the task of the cloud types it, which has neither the real key nor opened.db.
    once = next(line for line in (laptop / "once.txt").read_text().splitlines() if line.startswith(SECRET))
    words = f"task-assist restore {kept.as_uri()}/latest --identity /dev/stdin <<<$ONCE"
    target = tmp_path / "elsewhere.db"
    typed([words], tmp_path, ONCE=once, DATABASE_PATH=str(target))
    assert titles(target) == ["Item 0", "Item 1", "Item 2"]
    assert not [
        file for file in (tmp_path / "store").rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()
    ]
