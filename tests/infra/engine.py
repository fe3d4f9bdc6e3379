"""Drives the real `pulumi` command in a project of its own, with its state in a folder."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.infra.recording import ROOT

PASSPHRASE = "a passphrase for tests"


class Engine:
    """One stack of a project that is this repository's, by symbolic links."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], config: Mapping[str, str], stack: str = "test"
    ) -> None:
        self.project, self.state = folder / "project", folder / "state"
        self.project.mkdir()
        self.state.mkdir()
        shutil.copy(ROOT / "Pulumi.yaml", self.project)
        (self.project / "infra").symlink_to(ROOT / "infra")
        (self.project / ".venv").symlink_to(sys.prefix)
        # Where Python may not keep what it compiled, each run would compile a thousand files of the SDK anew.
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        self.environment = {
            **inherited,
            **environment,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.run("stack", "init", stack)
        self.run("config", "set-all", *(part for pair in config.items() for part in ("--plaintext", "=".join(pair))))

    def set(self, key: str, value: str) -> None:
        self.run("config", "set", "--", key, value)

    def try_(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `pulumi` and answers how it went."""
        return subprocess.run(
            ["pulumi", "--non-interactive", "--color=never", *arguments],
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, *arguments: str) -> str:
        done = self.try_(*arguments)
        assert done.returncode == 0, f"pulumi {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self, *arguments: str) -> str:
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def outputs(self) -> dict[str, Any]:
        return json.loads(self.run("stack", "output", "--json", "--show-secrets"))

    def state_text(self) -> str:
        """Everything that the state folder holds, backups included."""
        return "\n".join(path.read_text() for path in self.state.rglob("*.json*"))
