"""The page for the drawer: all that a person needs who has nothing else, as it is typed, and no secret."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.backup.encryption import SECRET
from app.backup.stored import manifest_of, new_name, newest_in, object_of, stored_in
from app.setting_values import store_url
from tests.app.backup.conftest import Run
from tests.app.backup.databases import titles
from tests.app.backup.servers import environment_of
from tests.app.backup.test_stored import new_key

TOOLS = ("age", "zstd", "sqlite3")


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
    from app.backup.taking_out import listing, taking_out, where

    for name, value in given.items():
        monkeypatch.setenv(name, value)
    place = store_url(url)
    page = "\n".join([*where(place), *listing(place), *taking_out(place)])
    assert all(each in page for each in said), page


def test_an_encrypted_backup_can_be_put_into_the_store_open_where_the_key_is(run: Run, store, tmp_path, monkeypatch):
    """For a one-off task of a cloud, which takes no key (docs/backups.md)."""
    key = new_key()
    (tmp_path / "key.txt").write_text(str(key))
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    run("backup")
    monkeypatch.delenv("BACKUP_RECIPIENT")
    monkeypatch.setenv("DATABASE_PATH", "opened.db")
    assert run("restore", "latest", "--identity", "key.txt").exit_code == 0
    said = run("backup").stdout.splitlines()[-1]
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "task_manager.db"))
    assert run(*said.partition("task-assist ")[2].split()).exit_code == 0
    assert stored_in(store, newest_in(store)).recipients == ()
