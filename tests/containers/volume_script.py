"""scripts/manage_db_volume.py as a person runs it, on a volume of the test's own."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.backup.copies import manifest
from app.backup.copies.snapshot import snapshot
from app.database import migrations
from app.database.engine import Database
from app.storage.mounts import storage_under
from tests.app.backup.databases import add_items, titles
from tests.containers.running import HARDENED, ROOT, docker

SCRIPT = ROOT / "scripts/manage_db_volume.py"
NOBODYS = "task-assist.helper-of=tests"
"""With this label the script does not count a container among those that use a volume."""

DIE_AT_STEP = """
import os, signal, sys
import requests
from scripts.volume.cli import main
# A shell that runs the tests in the background lets its children ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
number, what, last, real, seen = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), requests.Session.send, 0
def send(session, request, **options):
    global seen
    step = f"{request.method} {request.path_url.split('?')[0]}"
    # Looking, which is repeated until the app is ready, is no step.
    if not step.startswith("GET") and "/exec" not in step and what in step:
        seen += 1
        if seen == last:
            os.kill(os.getpid(), number)
    return real(session, request, **options)
requests.Session.send = send
sys.exit(main(sys.argv[4:]))
"""


@dataclass(frozen=True)
class Made:
    """A database as a stopped app leaves it, and its backup with the manifest."""

    database: bytes
    backup: bytes
    proof: bytes


@cache
def made(items: int, title: str, notes: int) -> Made:
    """With that many items, each with one task and notes of that many characters."""
    with tempfile.TemporaryDirectory() as folder:
        storage, file = storage_under(Path(folder, "made.db"), "shared"), Path(folder, "backup.db")
        with closing(Database(storage)) as database:
            migrations.upgrade(database)
            add_items(database, items, title)
            if notes:
                with database.write() as session:
                    session.connection().exec_driver_sql(f"UPDATE work_items SET notes = hex(zeroblob({notes // 2}))")
        snapshot(storage, file)
        return Made(storage.path.read_bytes(), file.read_bytes(), manifest.path_for(file).read_bytes())


@dataclass
class Script:
    """The script on `volume`, run in `folder`."""

    volume: str
    image: str
    folder: Path
    _hand: str = ""

    def run(self, *words: str, volume: str | None = None, image: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.run_python(str(SCRIPT), *words, volume=volume, image=image)

    def stopped_by(self, signal: int, step: tuple[str, int], *words: str) -> subprocess.CompletedProcess[str]:
        """Gets `signal` just before a step: the how manieth of its requests to the engine with a name like that."""
        what, number = step
        return self.run_python("-c", DIE_AT_STEP, str(int(signal)), what, str(number), *words)

    def run_python(
        self, *command: str, volume: str | None = None, image: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        options = ["--volume", volume or self.volume, "--image", image or self.image]
        done = subprocess.run(
            [sys.executable, *command, *options],
            cwd=self.folder,
            env={
                "PYTHONPATH": str(ROOT),
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder),
                "TASK_ASSIST_TRACEBACK": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def ask(self, *words: str, **where: str) -> dict[str, Any]:
        """What the command answers with --json; it must succeed."""
        done = self.run(*words, "--json", **where)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return json.loads(done.stdout)

    def refused(self, code: int, *words: str, **where: str) -> str:
        """What a person reads when the command ends with this exit code."""
        done = self.run(*words, **where)
        assert done.returncode == code, done.stdout + done.stderr
        assert len(done.stderr.splitlines()) in (1, 2, 3), done.stderr
        return done.stderr

    # --- the test's own hand, which does not go through the script ---

    def has_backup(self, name: str, items: int, title: str = "Item", *, notes: int = 0) -> None:
        """Puts a backup of that many items, with its manifest, into the folder."""
        file, there = self.folder / name, made(items, title, notes)
        file.write_bytes(there.backup)
        manifest.path_for(file).write_bytes(there.proof)

    def seed(self, items: int, title: str = "Item", *, notes: int = 0, file: str = "task_manager.db") -> None:
        """Puts a database with that many items into the volume, as a stopped app leaves it."""
        self.put(file, made(items, title, notes).database)

    def put(self, name: str, content: bytes, *, user: int = 1000) -> None:
        """Puts a file into the volume."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo(name)
            entry.size, entry.uid, entry.gid, entry.mode = len(content), user, user, 0o600
            archive.addfile(entry, io.BytesIO(content))
        self._copy("-", f"{self._holding()}:/app/data", input=packed.getvalue())

    def files(self) -> dict[str, tuple[str, bytes]]:
        """What is in the volume: of each name its facts and its bytes."""
        packed = self._copy(f"{self._holding()}:/app/data", "-").stdout
        found: dict[str, tuple[str, bytes]] = {}
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for entry in archive:
                reading = archive.extractfile(entry) if entry.isfile() else None
                facts = f"{entry.type!r} {entry.size} {entry.uid}:{entry.gid} {entry.mode:o} {entry.mtime}"
                found[entry.name.removeprefix("data").lstrip("/")] = (facts, reading.read() if reading else b"")
        return found

    def titles(self) -> list[str] | None:
        """The items' titles in the database of the stopped app; None without one. Fails for a damaged one."""
        there = {name: content for name, (_, content) in self.files().items() if name.startswith("task_manager.db")}
        if "task_manager.db" not in there:
            return None
        with tempfile.TemporaryDirectory() as folder:
            for name in ("task_manager.db", "task_manager.db-wal", "task_manager.db-journal"):
                if name in there:
                    Path(folder, name).write_bytes(there[name])
            return titles(Path(folder, "task_manager.db"))

    def titles_of(self, name: str) -> list[str]:
        """The items' titles in another database in the volume, which needs no log."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "copy.db").write_bytes(self.files()[name][1])
            return titles(Path(folder, "copy.db"))

    def fingerprint(self) -> dict[str, tuple[str, str]]:
        """Changes with any byte, name, owner, mode or time in the volume."""
        return {
            name: (facts, hashlib.sha256(content).hexdigest())
            for name, (facts, content) in self.files().items()
            # What readers and the one that has the lease note in there is no part of the database.
            if "-shm" not in name and ".lease" not in name and name
        }

    def fingerprint_at_rest(self) -> dict[str, tuple[str, str]]:
        """Once the app has done by itself what it does after a start and after a write, which takes it two seconds."""
        before, now = {}, self.fingerprint()
        while before != now:
            time.sleep(3)
            before, now = now, self.fingerprint()
        return now

    def inside(self, *command: str, user: str = "1000:1000") -> str:
        """Runs a command of the image with the volume at /app/data."""
        mount = ["--volume", f"{self.volume}:/app/data"]
        return docker(
            "run", "--rm", "--user", user, *(HARDENED if user != "0" else ()), *mount, self.image, *command
        ).stdout

    def leftovers(self) -> list[str]:
        """The names of what a command made in the engine for this volume, and did not take away."""
        ours = f"label=task-assist.helper-of={self.volume}"
        listed = docker("ps", "--all", "--filter", ours, "--format", "{{.Names}}").stdout
        return (listed + docker("volume", "ls", "--filter", ours, "--format", "{{.Name}}").stdout).split()

    def let_go(self) -> None:
        """From now on the volume can be removed."""
        if self._hand:
            docker("rm", self._hand)

    def _holding(self) -> str:
        """A container that is never started: Docker copies into and out of its volume. Gone with the volume."""
        if not self._hand:
            mount = ["--volume", f"{self.volume}:/app/data"]
            self._hand = docker("create", "--label", NOBODYS, *mount, self.image).stdout.strip()
        return self._hand

    def _copy(self, *from_to: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["docker", "cp", *from_to], check=True, capture_output=True, **options)
