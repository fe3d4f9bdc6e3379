"""An app that is started for a proof alone, in a place of its own, and gone at its end; and where it is restored."""

import secrets
from contextlib import suppress
from typing import Protocol

from .engine import HARDENED, Container, answer, docker, free_port
from .site import Site
from .stop import Failed, Stop
from .store_of import StoreOf

LABEL = "task-assist.proof"
"""On every image that is built for a proof, with the proof's name."""


class Place(Protocol):
    """`name` begins all that it makes. `site` answers while its container runs.

    `builds`: whether each deployment builds its image. `left_out`: settings and services of the person's that the proof
    does without.
    """

    name: str
    site: Site
    versions: dict[str, str]
    builds: bool
    left_out: list[str]

    def deploy(self) -> None:
        """A new image, where it has a build, and a new container; the volumes stay."""
        ...

    @property
    def container(self) -> Container: ...

    def clear(self) -> None:
        """Takes away all that it made."""
        ...


def new_name() -> str:
    return f"task-assist-proof-{secrets.token_hex(4)}"


def kill(place: Place) -> None:
    """As a power cut or the kernel ends it, and started again."""
    docker("kill", "--signal", "KILL", place.container.name)
    docker("start", place.container.name)


class Elsewhere:
    """Another container, with an empty volume for the data and the backups to read: what is left after a fire."""

    def __init__(self, place: Place, store: StoreOf) -> None:
        self.name = f"{place.name}-elsewhere"
        self.site = Site(f"http://127.0.0.1:{free_port()}")
        self._place = place
        mounts = ["--volume", f"{self.name}:/app/data", "--volume", f"{store.volume}:{store.target}:ro"]
        settings = {"BACKUP_URL": store.url, "BACKUP_SCHEDULE": "off", "AUTH_DISABLED": "true"}
        self._options = [*HARDENED, *mounts, *(f"--env={name}={value}" for name, value in settings.items())]

    def restore(self, backup: str) -> None:
        """Into the empty volume, and the app is started on it. Raises Failed where it can't be restored."""
        image = self._place.container.facts()["Image"]
        run = ["docker", "run", "--rm", "--name", f"{self.name}-restore", *self._options, image, "task-assist"]
        try:
            answer(run, "restore", backup)
        except Stop as stop:
            raise Failed("no_restore", f"The backup can't be restored: {stop.message}", stop.hint) from None
        port = self.site.url.rpartition(":")[2]
        publish = ["--publish", f"127.0.0.1:{port}:8000"]
        docker("run", "--detach", "--name", self.name, *publish, *self._options, image)
        self.site.wait_until_ready(Container(self.name).refuse_ended)

    def clear(self) -> None:
        docker("rm", "--force", "--volumes", self.name, f"{self.name}-restore", check=False)
        docker("volume", "rm", "--force", self.name, check=False)


def cleared(place: Place) -> list[str]:
    """Clears it, and gives the names of what is there all the same. Raises nothing, which would cover how it ended."""
    with suppress(Stop):  # what it could not take away is seen by its name
        place.clear()
        remove_images(place)
    named = ["--filter", f"name={place.name}", "--format"]
    try:
        return [
            *docker("ps", "--all", *named, "{{.Names}}").split(),
            *docker("volume", "ls", *named, "{{.Name}}").split(),
            *_images(place),
        ]
    except Stop:  # the engine is gone
        return [f"whatever is called {place.name}"]


def remove_images(place: Place) -> None:
    """Also those that a later build has taken the name from."""
    if images := _images(place):
        docker("rmi", "--force", *images, check=False)


def _images(place: Place) -> list[str]:
    found = docker("image", "ls", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={place.name}")
    return list(dict.fromkeys(found.split()))
