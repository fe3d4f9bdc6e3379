"""The commands that keep backups in a store: backup, backup list."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from app.operations.commands.backup_commands import JSON, Answer, answers, in_short, proof_of_snapshot, say, storage_of
from app.operations.commands.lazy_group import LazyGroup

LOOK_AGAIN = timedelta(minutes=10)
"""After another run's claim was found."""
STORE = click.option("--store", metavar="URL", help="Another place than BACKUP_URL.")


MODULES = {"drill": "proof_commands", "status": "proof_commands", "key-kit": "key_commands"}


@click.group(cls=LazyGroup, modules=MODULES, invoke_without_command=True)
@STORE
@click.option("--if-due", is_flag=True, help="Only if BACKUP_SCHEDULE asks for one that has not been made yet.")
@JSON
@click.pass_context
def backup(context: click.Context, store: str | None, if_due: bool, as_json: bool) -> None:
    """Copies the database to the store that BACKUP_URL names: checked, compressed, and encrypted for BACKUP_RECIPIENT.

    The app may go on writing. What breaks off leaves nothing behind that is listed. When it is there, older ones go
    that BACKUP_KEEP does not keep; where these can't be removed, that is a line "Warning: ..." and no failure.
    `task-assist restore latest` puts the newest one back. The running app types `backup --if-due` by itself.

    \b
    task-assist backup
    docker compose exec app task-assist backup
    docker compose exec app task-assist backup list

    \b
    Exit codes: 0 done, perhaps with warnings · 1 the store or a file can't be read or written, no room, or a
    setting is wrong · 2 wrong usage · 5 not an SQLite database
    6 another app's database · 7 written by a newer Task Assist
    8 damaged · 9 held by another process
    """
    context.obj = store
    if context.invoked_subcommand is None:
        _make(store=store, if_due=if_due, as_json=as_json)


@answers("Backing up")
def _make(store: str | None, if_due: bool, progress: Any) -> Answer:
    from app import settings
    from app.backup.stores.store import own_store

    loaded = settings.load()
    place = own_store(loaded, store)
    return _make_if_due(loaded, place, progress) if if_due else _back_up(loaded, place, None, progress)


def _make_if_due(loaded: Any, place: Any, progress: Any) -> Answer:
    import os
    import uuid
    from datetime import UTC

    from app.backup.schedule.schedule import OFF, due, last_run
    from app.backup.stores.claims import claimed
    from app.backup.stores.deployment import deployment_number, own_backups
    from app.backup.stores.stored_backup import newest_first
    from app.errors import CannotStart
    from app.operations.backups.backup_health import zone_of

    now = datetime.now(UTC)
    if loaded.backup_schedule == OFF:
        raise CannotStart("BACKUP_SCHEDULE is off, so nothing is ever due.", "Type  task-assist backup  alone.")
    number = deployment_number(storage_of(loaded).path)
    last = last_run(newest_first(own_backups(place, number)), now)
    at = due(loaded.backup_schedule, zone_of(loaded), last, now)
    if at is None:
        following = _next(loaded, place, now)
        return _none(following, f"No backup is due; the next is at {following:%Y-%m-%d %H:%M} UTC.")
    os.nice(10)  # requests go first
    with claimed(place, f"backup-id{number}" if number else "backup", at, now, str(uuid.uuid4())) as mine:
        if not mine:
            return _claimed(now)
        return _back_up(loaded, place, at, progress)


def _claimed(now: datetime) -> Answer:
    """That it is claimed is no sign that it is made: whoever claimed it may be gone."""
    look = now + LOOK_AGAIN
    sentence = f"Another run has begun the backup that is due; look again at {look:%Y-%m-%d %H:%M} UTC."
    return _none(look, sentence, claimed=True)


def _none(following: datetime, sentence: str, *, claimed: bool = False) -> Answer:
    return Answer({"made": None, "claimed": claimed, "next": following.isoformat()}, sentence)


def _next(loaded: Any, place: Any, now: datetime) -> datetime:
    """When to look again: the next time of the schedule, and a little later, as the place has it."""
    from app.backup.schedule.schedule import jitter, next_after
    from app.operations.backups.backup_health import zone_of

    at = next_after(loaded.backup_schedule, zone_of(loaded), now)
    return at + jitter(at, str(place.url))


