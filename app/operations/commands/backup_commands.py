"""The commands that make and check a backup: snapshot, verify; and `facts`, for scripts/manage_db_volume.py."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

# A plain path: what is wrong with it is told in this app's words, not in click's.
FILE = click.argument("file", type=click.Path(path_type=Path, readable=False))
JSON = click.option("--json", "as_json", is_flag=True, help="Answer, progress and errors as JSON, for programs.")


@dataclass(frozen=True)
class Answer:
    """`facts` are printed with --json, else `sentence`."""

    facts: dict[str, Any]
    sentence: str = ""
    exit_code: int = 0


def answers(doing: str) -> Callable[[Callable[..., Answer]], Callable[..., None]]:
    """Makes a command of a function that takes `progress`: prints its answer or what went wrong, and exits."""

    def wrap(function: Callable[..., Answer]) -> Callable[..., None]:
        @wraps(function)
        def run(*arguments: Any, as_json: bool = True, **options: Any) -> None:
            from app.errors import Problem, problem_of
            from app.operations.commands.terminated_command import ends_by_sigterm
            from app.operations.control.progress import shown

            try:
                with ends_by_sigterm(), shown(doing, lines=as_json) as progress:
                    answer = function(*arguments, progress=progress, **options)
            except (Problem, OSError) as error:
                _stop(problem_of(error) if isinstance(error, OSError) else error, as_json=as_json)
            click.echo(json.dumps(answer.facts) if as_json else answer.sentence)
            sys.exit(answer.exit_code)

        return run

    return wrap


def _stop(problem: Any, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"error": problem.as_dict()}))
    else:
        click.echo(f"task-assist: {problem}", err=True)
    sys.exit(problem.exit_code)


@click.command()
@FILE
@click.option("--force", is_flag=True, help="Overwrite FILE, if that is a backup and not far fuller.")
@JSON
@answers("Copying")
def snapshot(file: Path, force: bool, progress: Any) -> Answer:
    """Copies the database as it is at this moment to FILE, checks the copy, and writes FILE.manifest.json.

    With --force an earlier backup is replaced, and nothing else: no other file, no copy with a -wal beside it, none of
    a newer Task Assist, and none that holds more than twice as many items and tasks as the database.
    The app may go on writing. On a network mount (profile "exclusive") it has the database for itself, so it is asked
    to make the copy; that must be typed where the app runs.

    \b
    task-assist snapshot /backups/tasks.db
    docker compose exec app task-assist snapshot /app/data/before-import.db

    \b
    Exit codes: 0 done · 1 can't read or write a file, no room · 2 wrong usage
    5 not an SQLite database · 6 another app's database · 8 damaged
    7 written by a newer Task Assist · 9 held by another process
    """
    proof = proof_of_snapshot(storage_here(), file, force, progress)
    how = "checked" if "asked" not in proof else "checked, by the running app, which has the database for itself"
    sentence = f"Copied the database to {file}: {in_short(proof['rows'])}, {proof['size_bytes']:,} bytes, {how}."
    return Answer(proof, sentence)


def proof_of_snapshot(storage: Any, file: Path, force: bool, progress: Any) -> dict[str, Any]:
    from app.backup.copies.snapshot import snapshot
    from app.operations.control.control import SECONDS_OF_CHECK, ask, refuse_replaced
    from app.writer.exclusive import exclusive_access
    from app.writer.safe_acquire import why_refused

    refuse_replaced(storage)
    if storage.profile == "shared":
        if refused := why_refused(storage):
            raise refused
        return snapshot(storage, file, force=force, progress=progress).model_dump(mode="json")
    where = {"file": str(file.absolute()), "force": force}
    proof = ask(storage, "snapshot", progress=progress, seconds=SECONDS_OF_CHECK, **where)
    if proof:
        return proof | {"asked": True}
    with exclusive_access(storage):
        return snapshot(storage, file, force=force, progress=progress).model_dump(mode="json")


@click.command()
@FILE
@click.option("--fold", is_flag=True, help="Bring a -wal beside FILE into it first; for a copy of your own.")
@JSON
@answers("Checking")
def verify(file: Path, fold: bool, progress: Any) -> Answer:
    """Checks that FILE is a whole, unchanged backup that this version can restore.

    \b
    task-assist verify /backups/tasks.db
    docker compose exec app task-assist verify /app/data/before-import.db --json

    \b
    Exit codes: 0 sound, and byte for byte what its manifest says
    3 unproven: sound, but without a manifest · 4 not what its manifest says
    1 can't be read · 2 wrong usage · 5 not an SQLite database
    6 another app's database · 7 written by a newer Task Assist
    8 damaged or not whole · 9 held by another process
    """
    from app.backup.copies.verify import UNPROVEN, verify

    found = verify(file, fold=fold, progress=progress)
    rows = found.contents.rows
    facts = {
        "file": str(file),
        "proven": found.proven,
        "sha256": found.sha256,
        "size_bytes": found.size_bytes,
        "rows": rows,
        "revision": found.contents.revision,
    }
    how = "byte for byte what its manifest says" if found.proven else "but unproven: it has no manifest"
    sentence = f"{file} is a sound database of Task Assist, {how}: {in_short(rows)}."
    return Answer(facts, sentence, 0 if found.proven else UNPROVEN)


@click.command(hidden=True)
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, readable=False))
@answers("Reading")
def facts(folders: tuple[Path, ...], progress: Any) -> Answer:  # noqa: ARG001
    """Says in JSON what is in FOLDERS. Writes nothing."""
    from app.backup.copies.inspect import facts_of

    return Answer({"folders": {str(folder): facts_of(folder) for folder in folders}})


def storage_here() -> Any:
    from app import settings

    return storage_of(settings.load())


def storage_of(loaded: Any) -> Any:
    from app.storage import mounts

    return mounts.storage_of(loaded)


def say(sentence: str) -> None:
    """Before the answer, and apart from it."""
    click.echo(sentence, err=True)


def in_short(rows: dict[str, int]) -> str:
    return f"{rows.get('tasks', 0):,} tasks in {rows.get('work_items', 0):,} items"
