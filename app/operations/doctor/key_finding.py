"""What the doctor says of the keys that backups are encrypted for: was each proven within a year?"""

from datetime import datetime

from app.backup.proofs.key_proof import reminders
from app.backup.stores.store import own_store
from app.errors import Problem
from app.operations.doctor.finding import Finding
from app.settings import Settings

NAME = "backup key"
ON_PAPER = "The page for the drawer says where the backups are and how they come back:  task-assist backup key-kit"


def key_finding(settings: Settings, now: datetime) -> list[Finding]:
    """As the store says now; none where nothing is encrypted."""
    if not settings.backup_url or not settings.backup_recipient:
        return []
    try:
        found = reminders(own_store(settings), settings.backup_recipient.split(), now)
    except Problem as problem:
        return [Finding(NAME, "note", f"it isn't known when it was proven: {problem.message}", None, problem.hint)]
    if found:
        return [Finding(NAME, "note", " ".join(found), found, ON_PAPER)]
    return [Finding(NAME, "ok", "the private key of each was proven within a year", [])]
