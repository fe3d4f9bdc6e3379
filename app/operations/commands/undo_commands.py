"""The commands that take the last restore back, and say what that would be: undo, undoes."""

from typing import Any

import click

from app.operations.commands.backup_commands import JSON, Answer, answers, storage_here
from app.operations.commands.restore_commands import replace_database, verified


@click.command()
@JSON
@answers("Undoing")
def undo(progress: Any) -> Answer:
    """Takes the last restore back: what was there before it takes the place again, and what is there now is kept.

    So `undo` twice is as if nothing had been undone.

    \b
    task-assist undo
    docker compose exec app task-assist undo

    \b
    Exit codes: those of `task-assist restore`; 1 also where no restore has kept anything
    """
    from app.backup.restoring.undo import what_undoes
    from app.errors import Conflict

    storage = storage_here()
    kept = what_undoes(storage.path)
    found = verified(kept.file, as_it_is=not kept.sound)
    file, unsound = str(kept.file), not kept.sound

    def is_still_the_last() -> None:
        if what_undoes(storage.path) != kept:
            raise Conflict(
                "Meanwhile another restore, or undo, has come to its end.",
                "Nothing was changed. That one would be taken back now:  task-assist undo",
            )

    return replace_database(
        file,
        found,
        storage,
        progress,
        moves=False,
        no_keep=False,
        as_it_is=unsound,
        again=[file],
        is_right=is_still_the_last,
    )


@click.command(hidden=True)
@answers("Looking")
def undoes(progress: Any) -> Answer:
    """Says in JSON what `undo` would put in the place. Writes nothing."""
    from app.backup.restoring.undo import what_undoes

    kept = what_undoes(storage_here().path)
    found = verified(kept.file, progress=progress, as_it_is=not kept.sound)
    contents = found.contents
    facts = {"file": kept.file.name, "sound": kept.sound, "proven": found.proven, "sha256": found.sha256}
    return Answer(facts | {"rows": contents.rows, "revision": contents.revision or "not looked at"})
