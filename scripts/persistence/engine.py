"""The `docker` command, and what it says of a container."""

import json
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import Any

from .stop import Failed, NotTried

BUILT_WITHIN = 1800
"""Seconds for one docker command: the longest is a first build with its downloads."""
DATA = "/app/data"
HARDENED = "--read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp".split()
SHOWN = 6
"""Lines of a log, in a message."""


def docker(*words: str, given: str | None = None, check: bool = True) -> str:
    """What the command prints. Raises NotTried where it fails.

    In a session of its own: a Ctrl-C is for the proof, which then clears up with this.
    """
    try:
        done = subprocess.run(
            ["docker", *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILT_WITHIN,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise NotTried("docker", f"docker {words[0]} took more than {BUILT_WITHIN} s.") from None
    if check and done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-SHOWN:])
        raise NotTried("docker", f"docker {' '.join(words[:2])} failed with {done.returncode}: {said}")
    return done.stdout


def need_engine(*, compose: bool = False) -> dict[str, str]:
    """Its versions. Raises NotTried where none answers."""
    if not shutil.which("docker"):
        raise NotTried("no_docker", "There is no docker command here.", "Install Docker, or name a URL to be proven.")
    versions = {"docker": docker("version", "--format", "{{.Server.Version}}").strip()}
    if compose:
        versions["compose"] = docker("compose", "version", "--short").strip()
    return versions


def free_port() -> int:
    """Of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Mount:
    """One of a container's. `kind`: volume, bind or tmpfs. `source`: the volume's name or the host's folder."""

    kind: str
    source: str
    target: str

    def holds(self, path: str) -> bool:
        return path == self.target or path.startswith(self.target.rstrip("/") + "/")


class Container:
    def __init__(self, name: str) -> None:
        self.name = name

    def facts(self) -> dict[str, Any]:
        """As `docker inspect` tells them."""
        return json.loads(docker("inspect", "--type", "container", self.name))[0]

    def setting(self, name: str) -> str:
        """An environment variable of it; empty without one."""
        pairs = (pair.partition("=") for pair in self.facts()["Config"]["Env"])
        return next((value for key, _, value in pairs if key == name), "")

    @property
    def database(self) -> str:
        """Where the app is told to keep it."""
        return self.setting("DATABASE_PATH") or f"{DATA}/task_manager.db"

    @property
    def store(self) -> str:
        """Where its backups go: BACKUP_URL."""
        return self.setting("BACKUP_URL")

    def mounts(self) -> list[Mount]:
        facts = self.facts()
        found = [
            Mount(each["Type"], each.get("Name") or each["Source"], each["Destination"]) for each in facts["Mounts"]
        ]
        return found + [Mount("tmpfs", "", target) for target in facts["HostConfig"].get("Tmpfs") or {}]

    def mount_of(self, path: str) -> Mount | None:
        """The one that holds `path`: the longest target above it."""
        holding = [mount for mount in self.mounts() if mount.holds(path)]
        return max(holding, key=lambda mount: len(mount.target), default=None)

    def refuse_ended(self) -> None:
        """Raises Failed with its last words where it does not run, or ran and was started again by the engine."""
        facts = self.facts()
        state = facts["State"]
        if state["Running"] and not state["Restarting"] and not facts["RestartCount"]:
            return
        raise Failed(
            "not_started",
            f"The app did not start (exit code {state['ExitCode']}): {self.last_words()}",
            "Mend what it says, and try again.",
        )

    def last_words(self) -> str:
        done = subprocess.run(
            ["docker", "logs", "--tail", "40", self.name],
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        return "\n".join(lines[-SHOWN:]) or "it said nothing"

    def task_assist(self, *words: str) -> dict[str, Any]:
        """What the verb answers with --json, typed in it."""
        return answer(["docker", "exec", self.name, "task-assist"], *words)


def answer(shell: list[str], *words: str) -> dict[str, Any]:
    """What a verb of task-assist answers with --json, where `shell` types it. Raises Failed with what it refused."""
    done = subprocess.run(
        [*shell, *words, "--json"], capture_output=True, text=True, check=False, start_new_session=True
    )
    try:
        said = json.loads(done.stdout)
    except ValueError:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-SHOWN:]) or "it said nothing"
        # Without `shell`, which is the operator's own line and may hold a key.
        raise NotTried("no_answer", f"task-assist {' '.join(words)} ended with {done.returncode}: {last}") from None
    if "error" in said:
        raise Failed(said["error"]["code"], said["error"]["message"], said["error"]["hint"])
    return said
