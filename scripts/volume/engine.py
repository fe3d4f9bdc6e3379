"""The Docker engine: reaching it, its volumes, and the containers that use one."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .stop import CANT_WRITE, FAILED, NO_ENGINE, NOT_THERE, Stop

ANSWERS_WITHIN = 20
"""Seconds for the engine's first answer. After it there is no limit: a large database takes its time."""
LABEL = "task-assist.volume"
"""On volumes that `create` made."""
DEFAULTS = {"volume": "task-manager-db", "file": "task_manager.db", "image": "task-assist"}
HELPER = "task-assist.helper-of"
"""On the containers and volumes of a running command; its value is the volume that is looked after."""


@dataclass(frozen=True)
class Place:
    """What a command looks after: the database `file` in `volume`, with the verbs of `image`."""

    client: Any
    volume: str
    file: str
    image: str

    def attributes(self) -> dict[str, Any]:
        """The volume as Docker describes it. Raises Stop with the names there are, if it isn't one."""
        import docker.errors

        try:
            return self.client.volumes.get(self.volume).attrs
        except docker.errors.NotFound:
            names = sorted(volume.name for volume in self.client.volumes.list() if not is_helper(volume.attrs))
            there = ", ".join(names[:20]) or "none"
            raise Stop(
                f"There is no volume {self.volume}. The volumes here: {there}.",
                f"Name another with --volume, or make it:  {command('create', place=self)}",
                NOT_THERE,
            ) from None

    def users(self) -> list[Any]:
        """The containers, also stopped ones, that have the volume mounted; not those of this script."""
        found = self.client.containers.list(all=True, ignore_removed=True, filters={"volume": self.volume})
        # Docker's filter also takes a part of a path for the name.
        return sorted(
            (each for each in found if self._mounts(each) and HELPER not in each.labels), key=lambda each: each.name
        )

    def running_users(self) -> list[Any]:
        return [each for each in self.users() if each.status in ("running", "paused", "restarting")]

    def _mounts(self, container: Any) -> bool:
        return any(mount.get("Name") == self.volume for mount in container.attrs["Mounts"])


def is_helper(attributes: dict[str, Any]) -> bool:
    return HELPER in (attributes.get("Labels") or {})


def command(*words: str | Path, place: Place | None = None) -> str:
    """A command of this script as it can be pasted."""
    import shlex

    said = ["python", "scripts/manage_db_volume.py", *map(str, words)]
    if place:
        for option, default in DEFAULTS.items():
            if getattr(place, option) != default:
                said += [f"--{option}", getattr(place, option)]
    return shlex.join(said)


def connect() -> Any:
    """The engine that the docker command would use too. Raises Stop if none answers."""
    try:
        import docker
        import docker.errors
    except ImportError:
        raise Stop(
            "The Docker SDK for Python is not installed here.",
            "Install it into .venv, where this script finds it:  scripts/install",
            NO_ENGINE,
        ) from None
    try:
        client = docker.from_env(timeout=ANSWERS_WITHIN)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise _no_engine(str(error)) from error
    client.api.timeout = None  # pyright: ignore[reportAttributeAccessIssue]
    return client


def _no_engine(said: str) -> Stop:
    if "Permission denied" in said or "PermissionError" in said:
        return Stop(
            "This user may not use the Docker engine's socket.",
            "Let it:  sudo usermod -aG docker $USER  and sign in again. Or put sudo in front of the command.",
            NO_ENGINE,
        )
    if (host := os.environ.get("DOCKER_HOST", "")).startswith("ssh://"):
        return Stop(
            f"DOCKER_HOST={host} is not an address that this script can use.",
            f"Open a tunnel to it:  ssh -N -L /tmp/docker.sock:/var/run/docker.sock {host}\n"
            "and, in another terminal, put  DOCKER_HOST=unix:///tmp/docker.sock  in front of the command.",
            NO_ENGINE,
        )
    unreachable = "Connection aborted" in said or "Max retries exceeded" in said
    where = os.environ.get("DOCKER_HOST") or "the address that  docker context inspect  shows"
    return Stop(
        f"No Docker engine answers at {where}." if unreachable else f"No Docker engine answers ({said.rstrip('.')}).",
        "Start it (Docker Desktop, or:  sudo systemctl start docker ) and try again. To see more:  docker version",
        NO_ENGINE,
    )


@contextmanager
def told_in_words() -> Iterator[None]:
    """What the engine or the disk refuses comes out as a Stop."""
    import docker.errors
    import requests

    try:
        yield
    except docker.errors.APIError as error:
        said = str(error.explanation or error)
        if "no space left" in said:
            raise Stop(
                f"The Docker engine has no room left: {said}.", "To see what takes it:  docker system df", CANT_WRITE
            ) from error
        raise Stop(f"The Docker engine refused: {said}.", "", FAILED) from error
    except requests.RequestException as error:
        raise Stop(f"The Docker engine went away: {error}.", "To see if it runs:  docker version", NO_ENGINE) from error
    except OSError as error:
        name = error.filename or "what is printed"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Stop(
                f"There is no room left for {name}.", "Free some space, or choose another place.", CANT_WRITE
            ) from error
        raise Stop(f"Can't use {name}: {error.strerror or error}.", "", CANT_WRITE) from error
