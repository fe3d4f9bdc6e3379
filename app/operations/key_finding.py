"""What the doctor says of the keys that backups are encrypted for: was each proven within a year?"""

from contextlib import suppress

from app.errors import Problem
from app.operations.control import ask
from app.operations.finding import Finding
from app.settings import Settings
from app.storage.mounts import Storage

NAME = "backup key"
ON_PAPER = "The page for the drawer says where the backups are and how they come back:  task-assist backup key-kit"


def key_finding(storage: Storage, settings: Settings) -> list[Finding]:
    """None where nothing is encrypted, or where no running app knows: backup_finding() says that."""
    if not settings.backup_url or not settings.backup_recipient:
        return []
    known = None
    with suppress(Problem):
        known = ask(storage, "backups")
    if not known or not known["drilled"]:
        return []
    if reminders := known["reminders"]:
        return [Finding(NAME, "note", " ".join(reminders), reminders, ON_PAPER)]
    return [Finding(NAME, "ok", "the private key of each was proven within a year", [])]
