"""The commands that put another database in the place of the present one, or none: restore, start-empty, settle."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.operations.commands.backup_commands import (
    JSON,
    Answer,
    answers,
    in_short,
    proof_of_snapshot,
    say,
    storage_here,
    storage_of,
)

WHAT = click.argument("what", metavar="NAME|latest|FILE|URL")
IDENTITY = click.option(
    "--identity", type=click.Path(path_type=Path), help="The private key of age, for a backup that is encrypted."
)


@click.command()
@WHAT
@IDENTITY
@click.option("--dry-run", is_flag=True, help="Only fetch and check it, and say what would change.")
@click.option("--no-keep", is_flag=True, help="Keep no copy of the database that is there now.")
@click.option("--as-it-is", is_flag=True, help="Check nothing: the way back to a database that was damaged already.")
@JSON
@answers("Restoring")
def restore(what: str, identity: Path | None, dry_run: bool, no_keep: bool, as_it_is: bool, progress: Any) -> Answer:
    """Puts a backup in the database's place, checked and whole, and keeps what was there in a file beside it.

    A backup is a NAME in the store of BACKUP_URL, `latest` for the newest one there, a FILE, or the URL of another
    store with /NAME or /latest behind it. A running app is asked to hand the database over, and goes on with the
    restored one by itself; requests wait meanwhile. Killed at any point, the database is the old one or the new one.

    \b
    task-assist restore latest --dry-run
    docker compose exec app task-assist restore /app/data/before-import.db
    docker run --rm -v task-manager-data:/app/data task-assist task-assist restore /app/data/before-import.db
    task-assist undo

    \b
    Exit codes: 0 done · 1 can't read or write a file or the store, no such backup, no
    key for it, no room, a running app didn't hand over · 2 wrong usage
    4 not what its manifest says
    5 not an SQLite database · 6 another app's database
    7 written by a newer Task Assist · 8 damaged or not whole · 9 held by another process
    """
    from app import settings
    from app.backup.transfer.restore_source import restore_source

    loaded = settings.load()
    storage = storage_of(loaded)
    with restore_source(what, storage, loaded.backup_url, identity, say=say, progress=progress) as it:
        found = verified(it.file, it.sha256, as_it_is=as_it_is and not dry_run)
        if dry_run:
            return _dry_run(what, found, storage)
        moves, key = it.sha256 is not None, ["--identity", str(identity)] if identity else []
        return replace_database(
            what, found, storage, progress, moves=moves, no_keep=no_keep, as_it_is=as_it_is, again=[*key, what]
        )


def verified(file: Path, sha256: str | None = None, *, progress: Any = None, as_it_is: bool = False) -> Any:
    """Before anybody is disturbed for it. The quick check is enough for bytes that have not changed since they were
    backed up; whether the indexes fit the rows the app looks at beside its requests (checkup.py)."""
    from app.backup.copies.verify import unverified, verify

    return unverified(file) if as_it_is else verify(file, progress=progress, sha256=sha256, proven="quick_check")


def _dry_run(what: str, found: Any, storage: Any) -> Answer:
    from dataclasses import asdict

    from app.backup.copies.staging import temporary_folder_beside
    from app.backup.restoring.difference import difference, in_words
    from app.database.emptied import holds_nothing

    if holds_nothing(storage.path):
        facts, words = {}, f"it will be the first database in {storage.path}"
    else:
        with temporary_folder_beside(storage.path, ".compared") as folder:
            now = folder / "now.db"
            proof_of_snapshot(storage, now, False, None)
            compared = difference(now, found.file)
        facts, words = {table: asdict(rows) for table, rows in compared.items()}, in_words(compared)
    rows = found.contents.rows
    sentence = f"{what} is sound: {in_short(rows)}. Restored, {words}.\nNothing was changed: this was a dry run."
    return Answer({"rows": rows, "difference": facts, "proven": found.proven}, sentence)


def replace_database(
    what: str,
    found: Any,
    storage: Any,
    progress: Any,
    *,
    moves: bool,
    no_keep: bool,
    as_it_is: bool,
    again: Any,
    is_right: Callable[[], None] = lambda: None,
) -> Answer:
    """`found`, `moves`: as restore() takes them. `again`: with what `restore` does the same, or None. `is_right` is
    called when nobody else can change the database any more, and raises what makes `found` the wrong one by now."""
    from app.backup.copies.rescue import kept_copies
    from app.backup.restoring.restore import restore
    from app.backup.restoring.undo import undoable
    from app.writer.exclusive import exclusive_access

    before = kept_copies(storage)
    with exclusive_access(storage, replaces=True, asks=True) as alone, undoable(storage) as this:
        is_right()
        this.kept = None if no_keep else _keep(storage, again, found.file, moves=moves, as_it_is=as_it_is)

        def sure() -> None:
            alone.sure()
            this.note()

        restore(found.file, storage, progress, found=found, moves=moves, sure=sure, as_it_is=as_it_is)
        alone.leaves = found.contents.revision or None
        alone.doubt = "damage" if as_it_is else None if found.whole else "restored"
    rows = "as it is, unchecked" if as_it_is else in_short(found.contents.rows)
    kept = this.kept
    names = [str(name) for name in kept.files] if kept else []
    facts = {"sha256": found.sha256, "rows": found.contents.rows, "kept": names}
    facts["kept_sound"] = bool(kept and kept.sound)
    sentence = f"Restored {storage.path} from {what}: {rows}. A running app goes on with it."
    of_the_app = sorted(kept_copies(storage) - before)
    return Answer(facts, sentence + (_way_back(kept) if kept or no_keep else _nothing_kept(storage, of_the_app)))


def _keep(storage: Any, again: Any, file: Path, *, moves: bool, as_it_is: bool) -> Any:
    """What is kept of the present database. Where that can't be read, or has no room, a person may go on without."""
    from app.backup.copies.safety_copy import BEFORE_RESTORE, keep
    from app.backup.restoring.undo import note_begun
    from app.errors import StorageFull, problem_of
    from app.storage.files import sidecars, size_of

    coming = [*([] if moves else [file]), *(sidecars(file) if as_it_is else [])]
    try:
        note_begun(storage)
        return keep(storage, BEFORE_RESTORE, sum(map(size_of, coming)))
    except (StorageFull, OSError) as error:
        refused = problem_of(error) if isinstance(error, OSError) else error
        if again is None:
            raise
        words = ["task-assist", "restore", "--no-keep", *(["--as-it-is"] if as_it_is else []), *again]
        raise type(refused)(
            refused.message, f"{refused.hint}\nTo keep no copy of what is there now:\n  {shlex.join(words)}"
        ) from error


