"""The settings of an app that is started for a proof: the person's own, but for what would reach beyond the proof."""

from typing import Any
from urllib.parse import unquote, urlsplit

STORE = "file:///backups"
"""Where its backups go, unless it has a folder for them."""
REACHING_OUT = (
    "ADMIN_EMAIL ADMIN_PASSWORD ADMIN_PASSWORD_FILE PUBLIC_URL TRUSTED_PROXIES CLIENT_ADDRESS_HEADER NOTIFY_URL "
    "NOTIFY_URL_FILE BACKUP_CREDENTIALS BACKUP_RECIPIENT BACKUP_SCHEDULE"
).split()

NO_BACKUPS = "BACKUP_URL (not set here: by itself it makes no backups)"


def of_the_proof(settings: dict[str, Any]) -> dict[str, Any]:
    """Answers this machine alone, without sign-in, and backs up when it is told to.

    One store is for one database, so a bucket is left alone, and a folder is mounted from a volume of the proof's.
    """
    kept = {name: value for name, value in settings.items() if name not in REACHING_OUT}
    store = str(settings["BACKUP_URL"]) if names_a_folder(settings) else STORE
    return {**kept, "AUTH_DISABLED": "true", "BACKUP_URL": store, "BACKUP_SCHEDULE": "off"}


def replaced(settings: dict[str, Any]) -> list[str]:
    """The names of those that the proof does without, or replaces: what they do is not proven."""
    found = [name for name in REACHING_OUT if settings.get(name)]
    if str(settings.get("AUTH_DISABLED", "true")).lower() != "true":
        found.append("AUTH_DISABLED")
    if not names_a_folder(settings):
        found.append("BACKUP_URL" if settings.get("BACKUP_URL") else NO_BACKUPS)
    return sorted(found)


def names_a_folder(settings: dict[str, Any]) -> bool:
    """True where the set-up itself says in which folder its backups go."""
    return str(settings.get("BACKUP_URL") or "").startswith("file:")


def folder_of(store: str) -> str:
    """Of a BACKUP_URL that is one, as the app reads it (app/setting_values.py); empty for a bucket."""
    address = urlsplit(store)
    return unquote(address.path).rstrip("/") if address.scheme == "file" else ""
