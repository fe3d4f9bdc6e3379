"""One command at a time on a volume, and mending what a killed one left: helpers, a restore, stopped containers."""

import getpass
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engine import HELPER, Place
from .helper import helper
from .speak import Speaker
from .stop import IN_USE, Stop

READY_WITHIN = 60
"""Seconds a container may take until its health check passes."""
STOPPED, SHA256, SOURCE, FILE, IMAGE = (
    f"task-assist.{name}" for name in ("stopped", "sha256", "source", "file", "image")
)
"""Labels of the note that a restore leaves in the engine while containers are stopped for it."""


@dataclass(frozen=True)
class Mended:
    """How a restore that had begun ended."""

    source: str
    has_new: bool
    started: list[str]
    not_ready: list[str]

    def __str__(self) -> str:
        which = f"the database of {self.source}" if self.has_new else "the old database, unchanged"
        started = f" Started again: {', '.join(self.started)}." if self.started else ""
        return f"It has {which}.{started}"


@contextmanager
def at_work(place: Place, speaker: Speaker, *, only_looking: bool = False) -> Iterator[None]:
    """Keeps other commands off the volume, and first mends what a killed one left there.

    Raises Stop while another one is at work, unless `only_looking`.
    """
    with closing(sqlite3.connect(lock_file(place.volume), timeout=0, isolation_level=None)) as lock:
        try:
            # Free again as soon as this process ends, however it ends, on every system.
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            if not only_looking:
                raise Stop(
                    f"Another command is at work on {place.volume}.", "Wait until it ends, and try again.", IN_USE
                ) from None
        else:
            mended = mend(place)
            if mended:
                speaker.say(f"A restore of {place.volume} was interrupted. {mended}")
        yield


def lock_file(volume: str) -> Path:
    """Locked by the command that is at work on the volume."""
    return Path(tempfile.gettempdir(), f"task-assist-{getpass.getuser()}-{volume}.lock")


def note(place: Place, stopping: list[Any], sha256: str, source: str) -> None:
    """Writes down in the engine, where a kill of this process can't reach it, what is about to be stopped, and why."""
    labels = {
        HELPER: place.volume,
        STOPPED: " ".join(container.id for container in stopping),
        SHA256: sha256,
        SOURCE: source,
        FILE: place.file,
        IMAGE: place.image,
    }
    place.client.volumes.create(_note_name(place), labels=labels)


def mend(place: Place) -> Mended | None:
    """Removes what is left of a command, and brings a restore that had begun to its end. None if there was none."""
    ours = {"label": f"{HELPER}={place.volume}"}
    for container in place.client.containers.list(all=True, filters=ours):
        container.remove(force=True)
    noted = None
    for volume in place.client.volumes.list(filters=ours):
        if volume.name == _note_name(place):
            noted = volume
        else:
            volume.remove(force=True)
    if not noted:
        return None
    mended = _bring_to_its_end(place, noted.attrs["Labels"])
    noted.remove(force=True)
    return mended


def _bring_to_its_end(place: Place, labels: dict[str, str]) -> Mended:
    started, not_ready = [], []
    restored = Place(place.client, place.volume, labels[FILE], labels[IMAGE])
    try:
        with helper(restored, ["settle"], volume="write") as settling:
            there = settling.run(lambda _doing, _done, _total: None)["sha256"]
    finally:
        for container in place.client.containers.list(all=True, filters={"volume": place.volume}):
            if container.id in labels[STOPPED].split():
                container.start()
                started.append(container.name)
                if not _is_ready(container):
                    not_ready.append(container.name)
    return Mended(labels[SOURCE], there == labels[SHA256], started, not_ready)


def _is_ready(container: Any) -> bool:
    """True once the container's own health check passes, asked now and not at its next turn; or it runs without one."""
    kind, *check = (container.attrs["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    command = ["sh", "-c", *check] if kind == "CMD-SHELL" else check
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        container.reload()
        if container.status not in ("running", "restarting"):
            return False
        if container.status == "running" and (kind == "NONE" or _passes(container, command)):
            return True
        time.sleep(0.3)
    return False


def _passes(container: Any, command: list[str]) -> bool:
    import docker.errors

    try:
        return container.exec_run(command).exit_code == 0
    except docker.errors.APIError:
        # It ended, or is starting anew: the next look says which.
        return False


def _note_name(place: Place) -> str:
    return f"task-assist-restore-of-{place.volume}"
