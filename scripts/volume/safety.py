"""The copy on this machine that is made before a volume is deleted."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .backup import default_path, refuse_target, take
from .content import Content
from .engine import Place
from .helper import DATA, Helper, helper
from .speak import Advance, Speaker
from .stop import REFUSED, Stop

BESIDE = ("-wal", "-journal")
"""What belongs to a database that its app did not close."""


@dataclass(frozen=True)
class Kept:
    """`sound`: a backup. Else the files as they were, which only `restore --as-it-is` puts back."""

    path: Path
    sound: bool

    @property
    def words(self) -> list[str]:
        """What is typed behind `restore` to have it back."""
        return [str(self.path), *([] if self.sound else ["--as-it-is"])]


def keep(place: Place, found: Content, occasion: str, speaker: Speaker) -> Kept | None:
    """Backs up the database into backups/; None where there is nothing to keep.

    One that is damaged, or of a newer version, makes no backup that this version could prove, so its files are copied
    as they are. Nothing may be writing.
    """
    if not found.database:
        return None
    path = default_path(place, occasion)
    refuse_target(path, force=False)
    sound = not found.problem or found.problem["code"] == "in_use"
    try:
        if sound:
            take(place, found, path, speaker)
    except Stop as stop:
        if stop.code != REFUSED:
            raise
        speaker.say(stop.message)
        sound = False
    if not sound:
        _copy_as_it_is(place, path, speaker)
    speaker.say(f"Kept what was there in {path}.")
    return Kept(path, sound)


def _copy_as_it_is(place: Place, path: Path, speaker: Speaker) -> None:
    import docker.errors

    with helper(place, []) as holding, speaker.progress() as advance:
        for ending in ("", *BESIDE):
            # Nothing need be beside it.
            with suppress(*([docker.errors.NotFound] if ending else [])):
                _copy(holding, f"{DATA}/{place.file}{ending}", path.with_name(path.name + ending), advance)


def _copy(holding: Helper, file: str, to: Path, advance: Advance) -> None:
    try:
        with os.fdopen(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as writing:
            holding.get(writing, advance, file)
            writing.flush()
            os.fsync(writing.fileno())
    except BaseException:
        to.unlink(missing_ok=True)
        raise
