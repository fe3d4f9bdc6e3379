"""restore: a verified file in the database's place, whole or not at all, and the way back."""

import hashlib
import os
import shlex
import stat
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from .content import Content, content, refuse_strange_owner
from .engine import Place, command, told_in_words
from .helper import BACKUP, helper, scratch_volume
from .leftovers import Mended, at_work, mend, note
from .safety import Kept, keep, refuse_without_room_to_keep
from .speak import Speaker, in_short
from .stop import IN_USE, INTERRUPTED, NOT_THERE, REFUSED, Stop

HELP = "Puts the database in PATH in the place of the one in the volume, and keeps that one in backups/."
EXAMPLES = ("restore backups/task_manager-20261123T081500Z.db", "restore old.db --dry-run")
BESIDE = ("-wal", "-journal", ".manifest.json")
"""What goes along with PATH, if it is there."""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="a backup, or a database copied from a stopped container"
    )
    parser.add_argument("--dry-run", action="store_true", help="only check PATH and show what would change")
    parser.add_argument("--as-it-is", action="store_true", help="check nothing: the way back to a damaged database")


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    files = readable_files(options.path)
    place.attributes()
    with at_work(place, speaker), scratch_volume(place) as scratch:
        incoming = _incoming(place, options, files, scratch, speaker)
        now = content(place)
        stopping = place.running_users()
        _refuse(place, now, stopping)
        _tell(options.path, now, incoming, stopping, speaker)
        result = {"volume": place.volume, "path": str(options.path), "proven": incoming["proven"]}
        result |= {"rows_before": now.rows, "rows_after": incoming["rows"], "sha256": incoming["sha256"]}
        if options.dry_run:
            speaker.say("Nothing was changed: this was a dry run.")
            return result | {"restored": False}
        for doubt in _doubts(options.path, now, incoming, place):
            speaker.confirm(f"{doubt} Restore it?", "Nothing was changed.")
        refuse_without_room_to_keep(place, now)
        kept, mended = _replace(place, now, stopping, incoming["sha256"], options, scratch, speaker)
    back = f"To go back:  {command('restore', *kept.words, place=place)}" if kept else ""
    if mended.not_ready:
        raise Stop(
            f"{place.volume} has the database of {options.path}, but {', '.join(mended.not_ready)} is not ready.",
            f"To see why:  docker logs {mended.not_ready[0]}\n{back}".rstrip(),
        )
    if back:
        speaker.say(back)
    rows = "as it is, unchecked" if options.as_it_is else f"{in_short(incoming['rows'])}, checked"
    speaker.say(f"Restored {place.volume} from {options.path}: {rows}.")
    return result | {"restored": True, "kept": str(kept.path) if kept else None, "started_again": mended.started}


def readable_files(path: Path) -> dict[str, Path]:
    """PATH and what lies beside it, under the names they get. Raises Stop where there is no file to read."""
    name = Path(BACKUP).name
    beside = {name + ending: path.with_name(path.name + ending) for ending in BESIDE if path.name}
    files = {name: path} | {name: file for name, file in beside.items() if os.path.lexists(file)}
    try:
        for file in files.values():
            if not stat.S_ISREG(file.stat().st_mode) and not file.is_dir():
                raise Stop(f"Can't read {file}: it is a pipe, socket or device.", "Nothing was changed.", REFUSED)
            file.open("rb").close()
    except FileNotFoundError as error:
        alone = " Only its -wal is there, which is nothing without it." if f"{name}-wal" in files else ""
        there = f"Nothing was changed. What is there:  ls -l {shlex.quote(str(path.parent))}"
        raise Stop(f"There is no file {error.filename}.{alone}", there, NOT_THERE) from None
    except (OSError, ValueError) as error:
        where = error.filename if isinstance(error, OSError) else path
        why = error.strerror if isinstance(error, OSError) else error
        raise Stop(f"Can't read {where}: {why}.", "Nothing was changed.", REFUSED) from None
    return files


def _incoming(
    place: Place, options: Namespace, files: dict[str, Path], scratch: str, speaker: Speaker
) -> dict[str, Any]:
    """What will be in the database's place; its files are in the scratch volume then."""
    if not options.as_it_is:
        return _verified(place, options.path, files, scratch, speaker)
    with helper(place, [], volume=None, scratch=scratch) as bringing, speaker.progress() as advance:
        bringing.put(files, advance)
    with options.path.open("rb") as reading:
        sha256 = hashlib.file_digest(reading, "sha256").hexdigest()
    return {"proven": False, "revision": "not looked at", "rows": {}, "sha256": sha256}


