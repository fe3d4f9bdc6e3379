"""restore: a verified file in the database's place, whole or not at all, and the way back."""

import hashlib
import os
import shlex
import stat
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from .content import content
from .engine import Place, command
from .exchange import Exchanged, Incoming, confirm, exchange, refuse_to_exchange, tell, tell_end
from .helper import BACKUP, helper, scratch_volume
from .leftovers import at_work
from .speak import Speaker, in_short
from .stop import NOT_THERE, REFUSED, Stop

HELP = "Puts the database in PATH in the place of the one in the volume, and keeps that one beside it."
EXAMPLES = ("restore backups/task_manager-20261123T081500Z.db", "restore old.db --dry-run")
BESIDE = ("-wal", "-journal", ".manifest.json")
"""What goes along with PATH, if it is there."""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="a backup, or a database copied from a stopped container"
    )
    parser.add_argument("--dry-run", action="store_true", help="only check PATH and show what would change")
    parser.add_argument("--no-keep", action="store_true", help="keep no copy of the database that is there now")
    parser.add_argument("--as-it-is", action="store_true", help="check nothing: the way back to a damaged database")


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    path, files = options.path, readable_files(options.path)
    place.attributes()
    with at_work(place, speaker), scratch_volume(place) as scratch:
        incoming = _incoming(place, options, files, scratch, speaker)
        now, stopping = content(place), place.running_users()
        refuse_to_exchange(place, now, stopping)
        tell(now, incoming, stopping, speaker)
        facts = incoming.facts
        result = {"volume": place.volume, "path": str(path), "proven": facts["proven"]}
        result |= {"rows_before": now.rows, "rows_after": facts["rows"], "sha256": facts["sha256"]}
        if options.dry_run:
            speaker.say("Nothing was changed: this was a dry run.")
            return result | {"restored": False}
        confirm(place, now, incoming, speaker)
        done = _exchanged(place, incoming, stopping, options, speaker)
    tell_end(place, str(path), done, speaker)
    rows = "as it is, unchecked" if options.as_it_is else f"{in_short(facts['rows'])}, checked"
    speaker.say(f"Restored {place.volume} from {path}: {rows}.")
    return result | {"restored": True, "kept": done.kept, "started_again": done.mended.started}


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


def _incoming(place: Place, options: Namespace, files: dict[str, Path], scratch: str, speaker: Speaker) -> Incoming:
    """What will be in the database's place; its files are in the scratch volume then."""
    words = [word for word in ("--no-keep", "--as-it-is") if getattr(options, word[2:].replace("-", "_"))]
    facts = _facts(place, options, files, scratch, speaker)
    by = command("restore", options.path, *words, place=place)
    return Incoming(str(options.path), facts, ["restore", "--json", *words, BACKUP], by, scratch)


def _facts(place: Place, options: Namespace, files: dict[str, Path], scratch: str, speaker: Speaker) -> dict[str, Any]:
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


def _exchanged(
    place: Place, incoming: Incoming, stopping: list[Any], options: Namespace, speaker: Speaker
) -> Exchanged:
    """What the app proposes to type, as it is typed here."""
    try:
        return exchange(place, incoming, stopping, speaker)
    except Stop as stop:
        as_it_is = ["--as-it-is"] if options.as_it_is else []
        inside = shlex.join(["task-assist", "restore", "--no-keep", *as_it_is, BACKUP])
        outside = command("restore", options.path, "--no-keep", *as_it_is, place=place)
        raise Stop(
            stop.message, stop.hint.replace(inside, outside).replace(BACKUP, str(options.path)), stop.code
        ) from None
