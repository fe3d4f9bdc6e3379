"""What the doctor says of the backups: what their store says now, as in `backup status`, and what the app met last."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from app.backup.schedule.backup_status import BackupStatus, backup_status, describe_ahead, describe_bereft
from app.backup.stores.deployment import deployment_number, describe_other_deployments, own_backups
from app.backup.stores.store import own_store
from app.errors import Problem
from app.operations.backups.backup_health import missing, zone_of
from app.operations.control.control import ask
from app.operations.doctor.finding import Finding
from app.setting_values import store_url
from app.storage.mounts import Mount, mount_of, read_mounts, storage_of

NAME = "backups"
LOOK = "To look again:  task-assist backup status"
MAKE = "To make one now:  task-assist backup"


def backup_finding(loaded: Any, now: datetime) -> Finding:
    """`loaded`: the settings. It asks the store, which may take minutes where that does not answer."""
    if not loaded.backup_url:
        fix = "Put a line like this into .env (docs/backups.md):\n    BACKUP_URL=file:///backups"
        return Finding(NAME, "note", "none are made: what takes this storage takes the data", None, fix)
    try:
        store, number = own_store(loaded), deployment_number(storage_of(loaded).path)
        status = backup_status(own_backups(store, number), loaded.backup_schedule, zone_of(loaded), now)
        others = describe_other_deployments(store, number)
    except Problem as problem:
        return Finding(NAME, "fault", f"{loaded.backup_url} can't be read: {problem.message}", None, problem.hint)
    found = _of(status, _known_to_app(loaded), loaded, now)
    if found.level != "fault" and _lies_with_data(loaded):
        found = _said_of_data(found)
    return _with_others(found, others) if others else found


def _said_of_data(found: Finding) -> Finding:
    text = f"{found.text}; they lie on the data's own storage: what takes that takes both"
    fix = "Mount a volume of its own there:  docker run -v task-manager-backups:/backups ..."
    return Finding(NAME, "note", text, found.value | {"with_data": True}, fix)


def _lies_with_data(loaded: Any) -> bool:
    """A folder on the volume or share that holds the database, in a container; on a laptop all lies on one disk."""
    store = store_url(loaded.backup_url)
    if store.scheme != "file" or loaded.app_env != "production":
        return False
    folder, mounts = Path(store.path).resolve(), read_mounts()
    data, backups = storage_of(loaded).mount, mount_of(folder, mounts)
    return data.source == backups.source and _outside(backups, folder).is_relative_to(data.root)


def _outside(mount: Mount, folder: Path) -> Path:
    """Where it is in the file system that is mounted."""
    return Path(mount.root) / folder.relative_to(mount.point)


def _with_others(found: Finding, others: str) -> Finding:
    """It is no fault, but what is well all the same is to be read."""
    level = "note" if found.level == "ok" else found.level
    return replace(found, level=level, text=f"{found.text}. {others}")


def _known_to_app(loaded: Any) -> dict[str, Any]:
    """Empty where no app runs here, or it does not answer: the other findings say so."""
    try:
        return ask(storage_of(loaded), "backups") or {}
    except Problem:
        return {}


def _of(status: BackupStatus, known: dict[str, Any], loaded: Any, now: datetime) -> Finding:
    value = status.as_dict() | {"error": known.get("error"), "next": known.get("next")}
    if error := known.get("error"):
        fix = f"Mend that, then type  task-assist backup  or wait for the next try.\n{LOOK}"
        return Finding(NAME, "fault", f"the last try failed: {error}", value, fix)
    if status.due_at and status.is_missing(now):
        return Finding(NAME, "fault", f"{missing(status.due_at)}; {_said(status, loaded)}", value, MAKE)
    if status.ahead:
        fix = "\n".join(["If this clock is right, remove them:", *status.ahead.values()])
        return Finding(NAME, "fault", f"{_said(status, loaded)}; {describe_ahead(status.ahead)}", value, fix)
    if status.bereft:
        fix = "\n".join(["Find out what removes them, then remove the rest:", *status.bereft.values()])
        return Finding(NAME, "fault", f"{_said(status, loaded)}; {describe_bereft(status.bereft)}", value, fix)
    if status.made_at is None:
        return Finding(NAME, "note", _said(status, loaded), value, MAKE)
    following = f"; the next try at {known['next']}" if known.get("next") else ""
    return Finding(NAME, "ok", _said(status, loaded) + following, value)


def _said(status: BackupStatus, loaded: Any) -> str:
    if status.made_at is None:
        return f"in {loaded.backup_url}, none yet"
    drilled = status.drill.drilled_at.isoformat() if status.drill else "never"
    return f"in {loaded.backup_url}, the newest of {status.made_at.isoformat()}, drilled {drilled}"