def _verified(place: Place, path: Path, files: dict[str, Path], scratch: str, speaker: Speaker) -> dict[str, Any]:
    """What `task-assist verify` says of a copy in the scratch volume, which stays there."""
    verb = ["verify", "--fold", "--json", BACKUP]
    with helper(place, verb, volume=None, scratch=scratch) as checking, speaker.progress() as advance:
        checking.put(files, advance)
        try:
            return checking.run(advance)
        except Stop as stop:
            raise _cant_restore(place, path, stop) from None


def _cant_restore(place: Place, path: Path, stop: Stop) -> Stop:
    """What `task-assist verify` said of the copy, as said of PATH."""
    said = stop.message.removeprefix(f"{BACKUP} is no backup: ")
    if said.startswith(f"{BACKUP} "):
        said = said.replace(BACKUP, "it", 1)
    hint = stop.hint or f"To see what is in the volume now:  {command('inspect', place=place)}"
    said, hint = (text.replace(BACKUP, str(path)) for text in (said, hint))
    hint = f"Nothing was changed. {hint.removeprefix('Nothing was changed. ')}"
    return Stop(f"Can't restore {path}: {said}", hint, stop.code)


def _refuse(place: Place, now: Content, stopping: list[Any]) -> None:
    problem = now.problem
    if problem and problem["code"] == "other_app":
        raise Stop(
            f"{place.file} in {place.volume} is another app's database.",
            "Nothing was changed. Name another file with --file, or another volume with --volume.",
            REFUSED,
        )
    refuse_strange_owner(place, now)
    vanishing = [container.name for container in stopping if container.attrs["HostConfig"]["AutoRemove"]]
    if vanishing:
        names = " ".join(vanishing)
        raise Stop(
            f"{names} uses {place.volume} and was started with --rm: stopping it, as a restore must, would delete it.",
            f"Nothing was changed. Stop it yourself, restore, and start it as you did:  docker stop {names}",
            IN_USE,
        )


def _tell(path: Path, now: Content, incoming: dict[str, Any], stopping: list[Any], speaker: Speaker) -> None:
    sound = "sound, but unproven" if incoming["rows"] else "as it is, unchecked"
    proven = "byte for byte what its manifest says" if incoming["proven"] else sound
    speaker.facts(
        {
            "From": f"{path}, {proven}",
            "Schema": incoming["revision"],
            "Stops": ", ".join(container.name for container in stopping) or "no container",
        }
    )
    before, after = now.rows or {}, incoming["rows"]
    tables = sorted(before.keys() | after.keys())
    unknown = "?" if now.database and now.rows is None else "-"
    speaker.table(
        [
            ("TABLE", "ROWS NOW", "ROWS AFTER"),
            *((table, str(before.get(table, unknown)), str(after.get(table, "-"))) for table in tables),
        ]
    )


def _doubts(path: Path, now: Content, incoming: dict[str, Any], place: Place) -> list[str]:
    """What a person should say yes to."""
    doubts = []
    if not incoming["proven"]:
        doubts.append(f"{path} is unproven: no manifest says that it is what was backed up.")
    if now.problem and now.problem["code"] != "in_use":
        doubts.append(f"{place.file} in {place.volume} can't be read: {now.problem['message']}")
    elif not now.database and now.files:
        doubts.append(f"{place.volume} holds {len(now.files)} other files, but no {place.file}.")
    return doubts


def _replace(
    place: Place, now: Content, stopping: list[Any], sha256: str, options: Namespace, scratch: str, speaker: Speaker
) -> tuple[Kept | None, Mended]:
    """Stops, keeps, replaces; whatever happens, `mend` starts again and says which database is there."""
    path, as_it_is = options.path, ["--as-it-is"] if options.as_it_is else []
    verb = ["restore", "--no-keep", "--json", *as_it_is, BACKUP]
    try:
        note(place, stopping, sha256, str(path))
        for container in stopping:
            container.stop()
        kept = keep(place, now, "before-restore-", speaker)
        with helper(place, verb, volume="write", scratch=scratch) as replacing, speaker.progress() as advance:
            replacing.run(advance)
    except BaseException as error:
        raise _undone(place, path, error) from error
    mended = mend(place)
    if not mended or not mended.has_new:
        raise Stop(
            f"{place.volume} has not the database of {path} now, though it was put there.",
            f"To see what is there:  {command('inspect', place=place)}",
        )
    return kept, mended


def _undone(place: Place, path: Path, error: BaseException) -> Stop:
    """Brings what was begun to an end, and says which database is there now."""
    mended = mend(place)
    now = f"{place.volume}: {mended}" if mended else "Nothing was changed."
    if isinstance(error, KeyboardInterrupt):
        finish = "" if mended and mended.has_new else f" To restore it:  {command('restore', path, place=place)}"
        return Stop("Interrupted.", now + finish, INTERRUPTED)
    try:
        with told_in_words():
            raise error
    except Stop as stop:
        return Stop(stop.message, f"{now} {stop.hint}".strip(), stop.code)
