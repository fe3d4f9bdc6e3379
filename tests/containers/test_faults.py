"""Killed, stopped, out of disk: every write that was acknowledged is there, and nothing is damaged."""

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.containers.conftest import Run
from tests.containers.running import DATABASE, WITHOUT_SIGN_IN, Site, docker

KILLS, WRITERS = 20, 3

HOLD_THE_WRITE_LOCK = f"""
try:
    import pysqlite3 as sqlite3
except ImportError:
    import sqlite3
other = sqlite3.connect("{DATABASE}", isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("held", flush=True)
input()
other.execute("ROLLBACK")
"""


def write_until_killed(port: int, name: str, acknowledged: set[str]) -> None:
    """Adds work items one after the other, and notes each that the app said it has."""
    site = Site(port)
    for number in range(100_000):
        title = f"{name}-{number}"
        try:
            answer = site.post("/api/v1/work-items", json={"title": title})
        except requests.RequestException:
            return
        if answer.status_code == 503:  # its parent was killed a moment before it was itself, and it said so
            assert answer.json()["error"]["code"] == "ending", answer.text
            return
        assert answer.status_code == 201, answer.text
        acknowledged.add(title)


@pytest.mark.long
def test_killed_in_the_middle_of_writes_it_keeps_every_acknowledged_one(run: Run, volume: str):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    acknowledged: set[str] = set()
    moments = random.Random(7)
    for kill in range(KILLS):
        before = len(acknowledged)
        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [
                pool.submit(write_until_killed, container.site.port, f"{kill}-{writer}", acknowledged)
                for writer in range(WRITERS)
            ]
            enough = before + moments.randint(1, 60)
            while len(acknowledged) < enough and not all(writer.done() for writer in writers):
                time.sleep(0.001)
            docker("kill", "--signal", "KILL", container.name)
            for writer in writers:
                writer.result()
        assert len(acknowledged) >= enough
        docker("start", container.name)
        container.wait_until_ready()
        assert container.integrity() == "ok"
        assert acknowledged - container.site.item_titles() == set()


def test_a_running_request_ends_before_the_container_does(run: Run, volume: str):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    holder = subprocess.Popen(
        ["docker", "exec", "--interactive", container.name, "python", "-c", HOLD_THE_WRITE_LOCK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder, ThreadPoolExecutor(2) as pool:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == "held\n"
        request = pool.submit(container.site.add_item, "Asked for before the stop")
        time.sleep(0.5)
        stop = pool.submit(docker, "stop", "--time", "15", container.name)
        time.sleep(0.5)
        assert not request.done()
        assert not stop.done()
        holder.stdin.write("\n")
        holder.stdin.flush()
        request.result()
        stop.result()
    assert container.state("ExitCode") == "0"

    docker("start", container.name)
    container.wait_until_ready()
    assert container.site.item_titles() == {"Asked for before the stop"}


def test_a_stop_closes_the_database(run: Run, volume: str, image: str):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    container.site.add_item("Folded into the one file")
    docker("stop", container.name)
    assert container.state("ExitCode") == "0"
    left = docker("run", "--rm", "--volumes-from", container.name, image, "ls", "/app/data").stdout
    assert sorted(left.split()) == ["task_manager.db", "task_manager.db.lease", "task_manager.secret"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 file system of 8 MB, owned by the image's user, with 2 MB of it taken by a file named filler."""
    if not shutil.which("mkfs.ext4"):
        pytest.skip("no mkfs.ext4 here")
    disk, folder = tmp_path / "disk.img", tmp_path / "data"
    folder.mkdir()
    with disk.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-E", "root_owner=1000:1000", disk], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", disk, folder], check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this user can't mount a loop device: {mounted.stderr.strip()}")
    (folder / "filler").write_bytes(b"\0" * (2 << 20))
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(site: Site) -> tuple[set[str], requests.Response]:
    """Adds large items until one is refused: the titles of those that were acknowledged, and the refusal."""
    titles: set[str] = set()
    for number in range(2000):
        title = f"Large {number}"
        answer = site.post("/api/v1/work-items", json={"title": title, "notes": "n" * 15_000})
        if answer.status_code != 201:
            return titles, answer
        titles.add(title)
    raise AssertionError("2000 large items fit on 8 MB")


def test_a_full_disk_is_said_and_damages_nothing(small_disk: Path, run: Run):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{small_disk}:/app/data")
    container.wait_until_ready()
    kept, refusal = fill(container.site)
    assert kept
    assert refusal.status_code == 507
    assert refusal.json()["error"]["code"] == "storage_full"
    page = container.site.post("/work-items", data={"title": "One more", "notes": "n" * 15_000})
    assert page.status_code == 507
    assert "text/html" in page.headers["Content-Type"]
    assert "No room left" in page.text
    assert container.site.get("/").status_code == 200
    assert container.integrity() == "ok"

    (small_disk / "filler").unlink()
    container.site.add_item("There is room again")
    assert container.site.item_titles() == kept | {"There is room again"}
    docker("restart", container.name)
    container.wait_until_ready()
    assert container.integrity() == "ok"
    assert container.site.item_titles() == kept | {"There is room again"}
