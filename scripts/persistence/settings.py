"""The settings of an app that is started for a proof: the person's own, but for what would reach beyond the proof."""

from typing import Any

STORE = "file:///backups"
"""Where its backups go, unless it has a folder for them."""
REACHING_OUT = (
    "ADMIN_EMAIL ADMIN_PASSWORD ADMIN_PASSWORD_FILE PUBLIC_URL TRUSTED_PROXIES CLIENT_ADDRESS_HEADER NOTIFY_URL "
    "NOTIFY_URL_FILE BACKUP_CREDENTIALS BACKUP_RECIPIENT"
).split()


def of_the_proof(settings: dict[str, Any]) -> dict[str, Any]:
    """Answers this machine alone, without sign-in, and backs up when it is told to.

    One store is for one database, so a bucket is left alone, and a folder is mounted from a volume of the proof's.
    """
    kept = {name: value for name, value in settings.items() if name not in REACHING_OUT}
    store = str(settings.get("BACKUP_URL") or "")
    return {
        **kept,
        "AUTH_DISABLED": "true",
        "BACKUP_URL": store if store.startswith("file:") else STORE,
        "BACKUP_SCHEDULE": "off",
    }


def names_a_folder(settings: dict[str, Any]) -> bool:
    """True where the set-up itself says in which folder its backups go."""
    return str(settings.get("BACKUP_URL") or "").startswith("file:")
