"""The app on a disk that fills up, and on one that becomes read-only: red, with words, alive, and soon well again."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adversary.disk import Disk
from tests.app.processes import Serving, all_of, ask, eventually, signal_all, told, wait_until_ready
from tests.ports import free_port

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.getuid() != 0, reason="needs root, to mount a disk")]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk.img", tmp_path / "disk")
    yield disk
    disk.unmount()


@pytest.fixture
def sockets(monkeypatch) -> Iterator[None]:
    """A short path: a Unix socket's has 108 bytes at most (unix(7))."""
    with tempfile.TemporaryDirectory(prefix="ta-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield


@pytest.fixture
def serving(disk: Disk, tmp_path: Path, sockets: None):
    """Starts the app on the disk; its log is beside the disk, not on it."""
    started: list[Serving] = []

    def start() -> tuple[Serving, int]:
        port = free_port()
        started.append(Serving(tmp_path, port, DATABASE_PATH=str(disk.folder / "a.db")))
        return started[-1], port

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


def write_until_full(port: int) -> int:
    """How many were acknowledged before the first refusal, which is 507."""
    for count in range(10_000):
        status = ask(port, "POST", "/api/v1/work-items", {"title": "x", "notes": "x" * 15_000}).status
        if status != 201:
            assert status == 507
            return count
    raise AssertionError("it never filled up")


@pytest.mark.long
def test_a_full_disk_is_red_until_there_is_room_and_reading_goes_on_over_a_kill(disk: Disk, serving):
    process, port = serving()
    wait_until_ready(port, process)
    disk.fill()
    acknowledged = write_until_full(port)
    status, said = told(port, "/readyz")
    assert (status, said["error"]["code"]) == (503, "storage_full")
    assert f"df -h {disk.folder}" in said["error"]["hint"]
    status, said = told(port, "/healthz")
    assert (status, said["status"]) == (200, "storage_full")
    assert "no room left" in process.said
    eventually(lambda: "no room left" in doctor(disk).get("condition", {}).get("text", ""))
    assert doctor(disk)["condition"]["level"] == "fault"
    kill(process)
    process, port = serving()
    eventually(lambda: answers(port))
    status, said = told(port, "/api/v1/work-items")
    assert (status, said["total"]) == (200, acknowledged)
    assert ask(port, "POST", "/api/v1/work-items", {"title": "no"}).status == 507
    assert told(port, "/readyz")[0] == 503
    disk.free()
    eventually(lambda: told(port, "/readyz")[0] == 200)
    assert ask(port, "POST", "/api/v1/work-items", {"title": "again"}).status == 201


@pytest.mark.long
def test_a_start_that_finds_no_inode_is_red_with_words_and_soon_well_again(disk: Disk, serving):
    """SQLite can't make its -wal: "unable to open database file", which it says of much else as well."""
    process, port = serving()
    wait_until_ready(port, process)
    process.terminate()
    process.wait(30)
    disk.take_inodes()
    process, port = serving()
    eventually(lambda: answers(port))
    status, said = told(port, "/readyz")
    assert (status, said["error"]["code"]) == (503, "storage_full")
    assert f"df -i {disk.folder}" in said["error"]["hint"]
    found = doctor(disk)
    assert "every inode is used" in found["free space"]["text"]
    assert "no room left" in found["inside"]["text"]
    disk.free()
    eventually(lambda: told(port, "/readyz")[0] == 200)
    assert "Traceback" not in process.said


@pytest.mark.long
def test_a_file_system_that_became_read_only_is_red_and_the_app_goes_on_reading(disk: Disk, serving):
    process, port = serving()
    wait_until_ready(port, process)
    assert ask(port, "POST", "/api/v1/work-items", {"title": "milk"}).status == 201
    disk.turn_read_only()
    assert ask(port, "POST", "/api/v1/work-items", {"title": "lost"}).status == 503
    status, said = told(port, "/readyz")
    assert (status, said["error"]["code"]) == (503, "read_only")
    assert "has become read-only" in said["error"]["message"]
    assert "dmesg" in said["error"]["hint"] and "fsck /dev/loop" in said["error"]["hint"]
    assert told(port, "/api/v1/work-items")[1]["total"] == 1
    assert len(all_of(process)) == 2 and process.poll() is None
    finding = doctor(disk)["mount"]
    assert finding["level"] == "fault" and "fsck /dev/loop" in finding["fix"]
    kill(process)
    process, port = serving()  # it stands by, and does not end to be started again and again
    eventually(lambda: answers(port))
    status, said = told(port, "/readyz")
    assert (status, said["error"]["code"]) == (503, "read_only")
    assert process.poll() is None


def test_one_that_nobody_writes_to_is_red_as_well(disk: Disk, serving):
    process, port = serving()
    wait_until_ready(port, process)
    disk.turn_read_only()
    eventually(lambda: told(port, "/readyz")[0] == 503)


def kill(process: Serving) -> None:
    signal_all(process, signal.SIGKILL)
    process.wait()


def answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/healthz").status == 200
    except OSError:
        return False


def doctor(disk: Disk) -> dict[str, dict]:
    said = subprocess.run(
        [sys.executable, "-m", "app", "doctor", "--json"],
        env={**os.environ, "DATABASE_PATH": str(disk.folder / "a.db")},
        capture_output=True,
        text=True,
    )
    return {each["name"]: each for each in json.loads(said.stdout)["findings"]}
