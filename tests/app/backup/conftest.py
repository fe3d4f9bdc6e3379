"""Databases to back up and to put back."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.backup.copies import manifest
from app.backup.copies.snapshot import snapshot
from app.backup.stores import bucket
from app.backup.stores.store import Store, store_at
from app.cli import main
from app.database import sqlite
from app.storage.mounts import Storage
from tests.app.backup.databases import closed_database
from tests.app.backup.servers import Cut, azurite, environment_of, make_container, moto

Make = Callable[..., Storage]
Hold = Callable[[Storage], None]
Run = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(name, items): a closed database with that many items, each with one task."""

    return lambda name="task_manager.db", items=3: closed_database(tmp_path / name, items)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty one, in a folder."""
    (tmp_path / "store").mkdir()
    return store_at((tmp_path / "store").as_uri())


@pytest.fixture
def run(make: Make, store: Store, monkeypatch, tmp_path: Path, place: Path) -> Run:
    """run(*words): `task-assist` with these, beside a database of three items and with `store` as BACKUP_URL."""
    monkeypatch.setenv("DATABASE_PATH", str(make().path))
    monkeypatch.setenv("BACKUP_URL", str(store.url))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, words)


@pytest.fixture(scope="session")
def twenty_items(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("source") / "backup.db"
    snapshot(closed_database(file.with_name("source.db"), 20), file)
    return file


@pytest.fixture
def backup(twenty_items: Path, tmp_path: Path) -> Path:
    """A backup of 20 items, with its manifest, and nothing else in its folder."""
    manifest.path_for(tmp_path / "backup.db").write_bytes(manifest.path_for(twenty_items).read_bytes())
    return Path(shutil.copy(twenty_items, tmp_path))


@pytest.fixture
def hold(monkeypatch) -> Iterator[Hold]:
    """hold(storage): from now on another process has the database open, as a running app has."""
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.1)
    script = (
        "import sys; from app.database.engine import Database; from app.storage.mounts import storage_under\n"
        "from pathlib import Path\n"
        "with Database(storage_under(Path(sys.argv[1]), sys.argv[2])).read() as session:\n"
        "    session.connection().exec_driver_sql('SELECT 1 FROM users'); print('held', flush=True); input()"
    )
    holders: list[subprocess.Popen[str]] = []

    def start(storage: Storage) -> None:
        command = [sys.executable, "-c", script, str(storage.path), storage.profile]
        holders.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        stdout = holders[-1].stdout
        assert stdout
        assert stdout.readline() == "held\n"

    yield start
    for holder in holders:
        holder.communicate("\n")


@pytest.fixture(scope="session")
def amazon() -> Iterator[str]:
    with moto() as address:
        yield address


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with azurite(tmp_path_factory.mktemp("azurite")) as address:
        make_container(address)
        yield address


@pytest.fixture
def address_of(request: pytest.FixtureRequest) -> Callable[[str], str]:
    return lambda kind: request.getfixturevalue("azure" if kind == "az" else "amazon")


@pytest.fixture(params=["s3", "gs", "az"])
def cut(request: pytest.FixtureRequest, address_of, monkeypatch, tmp_path: Path) -> Iterator[tuple[Store, Cut]]:
    """A store, and the way to it, which can be broken."""
    way = Cut(address_of(request.param))
    for name, value in environment_of(request.param, way.address).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bucket, "RETRIES", {"max_retries": 0})
    yield store_at(f"{request.param}://tasks/{tmp_path.name}"), way
    way.close()
