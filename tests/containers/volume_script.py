"""scripts/manage_db_volume.py as a person runs it, on a volume of the test's own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.containers.running import HARDENED, ROOT, docker

SCRIPT = ROOT / "scripts/manage_db_volume.py"

SEED = """
import sys
from pathlib import Path
from app import migrations
from app.db import Database
from app.fields import NewWorkItem
from app.storage import storage_under
from app.work import add_item
database = Database(storage_under(Path("/app/data", sys.argv[1])))
migrations.upgrade(database)
with database.write() as session:
    for number in range(int(sys.argv[2])):
        add_item(session, None, NewWorkItem.model_validate({"title": f"{sys.argv[3]} {number}"}))
database.close()
"""

DIE_AT_REQUEST = """
import os, sys
import requests
from scripts.volume.cli import main
signal, last, real, seen = int(sys.argv[1]), int(sys.argv[2]), requests.Session.send, 0
def send(*arguments, **options):
    global seen
    seen += 1
    if seen == last:
        os.kill(os.getpid(), signal)
    return real(*arguments, **options)
requests.Session.send = send
code = main(sys.argv[3:])
print(f"requests: {seen}", file=sys.stderr)
sys.exit(code)
"""


@dataclass
class Script:
    """The script on `volume`, run in `folder`."""

    volume: str
    image: str
    folder: Path

    def run(self, *words: str, volume: str | None = None, image: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.run_python(str(SCRIPT), *words, volume=volume, image=image)

    def killed(self, signal: int, request: int, *words: str) -> subprocess.CompletedProcess[str]:
        """Gets `signal` just before its `request`th request to the engine."""
        return self.run_python("-c", DIE_AT_REQUEST, str(int(signal)), str(request), *words)

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

    def rows(self) -> int | None:
        """How many items are in the volume's database."""
        database = self.ask("inspect")["database"]
        return database and database["database"]["rows"]["work_items"]

    def seed(self, items: int, title: str = "Item", file: str = "task_manager.db") -> None:
        """A database with that many items, as a stopped app leaves it."""
        self.inside("python", "-c", SEED, file, str(items), title)

    def inside(self, *command: str, user: str = "1000:1000") -> str:
        """Runs a command of the image with the volume at /app/data."""
        mount = ["--volume", f"{self.volume}:/app/data"]
        return docker(
            "run", "--rm", "--user", user, *(HARDENED if user != "0" else ()), *mount, self.image, *command
        ).stdout

    def fingerprint(self) -> str:
        """Changes with any byte, name, owner or time in the volume."""
        look = "find . -printf '%p %s %u %m %T@\\n' | sort; find . -name '*.db*' -exec sha256sum {} + | sort"
        listing = self.inside("sh", "-c", f"cd /app/data; {look}")
        # What readers note in there is no part of the database.
        return "\n".join(line for line in listing.splitlines() if "-shm" not in line)

    def leftovers(self) -> list[str]:
        """The names of what a command made in the engine for this volume, and did not take away."""
        ours = f"label=task-assist.helper-of={self.volume}"
        listed = docker("ps", "--all", "--filter", ours, "--format", "{{.Names}}").stdout
        return (listed + docker("volume", "ls", "--filter", ours, "--format", "{{.Name}}").stdout).split()
