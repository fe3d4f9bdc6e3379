"""DATABASE_PATH leads to its file through a symbolic link, and somebody leads that link elsewhere, or removes it.

The next start would find nothing there, and make a new database. So the app leaves a note beside each link that says
where it led: `a.db.leads-to` beside the link `a.db`, and `data.a.db.leads-to` beside the link `data` in `data/a.db`.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.errors import Unwell
from app.storage.mounts import Storage
from app.storage.symlinks import Link, end_of_links, names_on

ROOT = Path("/")
"""Links in it are the system's own (/tmp on macOS)."""

log = structlog.get_logger()


class LedElsewhere(Unwell):
    """DATABASE_PATH does not lead to the database any more, which is where it was."""

    code, status, stops_writes = "led_elsewhere", 503, True


@dataclass(frozen=True)
class Note:
    """What an earlier start has noted of a link. `database`: where DATABASE_PATH led by it."""

    file: Path
    link: Link
    database: Path


def is_led_elsewhere(storage: Storage) -> bool:
    """Does DATABASE_PATH lead to another place than when this process began? OSError: the file system does not say."""
    return end_of_links(storage.typed) != storage.path


def led_elsewhere(storage: Storage) -> LedElsewhere:
    """Of a database that is open."""
    return _led_elsewhere(
        storage.typed, storage.path, storage.links, "To go on with what is there now, restart the app."
    )


def why_led_elsewhere(storage: Storage) -> LedElsewhere | None:
    """Earlier starts had another place, by what they have noted. Only to be raised of a place that holds nothing: one
    that holds a database was led to on purpose."""
    notes = [note for note in _notes(storage.typed) if note.database != storage.path]
    if not notes:
        return None
    return _led_elsewhere(
        storage.typed,
        notes[0].database,
        [note.link for note in notes],
        "If it is meant to begin with an empty one in the new place:\n"
        "  task-assist start-empty      where the app runs",
    )


def note_links(storage: Storage) -> None:
    """To be called when the database is open. Where this can't be written down the log says so, and no start fails."""
    led = [link for link in storage.links if link.path.parent != ROOT]
    try:
        for note in _notes(storage.typed):
            if note.link.path not in [link.path for link in led]:
                note.file.unlink(missing_ok=True)
        for link in led:
            _write(_note_beside(link.path, storage.typed), f"{link.target}\n{storage.path}\n")
    except OSError as error:
        log.info(f"Where the links in {storage.typed} lead could not be noted: {error}.")


def forget_links(storage: Storage) -> None:
    """The next start takes the place to which DATABASE_PATH leads, whatever is in it. Raises OSError."""
    for note in _notes(storage.typed):
        note.file.unlink(missing_ok=True)


def _led_elsewhere(typed: Path, database: Path, links: Sequence[Link], or_else: str) -> LedElsewhere:
    changed = next((link for link in links if not link.leads_there), links[0]) if links else Link(typed, database)
    what = "leads elsewhere" if changed.path.is_symlink() else "is no link" if changed.path.exists() else "is gone"
    return LedElsewhere(
        f"DATABASE_PATH={typed} does not lead to the database {database} any more: {changed.path} {what}.",
        f"Nothing is written, and nothing was changed in {database}. Lead the link there again; the app then goes on "
        f"by itself:\n{changed.way_back}\n{or_else}",
    )


def _notes(typed: Path) -> Iterator[Note]:
    for name in names_on(typed):
        file = _note_beside(name, typed)
        with suppress(OSError, ValueError):  # none, or one that a killed start did not finish
            target, database = file.read_text().splitlines()
            yield Note(file, Link(name, Path(target)), Path(database))


def _note_beside(name: Path, typed: Path) -> Path:
    return name.with_name(".".join((name.name, *typed.relative_to(name).parts, "leads-to")))


def _write(note: Path, text: str) -> None:
    with suppress(FileNotFoundError):
        if note.read_text() == text:
            return
    note.write_text(text)
