"""The commands that keep backups in a store: backup, backup list."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.operations.backup_commands import JSON, Answer, answers, in_short, proof_of_snapshot, storage_of

STORE = click.option("--store", metavar="URL", help="Another place than BACKUP_URL.")


@click.group(invoke_without_command=True)
@STORE
@JSON
@click.pass_context
def backup(context: click.Context, store: str | None, as_json: bool) -> None:
    """Copies the database to the store that BACKUP_URL names: checked, compressed, and encrypted for BACKUP_RECIPIENT.

    The app may go on writing. What breaks off leaves nothing behind that is listed. `task-assist restore latest` puts
    the newest one back.

    \b
    task-assist backup
    docker compose exec app task-assist backup
    docker compose exec app task-assist backup list

    \b
    Exit codes: 0 done · 1 the store or a file can't be read or written, no room, or a
    setting is wrong · 2 wrong usage · 5 not an SQLite database
    6 another app's database · 7 written by a newer Task Assist
    8 damaged · 9 held by another process
    """
    context.obj = store
    if context.invoked_subcommand is None:
        _make(store=store, as_json=as_json)


@answers("Backing up")
def _make(store: str | None, progress: Any) -> Answer:
    from app import settings
    from app.backup.pipeline import Order, back_up
    from app.backup.store import store_at

    loaded = settings.load()
    order = Order(tuple((loaded.backup_recipient or "").split()))
    place = store_at(store or loaded.backup_url)
    made = back_up(storage_of(loaded), place, order, _take, say=_say, progress=progress)
    return Answer(
        made.model_dump(mode="json"),
        f"Backed up to {place.url}: {made.name}, {in_short(made.database.rows)}, {made.object_size_bytes:,} bytes"
        f"{_for_whom(made)}, checked.\nTo put it back:  task-assist restore {made.name}",
    )


def _take(storage: Any, file: Path, progress: Any) -> Any:
    from app.backup import manifest

    proof_of_snapshot(storage, file, False, progress)
    return manifest.read(file)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)


def _for_whom(made: Any) -> str:
    return f", encrypted for {' and '.join(made.recipients)}" if made.recipients else ""


@backup.command("list")
@JSON
@click.pass_obj
def list_(store: str | None, as_json: bool) -> None:
    """Says which backups are in the store, the newest last.

    \b
    task-assist backup list
    docker compose exec app task-assist backup list --json
    """
    _list(store=store, as_json=as_json)


@answers("Looking")
def _list(store: str | None, progress: Any) -> Answer:  # noqa: ARG001
    from app import settings
    from app.backup.store import store_at
    from app.backup.stored import names_in, stored_in
    from app.errors import Problem

    place = store_at(store or settings.load().backup_url)
    found, lines, unread = [], [], {}
    for name in names_in(place):
        try:
            stored = stored_in(place, name)
        except Problem as problem:
            unread[name] = problem.message
            lines.append(f"{name}  can't be read: {problem.message}")
            continue
        found.append(stored.model_dump(mode="json"))
        lines.append(_line(stored))
    facts = {"store": str(place.url), "backups": found, "unreadable": unread}
    return Answer(facts, "\n".join(lines) or f"There is no backup in {place.url}. To make one:  task-assist backup")


def _line(stored: Any) -> str:
    made: datetime = stored.created_at.astimezone()
    kind = "encrypted" if stored.recipients else "plain"
    return f"{stored.name}  {made:%Y-%m-%d %H:%M %Z}  {stored.object_size_bytes:>13,} bytes  {kind:9}  " + in_short(
        stored.database.rows
    )


COMMANDS = (backup,)
