"""Asks before a backup is replaced by one with far fewer rows: so an emptied database would take the good one along."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from .speak import Speaker

# The rule of app/backup/fuller.py, for a file that the image can't see. tests/scripts hold the two together.
COUNTED = ("work_items", "tasks")
FAR = 2


def confirm_if_fuller(path: Path, rows: dict[str, int], speaker: Speaker) -> None:
    """Raises Stop after a no, and without a terminal, where `path` holds more than FAR times what `rows` says."""
    there, now = _counted(_rows_in(path)), _counted(rows)
    if there > FAR * now:
        speaker.confirm(
            f"{path} holds {there:,} items and tasks, and the database only {now:,}. Replace it?",
            f"{path} was not replaced. Choose another name, or look first why the database holds so few.",
        )


def _counted(rows: dict[str, int]) -> int:
    return sum(rows.get(table, 0) for table in COUNTED)


def _rows_in(path: Path) -> dict[str, int]:
    """By its manifest, else by its tables; none for what is no backup."""
    try:
        return json.loads(path.with_name(path.name + ".manifest.json").read_bytes())["rows"]
    except (OSError, ValueError, KeyError):
        return _counted_in(path) if path.is_file() else {}


def _counted_in(path: Path) -> dict[str, int]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in COUNTED
            }
    except sqlite3.DatabaseError:
        return {}
