"""The commands that say what the backups are worth: backup drill, backup status."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from app.operations.commands.backup_commands import JSON, Answer, answers, in_short, say, storage_of

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
OLD = 1
"""Exit code where the newest backup, or its last drill, is older than was asked for."""


@click.command("drill")
@click.argument("name", default="latest", metavar="[NAME|latest]")
@click.option("--identity", type=click.Path(path_type=Path), help="The private key of age, for encrypted backups.")
@click.option("--if-due", is_flag=True, help="Only if the last drill is more than seven days old.")
@JSON
@click.pass_obj
def drill(store: str | None, name: str, identity: Path | None, if_due: bool, as_json: bool) -> None:
    """Proves that a backup can be restored: fetches it, checks it, upgrades it and reads it as the app would.

    What it found is kept beside the backup, also what was wrong; the newest one that was opened is never pruned.
    Without --identity an encrypted backup can only be compared with its hash, and the answer says so: type this where
    the key is, with BACKUP_URL and what gives access to the store. DATABASE_PATH need not exist there; copies are made
    beside it.

    \b
    task-assist backup drill
    task-assist backup drill --identity key.txt

    \b
    Exit codes: those of `task-assist restore`
    """
    _drill(store=store, name=name, identity=identity, if_due=if_due, as_json=as_json)


@answers("Drilling")
def _drill(store: str | None, name: str, identity: Path | None, if_due: bool, progress: Any) -> Answer:
    from app import settings
    from app.backup.proofs.drill import Drill
    from app.backup.proofs.drill_status import not_due_after
    from app.backup.stores.deployment import deployment_number, own_backups
    from app.backup.stores.store import own_store
    from app.backup.stores.stored_backup import newest_in, read_stored_backup
    from app.operations.backups.backup_health import tell_app
    from app.operations.commands.read_through import read_through

    loaded = settings.load()
    storage = storage_of(loaded)
    place = own_backups(own_store(loaded, store), deployment_number(storage.path))
    if if_due and (last := not_due_after(place, datetime.now(UTC))):
        facts = {"drilled": None, "last": last.model_dump(mode="json"), "reminders": _reminders(loaded, place)}
        return Answer(facts, "No drill is due.")
    stored = read_stored_backup(place, newest_in(place) if name == "latest" else name)
    record = Drill(place, stored, storage, _identities(identity), read_through, progress, say).run()
    tell_app(loaded, place)
    facts = {"drilled": record.model_dump(mode="json"), "last": record.model_dump(mode="json")}
    facts |= {"reminders": _reminders(loaded, place)}
    return Answer(facts, f"{_what_it_proves(stored, record)} It took {record.seconds:.1f} s.")


def _reminders(loaded: Any, place: Any) -> list[str]:
    from app.backup.proofs.key_proof import reminders

    return reminders(place, (loaded.backup_recipient or "").split(), datetime.now(UTC))


def _identities(file: Path | None) -> list[Any]:
    from app.backup.transfer.encryption import identities_in

    return identities_in(file) if file else []


def _what_it_proves(stored: Any, record: Any) -> str:
    if record.proves == "restorable":
        read = f"fetched, checked, upgraded and read, {in_short(stored.database.rows)}, {_of_canary(stored)}"
        return f"{stored.name} can be restored: {read}."
    return (
        f"{stored.name} is, byte for byte, what was put there. It is encrypted, so that is all that can be known here:"
        " to prove the rest, type this with --identity FILE where the key is."
    )


def _of_canary(stored: Any) -> str:
    if stored.canary:
        return f"with its canary {stored.canary}"
    if stored.format == 2:
        return "without a canary: the version that made it wrote none"
    return "without a canary: when it was made, none could be written"


class Age(click.ParamType):
    """26h, 90m, 2d."""

    name = "age"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        found = re.fullmatch(r"([0-9]{1,5})([mhd])", str(value))
        if not found:
            self.fail("It is a number and m, h or d, as in 26h.", param, ctx)
        return timedelta(**{UNITS[found[2]]: int(found[1])})


@click.command("status")
@click.option("--max-age", type=Age(), metavar="26h", help="Exit with 1 if the newest backup is older.")
@click.option("--max-drill-age", type=Age(), metavar="8d", help="Exit with 1 if the last drill is older.")
@JSON
@click.pass_obj
def status(store: str | None, max_age: timedelta | None, max_drill_age: timedelta | None, as_json: bool) -> None:
    """Says how old the newest backup is, when one was last proven restorable, and what went wrong last.

    A drill counts for --max-drill-age that has opened a backup; where the newest one is encrypted, also one without
    its key, which only compares the hash. And it says which key of BACKUP_RECIPIENT was not proven within a year, by a
    drill with --identity.

    \b
    task-assist backup status
    docker compose exec app task-assist backup status --max-age 26h

    \b
    Exit codes: 0 well · 1 older than asked for, none at all, the last drill or the app's
    last try failed, or the store can't be read · 2 wrong usage
    """
    _status(store=store, max_age=max_age, max_drill_age=max_drill_age, as_json=as_json)


@answers("Looking")
def _status(store: str | None, max_age: timedelta | None, max_drill_age: timedelta | None, progress: Any) -> Answer:  # noqa: ARG001
    from app import settings
    from app.backup.proofs.drill_status import drill_status
    from app.backup.schedule.backup_status import backup_status, describe_ahead, describe_bereft
    from app.backup.stores.deployment import deployment_number, describe_other_deployments, own_backups
    from app.backup.stores.store import own_store
    from app.operations.backups.backup_health import zone_of

    loaded = settings.load()
    storage = storage_of(loaded)
    whole, number = own_store(loaded, store), deployment_number(storage.path)
    place, others = own_backups(whole, number), describe_other_deployments(whole, number)
    found = backup_status(place, loaded.backup_schedule, zone_of(loaded), datetime.now(UTC))
    drilled = drill_status(place)
    error, silence = _met_by_app(storage)
    faults = [
        *_faults_of_backup(found, max_age),
        *_faults_of_drill(drilled, max_drill_age),
        *([f"the app's last try failed: {error}"] if error else []),
        *([f"what the app met can't be told: {silence}"] if silence else []),
        *([describe_ahead(found.ahead)] if found.ahead else []),
        *([describe_bereft(found.bereft)] if found.bereft else []),
    ]
    age = int(_since(found.made_at).total_seconds()) if found.made_at else None
    reminders = _reminders(loaded, place)
    facts = {"store": str(place.url), **found.as_dict(), "age_seconds": age, "error": error, "faults": faults}
    drills = {"restorable": drilled.restorable, "unchanged": drilled.unchanged, "failed": drilled.failed}
    facts |= {"drills": {what: each and each.model_dump(mode="json") for what, each in drills.items()}}
    facts |= {"reminders": reminders, "others": others}
    lines = [
        *_lines(found, drilled, place),
        *([f"Others   {others}"] if others else []),
        *(f"Key      {reminder}" for reminder in reminders),
        *(f"Not well: {fault}" for fault in faults),
        *(f"To remove {name}, if this clock is right:  {command}" for name, command in found.ahead.items()),
        *(f"To remove what is left of {name}:  {command}" for name, command in found.bereft.items()),
    ]
    return Answer(facts, "\n".join(lines), OLD if faults else 0)


def _met_by_app(storage: Any) -> tuple[str | None, str | None]:
    """Why its last try failed; and why it does not say, which hides nothing of what the store says."""
    from app.errors import Problem
    from app.operations.control.control import ask

    try:
        return (ask(storage, "backups") or {}).get("error"), None
    except Problem as problem:
        return None, problem.message


def _lines(found: Any, known: Any, place: Any) -> list[str]:
    made, opened, unchanged = found.made_at, known.restorable, known.unchanged
    newer = unchanged and (opened is None or unchanged.drilled_at > opened.drilled_at)
    by_hash = "it is encrypted, and without a key its hash alone was compared"
    return [
        f"Newest   {found.newest}, {_age(_since(made))} old" if made else f"Newest   none in {place.url}",
        *([f"Drill    {_drilled(opened, 'was restorable')}"] if opened else []),
        *([f"Drill    {_drilled(unchanged, 'was unchanged')}: {by_hash}"] if newer else []),
        *(["Drill    none yet"] if not opened and not unchanged else []),
    ]


def _drilled(last: Any, how: str) -> str:
    return f"{last.name} {how}, {_age(_since(last.drilled_at))} ago"


def _faults_of_backup(found: Any, most: timedelta | None) -> list[str]:
    from app.operations.backups.backup_health import missing

    if found.made_at is None:
        return ["there is no backup"]
    return [
        *([f"the newest is older than {_age(most)}"] if most and _since(found.made_at) > most else []),
        *([missing(found.due_at)] if found.is_missing(datetime.now(UTC)) else []),
    ]


def _faults_of_drill(known: Any, most: timedelta | None) -> list[str]:
    faults = [f"{_drilled(known.failed, 'failed its drill')}: {known.failed.why}"] if known.failed else []
    if most is None:
        return faults
    if known.counts is None:
        why = "was opened by a drill, only compared" if known.unchanged else "has passed a drill yet"
        return [*faults, f"no backup {why}:  task-assist backup drill"]
    if _since(known.counts.drilled_at) > most:
        faults.append(f"the last drill is older than {_age(most)}")
    return faults


def _since(time: datetime) -> timedelta:
    return datetime.now(UTC) - time


def _age(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
