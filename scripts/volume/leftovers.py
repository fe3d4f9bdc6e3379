"""One command at a time on a volume, and mending what a killed one left: helpers, a restore, stopped containers."""

import getpass
import hashlib
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engine import HELPER, Place
from .helper import LOOKING, helper
from .speak import Speaker, unseen
from .stop import IN_USE, Stop

READY_WITHIN = 60
"""Seconds a container may take until its health check passes."""
STOPPED, SINCE, SHA256, SOURCE, FILE, IMAGE, HAS_NEW = (
    f"task-assist.{name}" for name in ("stopped", "since", "sha256", "source", "file", "image", "has-new")
)
"""Labels of the notes that a restore leaves in the engine while containers are stopped for it."""


@dataclass(frozen=True)
class Mended:
    """How a restore that had begun ended. `has_new` is None where the app was started by hand before it was known."""

    source: str
    has_new: bool | None
    started: list[str]
    not_ready: list[str]

    def __str__(self) -> str:
        new, old = f"the database of {self.source}", "the old database, unchanged"
        either = f"{new} or the old one; a container was started before this could tell"
        which = {True: new, False: old, None: either}[self.has_new]
        started = f" Started again: {', '.join(self.started)}." if self.started else ""
        return f"It has {which}.{started}"


@contextmanager
def at_work(place: Place, speaker: Speaker, *, only_looking: bool = False) -> Iterator[None]:
    """Keeps other commands off the volume, and first mends what a killed one left there.

    Raises Stop while another one is at work, unless `only_looking`.
    """
    with _lock(lock_file(place.volume)) as alone:
        if alone and (mended := mend(place)):
            speaker.say(f"A restore of {place.volume} was interrupted. {mended}")
        if not alone and not only_looking:
            raise Stop(f"Another command is at work on {place.volume}.", "Wait until it ends, and try again.", IN_USE)
        yield


@contextmanager
def alone_at(path: Path) -> Iterator[None]:
    """Keeps other backups, of other volumes too, off the file and its manifest. Raises Stop while one is at work."""
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    with _lock(lock_file(name)) as alone:
        if not alone:
            raise Stop(f"Another backup is being written to {path}.", "Wait until it ends, and try again.", IN_USE)
        yield


@contextmanager
def _lock(file: Path) -> Iterator[bool]:
    """False where another process has it. Free again as soon as its process ends, however it ends, on every system."""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            yield False
        else:
            yield True


def lock_file(volume: str) -> Path:
    """Locked by the command that is at work on the volume, or on the file of a backup."""
    return Path(tempfile.gettempdir(), f"task-assist-{getpass.getuser()}-{volume}.lock")


def note(place: Place, stopping: list[Any], sha256: str, source: str) -> None:
    """Writes down in the engine, where a kill of this process can't reach it, what is about to be stopped, and why."""
    labels = {
        HELPER: place.volume,
        STOPPED: " ".join(container.id for container in stopping),
        SINCE: " ".join(_since(container) for container in stopping),
        SHA256: sha256,
        SOURCE: source,
        FILE: place.file,
        IMAGE: place.image,
    }
    place.client.volumes.create(_note_name(place), labels=labels)


def mend(place: Place) -> Mended | None:
    """Removes what is left of a command, and brings a restore that had begun to its end. None if there was none."""
    import docker.errors

    ours = {"label": f"{HELPER}={place.volume}"}
    for container in place.client.containers.list(all=True, ignore_removed=True, filters=ours):
        # Who only looks does not wait for this command, nor need this one stop it: it ends within seconds.
        if container.status != "running" or LOOKING not in container.attrs["Config"]["Cmd"]:
            container.remove(force=True)
    notes = {}
    for volume in place.client.volumes.list(filters=ours):
        if volume.name in (_note_name(place), _outcome_name(place)):
            notes[volume.name] = volume.attrs["Labels"]
        else:
            volume.remove(force=True)
    begun, outcome = notes.get(_note_name(place)), notes.get(_outcome_name(place))
    mended = _bring_to_its_end(place, begun, outcome) if begun else None
    if notes:
        # In this order: an outcome alone means nothing.
        for name in (_note_name(place), _outcome_name(place)):
            with suppress(docker.errors.NotFound):
                place.client.api.remove_volume(name)
    return mended


def _bring_to_its_end(place: Place, begun: dict[str, str], outcome: dict[str, str] | None) -> Mended:
    started, not_ready = [], []
    try:
        has_new = _has_new(place, begun, outcome)
    finally:
        for container in place.client.containers.list(all=True, ignore_removed=True, filters={"volume": place.volume}):
            if container.id in begun[STOPPED].split():
                container.start()
                started.append(container.name)
                if not _is_ready(container):
                    not_ready.append(container.name)
    return Mended(begun[SOURCE], has_new, started, not_ready)


def _has_new(place: Place, begun: dict[str, str], outcome: dict[str, str] | None) -> bool | None:
    """Takes away what lies half done beside the database, and notes which one is there.

    Noted before the app starts: it changes the file, and from then on the file does not tell any more.
    """
    if outcome:
        return {"True": True, "False": False}.get(outcome[HAS_NEW])
    restored = Place(place.client, place.volume, begun[FILE], begun[IMAGE])
    by_hand = any(_since(container) not in begun[SINCE] for container in place.running_users())
    with helper(restored, ["settle"], volume="write") as settling:
        there = settling.run(unseen)["sha256"]
    has_new = None if by_hand else there == begun[SHA256]
    place.client.volumes.create(_outcome_name(place), labels={HELPER: place.volume, HAS_NEW: str(has_new)})
    return has_new


def _since(container: Any) -> str:
    """When it was last started."""
    return container.attrs["State"]["StartedAt"]


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


def _outcome_name(place: Place) -> str:
    return f"task-assist-outcome-of-{place.volume}"
