"""The command that takes in a database from where it was not kept: import-db."""

from pathlib import Path
from typing import Any

import click

from app.operations.commands.backup_commands import FILE, JSON, Answer, answers, storage_here
from app.operations.commands.restore_commands import replace_database


@click.command("import-db")
@FILE
@JSON
@answers("Importing")
def import_db(file: Path, progress: Any) -> Answer:
    """Puts a database of Task Assist that was copied from elsewhere in the place, with the -wal or -journal beside it.

    For what ran without persistent storage: FILE is what was copied out of a container or a web app, stopped if that
    can be. FILE itself stays as it is; what is in the place now is kept, and `task-assist undo` goes back.

    \b
    task-assist import-db /tmp/task_manager.db
    docker compose run --rm -v "$PWD:/from:ro" app task-assist import-db /from/task_manager.db

    \b
    Exit codes: those of `task-assist restore`
    """
    from app.backup.copies.disk_space import refuse_without_room_for_copy
    from app.backup.copies.overwrite_rules import refuse_own
    from app.backup.copies.staging import temporary_folder_beside
    from app.backup.copies.verify import refuse_unreadable, verify
    from app.errors import Refused
    from app.storage.files import SIDECARS, copy, size_of
    from app.storage.guard import refuse_unwritable
    from app.storage.mounts import beside

    storage = storage_here()
    refuse_unreadable(file)
    refuse_own(storage, file)  # copied while the app writes, it would take the place of what is written meanwhile
    refuse_unwritable(storage)
    with temporary_folder_beside(storage.path, ".imported") as folder:
        found = [ending for ending in ("", *SIDECARS) if ending == "" or size_of(beside(file, ending))]
        refuse_without_room_for_copy(folder, sum(size_of(beside(file, ending)) for ending in found))
        here = folder / file.name
        for ending in found:
            copy(beside(file, ending), beside(here, ending), progress)
        try:
            found = verify(here, fold=True)
            return replace_database(
                str(file), found, storage, progress, moves=True, no_keep=False, as_it_is=False, again=None
            )
        except Refused as refused:
            raise type(refused)(refused.message.replace(str(here), str(file)), refused.hint) from None
