"""What the doctor says of the backups: what the running app knows, since to ask the store itself may take minutes."""

from typing import Any

from app.errors import Problem
from app.operations.control import ask
from app.operations.finding import Finding
from app.storage.mounts import Storage

NAME = "backups"
LOOK = "To ask the store itself:  task-assist backup status"


def backup_finding(storage: Storage, backup_url: str | None) -> Finding:
    if not backup_url:
        fix = "Put a line like this into .env (docs/backups.md):\n    BACKUP_URL=file:///backups"
        return Finding(NAME, "note", "none are made: what takes this storage takes the data", None, fix)
    try:
        known = ask(storage, "backups")
    except Problem as problem:
        return Finding(
            NAME, "note", f"in {backup_url}; the running app did not say more: {problem.message}", None, LOOK
        )
    if not known:
        return Finding(NAME, "note", f"in {backup_url}; no running app makes any by a schedule", None, LOOK)
    return _of_app(known, backup_url)


def _of_app(known: dict[str, Any], backup_url: str) -> Finding:
    newest = f"the newest of {known['newest']}" if known["newest"] else "none yet"
    said = (
        f"in {backup_url}, {newest}, drilled {known['drilled'] or 'never'}; the next try at {known['next'] or 'once'}"
    )
    if known["error"]:
        fix = f"Mend that, then type  task-assist backup  or wait for the next try.\n{LOOK}"
        return Finding(NAME, "fault", f"the last try failed: {known['error']}", known, fix)
    return Finding(NAME, "ok", said, known)
