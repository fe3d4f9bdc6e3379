"""One `task-assist` verb in a container of its own: no network, no rights, only the volumes it needs."""

import json
import secrets
from collections.abc import Iterable, Iterator
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
LOOKING = "facts"
"""The verb that only looks."""
WRONG_FILES = {"manifest_mismatch", "not_sqlite", "other_app", "newer_revision", "damaged", "strange_log"}
EXIT_CODE = {
    "in_use": IN_USE,
    "storage_full": CANT_WRITE,
    "cannot_start": CANT_WRITE,
    "unreadable": NOT_THERE,
    "not_found": NOT_THERE,
}
LOST_BEFORE_IT_BEGAN = "read init-p"
"""Of some thousand starts on a busy machine, runc loses one before anything of it has run."""
NO_COMMAND, UNPROVEN = 2, 3
"""Exit codes of task-assist."""


class Helper:
    file = BACKUP

    def __init__(self, container: Any, place: Place) -> None:
        self._container = container
        self._place = place

    def put(self, files: dict[str, Path], advance: Advance) -> None:
        """Streams files into the scratch volume's folder, under their new names."""
        self._container.put_archive(SCRATCH, archive(FOLDER, files, advance))

    def run(self, advance: Advance) -> dict[str, Any]:
        """What the verb answers. Raises Stop for what it refuses."""
        out, errors = listen(self._started(), advance)
        return self.answer(out, errors, self._container.wait()["StatusCode"])

    def answer(self, out: bytes, errors: str, code: int) -> dict[str, Any]:
        """What the verb printed, which ended with `code`. Raises Stop for what it refused."""
        try:
            answer = json.loads(out)
        except ValueError:
            raise self._no_answer(code, errors) from None
        if "error" in answer:
            raise self._refused(answer["error"])
        if code not in (0, UNPROVEN):
            raise self._no_answer(code, errors)
        return answer

    def get(self, to: BinaryIO, advance: Advance, path: str = "") -> str:
        """Streams a file of the container's volumes, else the one that the verb made, to `to`; gives its sha256."""
        pieces, _ = self._container.get_archive(path or self.file)
        return write_from_archive(pieces, to, advance)

    def _started(self, *, again: bool = True) -> Iterable[tuple[bytes | None, bytes | None]]:
        """What the verb will write, from its start on."""
        import docker.errors

        stream = self._container.attach(stream=True, demux=True, logs=True)
        try:
            self._container.start()
        except docker.errors.APIError as error:
            said = str(error.explanation)
            if again and LOST_BEFORE_IT_BEGAN in said:
                return self._started(again=False)
            if "executable file not found" not in said:
                raise
            raise Stop(
                f"The image {self._place.image} is not Task Assist: it has no task-assist command.",
                "Name the app's image with --image.",
                NOT_THERE,
            ) from None
        return stream

    def _no_answer(self, code: int, said: str) -> Stop:
        if code == NO_COMMAND and ("No such command" in said or "No such option" in said):
            return Stop(
                f"The image {self._place.image} is older than this script.",
                "Build it anew:  docker compose build",
                NOT_THERE,
            )
        why = "it ran out of memory or was killed" if code == 137 else said.strip()[-2000:]
        return Stop(f"task-assist in the image {self._place.image} failed with exit code {code}: {why}", "", FAILED)

    def as_said_outside(self, said: str) -> str:
        """The paths of the container in words of whoever types the command."""
        said = said.replace(f"{DATA}/{self._place.file}", f"{self._place.file} in the volume {self._place.volume}")
        return said.replace(f"There is no room for {BACKUP}", "The Docker engine has no room for the copy")

    def _refused(self, error: dict[str, str]) -> Stop:
        message, hint = (self.as_said_outside(error[part]) for part in ("message", "hint"))
        code = REFUSED if error["code"] in WRONG_FILES else EXIT_CODE.get(error["code"], FAILED)
        return Stop(message, hint, code)


def listen(stream: Iterable[tuple[bytes | None, bytes | None]], advance: Advance) -> tuple[bytes, str]:
    """A verb's stdout, and what of its stderr is not progress, which is shown."""
    out, errors = b"", b""
    for stdout, stderr in stream:
        out += stdout or b""
        *lines, rest = (errors + (stderr or b"")).split(b"\n")
        errors = b"\n".join([*(line for line in lines if not _shown(line, advance)), rest])
    return out, errors.decode(errors="replace")


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
    import docker.errors
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
        try:
            container.remove(force=True)
        except docker.errors.APIError as error:
            # Gone already, or going, where `mend` or somebody else was quicker.
            if error.status_code not in (404, 409):
                raise


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
