"""A snapshot that the running app makes itself, where no other process can open its database (network mounts)."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .content import Content
from .engine import Place
from .helper import Helper, listen
from .speak import Advance
from .stop import IN_USE, Stop


def app_that_has_it(place: Place, found: Content) -> Any | None:
    """The running container that must be asked; None where the database can be opened beside it, or nothing runs."""
    running = [container for container in place.running_users() if container.status == "running"]
    held = found.folder["profile"] == "exclusive" or (found.problem or {}).get("code") == "in_use"
    return next((each for each in running if _writes(each)), running[0]) if held and running else None


def _writes(container: Any) -> bool:
    """False for a standby."""
    look = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"
    return container.exec_run(["python", "-c", look]).exit_code == 0


class AskedApp(Helper):
    """Makes a snapshot beside the database, in the container of the app."""

    def __init__(self, container: Any, place: Place) -> None:
        super().__init__(container, place)
        mounted = (each["Destination"] for each in container.attrs["Mounts"] if each.get("Name") == place.volume)
        self.file = f"{next(mounted)}/.{place.file}.snapshot-{secrets.token_hex(4)}"

    def run(self, advance: Advance) -> dict[str, Any]:
        api = self._container.client.api
        asked = api.exec_create(self._container.id, ["task-assist", "snapshot", "--json", self.file])
        out, errors = listen(api.exec_start(asked["Id"], stream=True, demux=True), advance)
        code = api.exec_inspect(asked["Id"])["ExitCode"]
        if b"executable file not found" in out:
            name = self._container.name
            raise Stop(
                f"{name} has the database for itself, and is too old to be asked for a copy.",
                f"Stop it for the backup:  docker stop {name}  and afterwards:  docker start {name}",
                IN_USE,
            )
        return self.answer(out, errors, code)

    def remove(self) -> None:
        self._container.exec_run(["rm", "-f", self.file, f"{self.file}.manifest.json"])


@contextmanager
def snapshot_by_app(place: Place, container: Any) -> Iterator[AskedApp]:
    """The app, which will be asked; its file is gone at the end."""
    asked = AskedApp(container, place)
    try:
        yield asked
    finally:
        asked.remove()
