"""What the app is told of its own backups, the same on every place. Where they go is each place's store.py."""

from collections.abc import Mapping

import pulumi

from config import StackConfig

# What was deleted or overwritten in a store can be had back for so many days, and an upload that broke off is gone.
DELETED_STAYS_DAYS = 30
UNFINISHED_STAYS_DAYS = 7
NOTIFY_VARIABLE = "NOTIFY_URL"


def settings(config: StackConfig, url: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """The plain ones. With backups off the app keeps its store, for a restore and for a backup by hand."""
    recipient = {"BACKUP_RECIPIENT": config.backup_recipient} if config.backup_recipient else {}
    return {
        "BACKUP_URL": url,
        "BACKUP_SCHEDULE": config.backups.cron if config.backups else "off",
        "BACKUP_KEEP": str(config.keep),
        **recipient,
    }


def secrets(config: StackConfig) -> Mapping[str, pulumi.Output[str]]:
    """A webhook's address lets everybody write who knows it, so it goes where the password goes."""
    return {NOTIFY_VARIABLE: pulumi.Output.secret(config.notify_url)} if config.notify_url else {}


def warning(config: StackConfig) -> str | None:
    """What `up` says of a stack that nothing backs up."""
    if config.backups:
        return None
    return "Nothing backs this stack up: backupSchedule is off. To mend it:  pulumi config rm backupSchedule"
