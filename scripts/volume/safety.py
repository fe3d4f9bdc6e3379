"""The copy that is made before something is replaced or deleted."""

from pathlib import Path

from .backup import default_path, refuse_target, take
from .content import Content
from .engine import Place
from .helper import DATA, helper
from .speak import Speaker


def keep(place: Place, found: Content, occasion: str, speaker: Speaker) -> Path | None:
    """Backs up the database into backups/; gives its path, None where there is nothing to keep.

    A damaged one makes no backup that could be proven, so its files are copied as they are. Nothing may be writing.
    """
    if not found.database:
        return None
    path = default_path(place, occasion)
    refuse_target(path, force=False)
    if found.problem and found.problem["code"] in ("damaged", "not_sqlite"):
        _copy_as_it_is(place, found, path, speaker)
    else:
        take(place, path, speaker)
    speaker.say(f"Kept what was there in {path}.")
    return path


def _copy_as_it_is(place: Place, found: Content, path: Path, speaker: Speaker) -> None:
    beside = [file["name"] for file in found.files if file["name"] in (f"{place.file}-wal", f"{place.file}-journal")]
    with helper(place, []) as holding, speaker.progress() as advance:
        for name in (place.file, *beside):
            to = path.with_name(path.name + name.removeprefix(place.file))
            to.touch(mode=0o600)
            with to.open("wb") as writing:
                holding.get(f"{DATA}/{name}", writing, advance)