def _back_up(loaded: Any, place: Any, scheduled_for: datetime | None, progress: Any) -> Answer:
    from datetime import UTC

    from app.backup.schedule.retention import warn_of_loss
    from app.backup.schedule.schedule import OFF
    from app.backup.stores.deployment import deployment_number, own_backups
    from app.backup.stores.stored_backup import newest_first
    from app.backup.transfer.pipeline import BackupOptions, back_up
    from app.operations.backups.backup_health import tell_app
    from app.operations.control.canary import leave_canary

    storage, warnings = storage_of(loaded), list[str]()
    before = next(newest_first(own_backups(place, deployment_number(storage.path))), None)
    canary, why_none = leave_canary(storage)
    order = BackupOptions(tuple((loaded.backup_recipient or "").split()), scheduled_for, canary)
    take = _take if scheduled_for is None else _unless_emptied(before)
    made = back_up(storage, place, order, take, say=say, progress=progress)
    if canary is None:
        warnings.append(f"No canary could be written before it, so no drill can look for one: {why_none}")
    warn_of_loss(made, before, warnings.append)
    pruned = _cleared(loaded, place, made, warnings)
    tell_app(loaded, place)
    following = None if loaded.backup_schedule == OFF else _next(loaded, place, datetime.now(UTC)).isoformat()
    facts = {"store": str(place.url), "made": made.model_dump(mode="json")}
    facts |= {"pruned": pruned, "warnings": warnings, "next": following}
    return Answer(facts, _told(place, made, pruned, warnings))


def _cleared(loaded: Any, place: Any, made: Any, warnings: list[str]) -> list[str]:
    """The names that are gone. The backup is there by now: what keeps others from going does not undo it."""
    from app.backup.schedule.retention import prune
    from app.backup.stores.claims import sweep_claims
    from app.errors import Problem
    from app.operations.backups.backup_health import zone_of

    pruned: list[str] = []
    try:
        pruned = prune(place, made, loaded.backup_keep, zone_of(loaded), warnings.append)
        sweep_claims(place, made.created_at)
    except Problem as problem:
        hint = f" {problem.hint}" if problem.hint else ""
        warnings.append(f"Older backups could not be pruned; the next backup tries again. {problem.message}{hint}")
    return pruned


def _told(place: Any, made: Any, pruned: list[str], warnings: list[str]) -> str:
    encrypted = f", encrypted for {' and '.join(made.recipients)}" if made.recipients else ""
    return "\n".join(
        [
            f"Backed up to {place.url}: {made.name}, {in_short(made.database.rows)}, {made.object_size_bytes:,} bytes"
            f"{encrypted}, checked.",
            *(f"Pruned: {name}" for name in pruned),
            *(f"Warning: {warning}" for warning in warnings),
            f"To put it back:  task-assist restore {made.name}",
        ]
    )


def _take(storage: Any, file: Path, progress: Any) -> Any:
    from app.backup.copies import manifest

    proof_of_snapshot(storage, file, False, progress)
    return manifest.read(file)


def _unless_emptied(newest: Any) -> Any:
    from app.backup.schedule.retention import refuse_emptied

    def take(storage: Any, file: Path, progress: Any) -> Any:
        taken = _take(storage, file, progress)
        refuse_emptied(taken, newest)
        return taken

    return take


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
    from app.backup.stores.deployment import deployment_number
    from app.backup.stores.store import own_store
    from app.backup.stores.stored_backup import deployment_in, manifests_without_object, names_in, read_stored_backup
    from app.errors import Mismatch, NotFound

    loaded = settings.load()
    place, number = own_store(loaded, store), deployment_number(storage_of(loaded).path)
    found, lines, unread = [], [], {}
    for name in names_in(place):
        try:
            stored = read_stored_backup(place, name)
        except (Mismatch, NotFound) as problem:
            unread[name] = problem.message
            lines.append(f"{name}  can't be read: {problem.message}")
            continue
        found.append(stored.model_dump(mode="json"))
        anothers = number and deployment_in(name) not in (None, number)
        lines.append(_line(stored) + ("  by another deployment" if anothers else ""))
    for name in manifests_without_object(place):
        unread[name] = "Its manifest is there, and the backup itself is gone."
        lines.append(f"{name}  can't be restored: {unread[name]}")
    facts = {"store": str(place.url), "backups": found, "unreadable": unread}
    return Answer(facts, "\n".join(lines) or f"There is no backup in {place.url}. To make one:  task-assist backup")


def _line(stored: Any) -> str:
    made: datetime = stored.created_at.astimezone()
    kind = "encrypted" if stored.recipients else "plain"
    return f"{stored.name}  {made:%Y-%m-%d %H:%M %Z}  {stored.object_size_bytes:>13,} bytes  {kind:9}  " + in_short(
        stored.database.rows
    )
