"""One `task-assist` verb in a container of its own: no network, no rights, only the volumes it needs."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

from .engine import HELPER, Place
from .speak import Advance
from .stop import CANT_WRITE, FAILED, IN_USE, NOT_THERE, REFUSED, Stop
from .tar import APP_USER, archive, write_from_archive

DATA = "/app/data"
SCRATCH = "/scratch"
FOLDER = "work"
BACKUP = f"{SCRATCH}/{FOLDER}/backup.db"
"""Where a file is on its way in or out."""
WRONG_FILES = {"manifest_mismatch", "not_sqlite", "other_app", "newer_revision", "damaged"}
EXIT_CODE = {"in_use": IN_USE, "storage_full": CANT_WRITE, "cannot_start": CANT_WRITE, "unreadable": NOT_THERE}
NO_COMMAND, UNPROVEN = 2, 3
"""Exit codes of task-assist."""


class Helper:
    def __init__(self, container: Any, place: Place) -> None:
        self._container = container
        self._place = place

    def put(self, files: dict[str, Path], advance: Advance) -> None:
        """Streams files into the scratch volume's folder, under their new names."""
        self._container.put_archive(SCRATCH, archive(FOLDER, files, advance))

    def run(self, advance: Advance) -> dict[str, Any]:
        """What the verb answers. Raises Stop for what it refuses."""
        out, errors = b"", b""
        stream = self._container.attach(stream=True, demux=True, logs=True)
        self._start()
        for stdout, stderr in stream:
            out += stdout or b""
            *lines, rest = (errors + (stderr or b"")).split(b"\n")
            errors = b"\n".join([*(line for line in lines if not _shown(line, advance)), rest])
        code = self._container.wait()["StatusCode"]
        try:
            answer = json.loads(out)
        except ValueError:
            raise self._no_answer(code, errors.decode(errors="replace")) from None
        if "error" in answer:
            raise self._refused(answer["error"])
        if code not in (0, UNPROVEN):
            raise self._no_answer(code, errors.decode(errors="replace"))
        return answer

    def get(self, path: str, to: BinaryIO, advance: Advance) -> str:
        """Streams a file of the container's volumes to `to`; gives its sha256."""
        pieces, _ = self._container.get_archive(path)
        return write_from_archive(pieces, to, advance)

    def _start(self) -> None:
        import docker.errors

        try:
            self._container.start()
        except docker.errors.APIError as error:
            if "executable file not found" not in str(error.explanation):
                raise
            raise Stop(
                f"The image {self._place.image} is not Task Assist: it has no task-assist command.",
                "Name the app's image with --image.",
                NOT_THERE,
            ) from None

    def _no_answer(self, code: int, said: str) -> Stop:
        if code == NO_COMMAND and "No such command" in said:
            return Stop(
                f"The image {self._place.image} is older than this script.",
                "Build it anew:  docker compose build",
                NOT_THERE,
            )
        why = "it ran out of memory or was killed" if code == 137 else said.strip()[-2000:]
        return Stop(f"task-assist in the image {self._place.image} failed with exit code {code}: {why}", "", FAILED)

    def _refused(self, error: dict[str, str]) -> Stop:
        place = f"{self._place.file} in the volume {self._place.volume}"
        message, hint = (error[part].replace(f"{DATA}/{self._place.file}", place) for part in ("message", "hint"))
        code = REFUSED if error["code"] in WRONG_FILES else EXIT_CODE.get(error["code"], FAILED)
        return Stop(message, hint, code)


def _shown(line: bytes, advance: Advance) -> bool:
    """True if the line was progress, and not a message."""
    try:
        said = json.loads(line)
    except ValueError:
        return False
    advance(said["doing"], said["done"], said["total"])
    return True


@contextmanager
def helper(
    place: Place, verb: list[str], *, volume: Literal["read", "write"] | None = "read", scratch: str | None = None
) -> Iterator[Helper]:
    """A container that will run `verb`, gone at the end."""
    mounts = {DATA: (place.volume, volume == "read")} if volume else {}
    if scratch:
        mounts[SCRATCH] = (scratch, False)
    with container_of(place, verb, mounts) as container:
        yield Helper(container, place)


@contextmanager
def container_of(place: Place, verb: list[str], mounts: dict[str, tuple[str, bool]]) -> Iterator[Any]:
    """`mounts` maps a path to a volume's name and whether it is mounted read-only."""
    from docker.types import Mount

    need_image(place)
    container = place.client.containers.create(
        place.image,
        ["task-assist", *verb],
        entrypoint=[],
        user=f"{APP_USER}:{APP_USER}",
        environment={"DATABASE_PATH": f"{DATA}/{place.file}"},
        labels={HELPER: place.volume},
        # An empty volume that is only read must not be filled with what the image has in its place.
        mounts=[
            Mount(path, name, type="volume", read_only=read_only, no_copy=read_only)
            for path, (name, read_only) in mounts.items()
        ],
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": ""},  # noqa: S108
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        healthcheck={"test": ["NONE"]},
    )
    try:
        yield container
    finally:
        container.remove(force=True)


@contextmanager
def scratch_volume(place: Place) -> Iterator[str]:
    """A volume for files on their way in or out, so that nothing unchecked is written into the real one."""
    import docker.errors

    made = place.client.volumes.create(f"task-assist-scratch-{secrets.token_hex(4)}", labels={HELPER: place.volume})
    try:
        yield made.name
    finally:
        # Gone already where `mend` has cleared up.
        with suppress(docker.errors.NotFound):
            made.remove(force=True)


def need_image(place: Place) -> None:
    """Raises Stop where the image is not on this engine."""
    import docker.errors

    try:
        place.client.images.get(place.image)
    except docker.errors.ImageNotFound:
        raise Stop(
            f"There is no image {place.image} here, and its task-assist command is what reads the database.",
            "Build it:  docker compose build  Or name another with --image.",
            NOT_THERE,
        ) from None


def facts(place: Place) -> dict[str, Any]:
    """What is in the volume; see `task-assist facts`. Writes nothing."""
    with helper(place, ["facts", DATA]) as reading:
        return reading.run(lambda _doing, _done, _total: None)["folders"][DATA]
