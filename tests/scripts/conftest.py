"""A copy of the scripts, a PATH with plain tools and what a test puts there, and an app that they can ask."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import create_app
from app.settings import load
from tests.scripts.asked import Asked

ROOT = Path(__file__).parents[2]
PLAIN_TOOLS = "bash sh env cat chmod cmp cp dirname grep id ls mkdir rm sed tail touch".split()


@dataclass
class Checkout:
    """A copy of the scripts in a folder of its own, and the tools that they find."""

    path: Path
    bin: Path

    def tool(self, name: str, script: str) -> None:
        """Puts a command on the PATH that notes how it was called, then runs `script` (sh)."""
        file = self.bin / name
        file.unlink(missing_ok=True)
        file.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.path}/calls"\n{script}\n')
        file.chmod(0o755)

    def calls(self) -> list[str]:
        """How the tools were called since the last look, in order."""
        log = self.path / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path,
            env={"PATH": str(self.bin), "HOME": str(self.path), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=_hear_ctrl_c,
        )


def _hear_ctrl_c() -> None:
    """A shell that runs the tests in the background lets its children ignore it, and Bash can't take that back."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "task-assist", tmp_path / "bin")
    made.bin.mkdir()
    for tool in PLAIN_TOOLS:
        real = shutil.which(tool, path=os.defpath)
        assert real, f"no {tool} here"
        (made.bin / tool).symlink_to(real)
    shutil.copytree(ROOT / "scripts", made.path / "scripts")
    shutil.copy(ROOT / "Dockerfile", made.path)
    return made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Asked]:
    made = create_app(load({"DATABASE_PATH": str(tmp_path / "task_manager.db"), "AUTH_DISABLED": "true"}))
    yield Asked(made.test_client())
    made.instance.stop()
