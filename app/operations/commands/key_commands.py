"""The command that prints the page for the drawer: backup key-kit."""

from datetime import UTC, datetime
from typing import Any

import click

from app.operations.commands.backup_commands import Answer, answers, storage_of


@click.command("key-kit")
@click.pass_obj
def key_kit(store: str | None) -> None:
    """Prints the page for the drawer: where the backups are, which key opens them, and how they come back.

    Also without Task Assist. No secret is on it. Print it again when the key or the place changes.

    \b
    task-assist backup key-kit >key-kit.txt
    docker compose exec app task-assist backup key-kit >key-kit.txt

    \b
    Exit codes: 0 printed · 1 BACKUP_URL is not set, or the store can't be read · 2 wrong usage
    """
    _print(store=store, as_json=False)


@answers("Looking")
def _print(store: str | None, progress: Any) -> Answer:  # noqa: ARG001
    from app import settings
    from app.backup.proofs.key_proof import last_proof
    from app.backup.restoring.key_kit import Kit, page
    from app.backup.stores.deployment import deployment_number, own_backups
    from app.backup.stores.store import own_store
    from app.backup.stores.stored_backup import names_in, without_future

    loaded, now = settings.load(), datetime.now(UTC)
    place = own_backups(own_store(loaded, store), deployment_number(storage_of(loaded).path))
    kit = Kit(
        store=place,
        keys={key: last_proof(place, key) for key in (loaded.backup_recipient or "").split()},
        newest=next(reversed(without_future(names_in(place), now)), None),
        schedule=loaded.backup_schedule,
        keep=loaded.backup_keep,
        printed_at=now,
    )
    return Answer({}, page(kit))
