"""What a backup on this machine may take the place of: nothing, or with --force a backup; a far fuller one asks."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from .speak import Speaker
from .stop import CANT_WRITE, REFUSED, Stop

# The rules of app/backup/copies/overwrite_rules.py, for a file that the image can't see. tests/scripts hold the two
# together.
APPLICATION_ID = 0x5441736B
COUNTED = ("work_items", "tasks")
FAR = 2
LEASE = ".lease"
LOGS = ("-wal", "-journal")
AWAY = "Choose another name, or move what is there away first, with all that lies beside it."


def manifest_of(path: Path) -> Path:
    return path.with_name(path.name + ".manifest.json")


def refuse_taken(path: Path, *, force: bool) -> None:
    """Raises Stop where something has the name, or that of its manifest, unless `force` and that is a backup."""
    # Also a link that leads nowhere is something that is there.
    taken = next((name for name in (path, manifest_of(path)) if os.path.lexists(name)), None)
    if taken and not force:
        way = "overwrite it with --force" if taken == path else "move that away"
        raise Stop(f"{taken} exists already.", f"Choose another name, or {way}.", CANT_WRITE)
    if any(folder.name.endswith(LEASE) for folder in path.absolute().parents):
        raise Stop(f"{path} is where Task Assist keeps who writes to a database.", "Choose another name.", CANT_WRITE)
    if taken:
        _refuse_no_manifest(path)
        _rows_of_backup(path)


def refuse_or_confirm(path: Path, proof: dict[str, Any], speaker: Speaker) -> None:
    """Raises Stop for a backup of a newer version, and after a no, or without a terminal, where `path` holds more than
    FAR times as many items and tasks as `proof`, the manifest of what is to replace it, says.
    """
    there, now = _counted(_rows_of_backup(path, proof["revision"])), _counted(proof["rows"])
    if there > FAR * now:
        speaker.confirm(
            f"{path} holds {there:,} items and tasks, and the database only {now:,}. Replace it?",
            f"{path} was not replaced. Choose another name, or look first why the database holds so few.",
        )


def _counted(rows: dict[str, int]) -> int:
    return sum(rows.get(table, 0) for table in COUNTED)


def _refuse_no_manifest(path: Path) -> None:
    """What has the manifest's name goes as well, so it must be one."""
    file = manifest_of(path)
    if not os.path.lexists(file):
        return
    try:
        is_one = isinstance(json.loads(file.read_bytes())["sha256"], str)
    except (OSError, ValueError, KeyError, TypeError):
        is_one = False
    if not is_one:
        raise _not_replaced(path, f"{file.name} beside it is not the manifest of a backup")


def _rows_of_backup(path: Path, revision: str | None = None) -> dict[str, int]:
    """By its tables, since a manifest may be another file's. None for no file, and for an empty one.

    `revision`: the schema that this version writes, where that is known. Raises Stop for what is no backup.
    """
    if path.is_symlink():
        raise _not_replaced(path, f"it is a link to {path.readlink()}")
    if not path.exists() or not path.stat().st_size:
        return {}
    _refuse_part_of_more(path)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return _rows_in(connection, path, revision)
    except sqlite3.Error as error:
        raise _not_replaced(path, f"it can't be read ({error})") from None


def _refuse_part_of_more(path: Path) -> None:
    if path.with_name(path.name + LEASE).exists():
        raise _not_replaced(path, f"it is the database of a Task Assist, with {path.name}{LEASE} beside it")
    for log in (path.with_name(path.name + ending) for ending in LOGS):
        if log.exists() and log.stat().st_size:
            raise _not_replaced(path, f"it is not whole without {log.name} beside it, which may hold more")


def _rows_in(connection: sqlite3.Connection, path: Path, revision: str | None) -> dict[str, int]:
    def ask(query: str) -> Any:
        return connection.execute(query).fetchone()[0]

    if ask("PRAGMA application_id") != APPLICATION_ID:
        raise _not_replaced(path, "it is another app's database")
    schema = ask("SELECT max(version_num) FROM alembic_version")
    if revision is not None and schema and schema > revision:
        raise _not_replaced(path, f"it is of a newer Task Assist (schema {schema}, the database has {revision})")
    return {table: ask(f"SELECT count(*) FROM {table}") for table in COUNTED}  # noqa: S608


def _not_replaced(path: Path, why: str) -> Stop:
    return Stop(f"{path} was not replaced: {why}. --force is for backups that this version can read.", AWAY, REFUSED)
