"""A database that is gone from its volume, or was copied while its app ran: nothing is lost without a word."""

import re
import shlex
from pathlib import Path

import pytest

from tests.app.processes import eventually
from tests.containers.conftest import Run, new_name
from tests.containers.running import DATABASE, WITHOUT_SIGN_IN, Container, Site, docker

pytestmark = pytest.mark.long


def filled_and_stopped(run: Run, volume: str) -> None:
    first = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    first.wait_until_ready()
    first.site.add_item("Milk")
    docker("stop", first.name)


def emptied(site: Site) -> dict[str, str]:
    """What it answers, once it answers: the same on /readyz, in the API and on the page."""
    eventually(lambda: _answers(site))
    error = site.get("/readyz").json()["error"]
    assert error["code"] == "emptied"
    assert site.get("/api/v1/work-items").json()["error"] == error
    page = site.get("/")
    assert page.status_code == 503 and f"{DATABASE} is gone" in page.text and "task-assist start-empty" in page.text
    assert site.get("/healthz").json()["status"] == "emptied"
    return error


def _answers(site: Site) -> bool:
    try:
        return site.get("/readyz").status_code == 503
    except OSError:
        return False


def command_in(error: dict[str, str]) -> list[str]:
    return shlex.split(re.split(" {2,}", error["hint"].splitlines()[-1])[1])


def removed(volume: str, image: str) -> None:
    docker("run", "--rm", "--volume", f"{volume}:/app/data", image, "rm", DATABASE)


def test_it_stands_by_and_says_why_until_the_command_is_typed_in_it(run: Run, volume: str, image: str):
    filled_and_stopped(run, volume)
    removed(volume, image)
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    error = emptied(container.site)
    assert error["message"] in container.logs().replace('\\"', '"')
    assert error["message"] in docker("exec", container.name, "task-assist", "doctor", check=False).stdout
    docker("exec", container.name, *command_in(error))
    container.wait_until_ready()
    assert container.site.item_titles() == set()


def test_the_command_can_be_typed_in_a_container_of_its_own(run: Run, volume: str, image: str):
    filled_and_stopped(run, volume)
    removed(volume, image)
    docker("run", "--rm", "--volume", f"{volume}:/app/data", image, "task-assist", "start-empty")
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    assert container.site.item_titles() == set()


def test_it_goes_on_by_itself_when_the_database_comes_back(run: Run, volume: str, image: str):
    filled_and_stopped(run, volume)
    aside = ["run", "--rm", "--volume", f"{volume}:/app/data", image, "mv"]
    docker(*aside, DATABASE, f"{DATABASE}.moved")
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    emptied(container.site)
    docker(*aside, f"{DATABASE}.moved", DATABASE)
    container.wait_until_ready()
    assert container.site.item_titles() == {"Milk"}


def test_a_file_copied_alone_from_a_running_app_is_whole_soon_after_the_last_write(
    run: Run, volume: str, image: str, tmp_path: Path
):
    first = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    first.wait_until_ready()
    for number in range(20):
        first.site.add_item(f"Item {number}")
    wal = f"test ! -s {DATABASE}-wal"
    eventually(lambda: docker("exec", first.name, "sh", "-c", wal, check=False).returncode == 0)
    docker("cp", f"{first.name}:{DATABASE}", str(tmp_path / "copy.db"))
    again = new_name()
    docker("volume", "create", again)
    try:
        put_in(again, image, tmp_path / "copy.db")
        second = run(*WITHOUT_SIGN_IN, "--volume", f"{again}:/app/data")
        second.wait_until_ready()
        assert len(second.site.item_titles()) == 20
        docker("rm", "--force", second.name)
    finally:
        docker("volume", "rm", "--force", again)


def put_in(volume: str, image: str, file: Path) -> None:
    """As a person does who copies a file into a volume."""
    name = new_name()
    docker("create", "--name", name, "--volume", f"{volume}:/app/data", image)
    docker("cp", str(file), f"{name}:{DATABASE}")
    docker("rm", name)
    docker(
        "run", "--rm", "--user", "0", "--volume", f"{volume}:/app/data", image, "chown", "-R", "1000:1000", "/app/data"
    )


def test_one_that_was_copied_too_soon_is_refused_in_the_new_volume(run: Run, volume: str, image: str, tmp_path: Path):
    """Only the first page had been written: all else was in the -wal."""
    make = f"import sqlite3; sqlite3.connect('{tmp_path}/copy.db').execute('PRAGMA journal_mode = wal')"
    docker("run", "--rm", "--user", "0", "--volume", f"{tmp_path}:{tmp_path}", image, "python", "-c", make)
    assert (tmp_path / "copy.db").stat().st_size == 4096
    put_in(volume, image, tmp_path / "copy.db")
    container: Container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    eventually(lambda: _answers(container.site))
    error = container.site.get("/readyz").json()["error"]
    assert error["code"] == "emptied" and "as if it had been copied from a running app" in error["message"]
    docker("exec", container.name, *command_in(error))
    container.wait_until_ready()