def _way_back(kept: Any) -> str:
    from app.backup.restoring.undo import way_back

    if kept is None:
        return ""
    unsound = "" if kept.sound else "What was there is no whole database. It is kept byte for byte.\n"
    return f"\n{unsound}To go back:  {way_back(kept)}"


def _nothing_kept(storage: Any, of_the_app: list[Path]) -> str:
    """`of_the_app`: what a running app has kept meanwhile of a file that was removed while it had it open."""
    said = f"\nThere was no database in {storage.path}, so no copy was made of it."
    if not of_the_app:
        return said
    command = f"task-assist restore {shlex.quote(str(of_the_app[-1]))}"
    return f"{said} What the app still had open is kept in {of_the_app[-1]}.\nTo go back:  {command}"


@click.command("start-empty")
@JSON
@answers("Looking")
def start_empty(progress: Any) -> Answer:  # noqa: ARG001
    """Lets the app begin with an empty database where one was that is gone, and was meant to go.

    It asks for this where it finds none, or one without tables, though there was one. A database with rows in it is
    left as it is; a log that a removed one left is set aside, not deleted.

    \b
    docker compose exec app task-assist start-empty
    docker run --rm -v task-manager-data:/app/data task-assist task-assist start-empty

    \b
    Exit codes: 0 done: the app begins within 15 seconds, or when it is started
    1 there is a database with rows, or a running app has it · 2 wrong usage
    5 not an SQLite database · 6 another app's database · 8 damaged
    """
    from app.backup.restoring.start_empty import start_empty
    from app.errors import Conflict
    from app.writer.exclusive import exclusive_access

    storage = storage_here()
    with exclusive_access(storage, replaces=True) as alone:
        if alone.found.pending is not None:
            raise Conflict(
                f"{storage.path} is not empty: the last instance was lost, and its database is still being copied.",
                "Nothing was changed. Start the app: it goes on with the copy.",
            )
        aside = [str(file) for file in start_empty(storage, alone.sure)]
    kept = "".join(f" The log of the one that was there is now {file}." for file in aside)
    return Answer({"set_aside": aside}, f"The next start begins with an empty {storage.path}.{kept}")


@click.command(hidden=True)
@answers("Checking")
def settle(progress: Any) -> Answer:
    """Takes away what a killed restore left, and says which database is there. The app must be stopped."""
    from app.backup.restoring.restore import settle

    return Answer({"sha256": settle(storage_here(), progress)})
