"""backup: a checked copy of the database in the volume, with its manifest, while the app goes on writing."""

import getpass
import hashlib
import json
import os
import platform
import shlex
import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .content import Content, content, refuse_strange_owner, refuse_without_database
from .engine import Place, command
from .helper import BACKUP, Helper, helper, scratch_volume
from .leftovers import alone_at, at_work
from .overwrite_rules import manifest_of, refuse_or_confirm, refuse_taken
from .speak import Advance, Speaker, all_rows, in_short, size, unseen
from .stop import CANT_WRITE, Stop
from .through_app import app_that_has_it, snapshot_by_app

HELP = "Copies the database to PATH while the app goes on writing, checks the copy, and writes its manifest beside it."
EXAMPLES = ("backup", "backup /media/usb/tasks.db --force")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH", nargs="?", type=Path, help="the file; without it backups/task_manager-<UTC time>.db"
    )
    parser.add_argument("--force", action="store_true", help="overwrite PATH, if a backup; asks if far fuller")


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    path = options.path or default_path(place)
    refuse_target(path, force=options.force)
    place.attributes()
    with at_work(place, speaker), alone_at(path):
        proof = take(place, content(place), path, speaker, force=options.force)
    tell(proof, path, speaker)
    speaker.say(
        f"Backed up {place.volume} to {path}: {in_short(proof['rows'])}, {size(proof['size_bytes'])}, "
        f"sha256 {proof['sha256'][:4]}…, checked."
    )
    return {"volume": place.volume, "path": str(path), "manifest_path": str(manifest_of(path)), "manifest": proof}


def default_path(place: Place, occasion: str = "") -> Path:
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path("backups", f"{Path(place.file).stem}-{occasion}{time}.db")


def refuse_target(path: Path, *, force: bool) -> None:
    """Raises Stop where the backup could not be written at its end."""
    if path.is_dir():
        raise Stop(f"{path} is a folder.", f"Name a file in it:  {command('backup', path / 'tasks.db')}", CANT_WRITE)
    if path.exists() and not path.is_file():
        raise Stop(f"{path} is a pipe, socket or device, not a file.", "Choose another name.", CANT_WRITE)
    refuse_taken(path, force=force)
    if path.parent == Path("backups"):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.parent.is_dir():
        raise Stop(
            f"There is no folder {path.parent} for {path.name}.",
            f"Make it:  mkdir -p {shlex.quote(str(path.parent))}",
            CANT_WRITE,
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise Stop(f"This user may not write in {path.parent}.", "Choose another place for the backup.", CANT_WRITE)


def take(place: Place, found: Content, path: Path, speaker: Speaker, *, force: bool = False) -> dict[str, Any]:
    """Writes the backup and its manifest; they appear whole or not at all. Gives the manifest."""
    refuse_without_database(place, found)
    refuse_strange_owner(place, found)
    app = app_that_has_it(place, found)
    # One for each person on each machine, who can't be at work here twice: what a killed backup left is overwritten.
    partial = path.with_name(f".{place.volume}.{getpass.getuser()}@{platform.node()}.partial")
    if app:
        speaker.say(f"{app.name} has the database for itself, so it is asked for the copy.")
    with (
        snapshot_by_app(place, app) if app else _snapshot_by_helper(place) as copying,
        speaker.progress() as advance,
    ):
        proof = copying.run(advance)
        refuse_or_confirm(path, proof, speaker)
        _refuse_without_room(path, proof["size_bytes"])
        try:
            write_checked(partial, proof, copying, advance)
            refuse_target(path, force=force)  # somebody may have made it meanwhile
            put_in_place(partial, path, proof)
        finally:
            partial.unlink(missing_ok=True)
    return proof


@contextmanager
def _snapshot_by_helper(place: Place) -> Iterator[Helper]:
    verb = ["snapshot", "--json", BACKUP]
    with scratch_volume(place) as scratch, helper(place, verb, volume="write", scratch=scratch) as copying:
        copying.put({}, unseen)
        yield copying


def _refuse_without_room(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        message = f"There is no room for {path}: {size(needed)} are needed, {size(free)} are free."
        raise Stop(message, "Free some space, or choose another place.", CANT_WRITE)


def write_checked(partial: Path, proof: dict[str, Any], copying: Helper, advance: Advance) -> None:
    """Streams the snapshot to `partial`, and reads it back from there."""
    partial.unlink(missing_ok=True)
    # Password hashes are in it.
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as to:
        copying.get(to, advance)
        to.flush()
        os.fsync(to.fileno())
        to.seek(0)
        if hashlib.file_digest(to, "sha256").hexdigest() != proof["sha256"]:
            raise Stop(
                f"What was written to {partial.parent} is not what was copied.",
                "Nothing was kept. Check that disk, or choose another place.",
                CANT_WRITE,
            )


def put_in_place(partial: Path, path: Path, proof: dict[str, Any]) -> None:
    """Killed in between, there is a whole file that counts as unproven, never one beside another's manifest."""
    manifest_of(path).unlink(missing_ok=True)
    partial.replace(path)
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as to:
        json.dump(proof, to, indent=2)
        to.write("\n")
        to.flush()
        os.fsync(to.fileno())
    partial.replace(manifest_of(path))
    # Windows can't open a folder, and keeps names without this.
    with suppress(PermissionError):
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def tell(proof: dict[str, Any], path: Path, speaker: Speaker) -> None:
    speaker.facts(
        {
            "File": str(path),
            "Manifest": str(manifest_of(path)),
            "Size": f"{proof['size_bytes']:,} bytes",
            "Rows": all_rows(proof["rows"]),
            "Schema": proof["revision"],
            "Versions": f"Task Assist {proof['app_version']}, SQLite {proof['sqlite_version']}",
            "Time": proof["created_at"],
        }
    )
    speaker.say(f"SHA-256   {proof['sha256']}")
