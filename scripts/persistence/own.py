"""An app that is started for a proof alone, in a place of its own, and gone at its end; and where it is restored."""

import secrets
from contextlib import suppress
from typing import Protocol

from .engine import HARDENED, Container, docker, free_port
from .site import Site
from .stop import Stop


class Place(Protocol):
    """`name` begins all that it makes. `site` answers while its container runs."""

    name: str
    site: Site
    versions: dict[str, str]

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

    def __init__(self, place: Place, store: str, backups: str, folder: str) -> None:
        """`store`: BACKUP_URL. `backups`: the volume that holds its `folder`."""
        self.name = f"{place.name}-elsewhere"
        self.site = Site(f"http://127.0.0.1:{free_port()}")
        self._place = place
        mounts = ["--volume", f"{self.name}:/app/data", "--volume", f"{backups}:{folder}:ro"]
        settings = {"BACKUP_URL": store, "BACKUP_SCHEDULE": "off", "AUTH_DISABLED": "true"}
        self._options = [*HARDENED, *mounts, *(f"--env={name}={value}" for name, value in settings.items())]

    def restore(self, backup: str) -> None:
        """Into the empty volume, and the app is started on it."""
        image = self._place.container.facts()["Image"]
        restore = ["task-assist", "restore", backup, "--json"]
        docker("run", "--rm", "--name", f"{self.name}-restore", *self._options, image, *restore)
        port = self.site.url.rpartition(":")[2]
        publish = ["--publish", f"127.0.0.1:{port}:8000"]
        docker("run", "--detach", "--name", self.name, *publish, *self._options, image)
        self.site.wait_until_ready(Container(self.name).refuse_ended)

    def clear(self) -> None:
        docker("rm", "--force", self.name, f"{self.name}-restore", check=False)
        docker("volume", "rm", "--force", self.name, check=False)


def cleared(place: Place) -> list[str]:
    """Clears it, and gives the names of what is there all the same."""
    with suppress(Stop):  # what it could not take away is seen by its name
        place.clear()
    named = ["--filter", f"name={place.name}", "--format"]
    return [*docker("ps", "--all", *named, "{{.Names}}").split(), *docker("volume", "ls", *named, "{{.Name}}").split()]
