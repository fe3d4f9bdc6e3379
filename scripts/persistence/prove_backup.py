"""That a backup of after the canary exists and holds it, of an app with people's data."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .canary import Canary, add_task
from .engine import answer
from .record import Record
from .remote import Remote
from .restored_here import restored_here
from .site import Site
from .stop import Failed, Unproven
from .storage import told_by_doctor

Verb = Callable[..., dict[str, Any]]
"""Types a verb of task-assist, and gives what it answers. Raises Failed with what it refused."""
TRIES = 3
"""Backups that are made until nobody has written between one and the look at it."""
LOOKS_EVERY = 10.0
"""Seconds, while a backup of the schedule is waited for."""


def prove_backup(remote: Remote, record: Record, canary: Canary, wait: float, say: Any) -> None:
    """`wait`: seconds for one of the schedule. Without a way to look into one it is unproven."""
    if remote.shell:
        return _by_shell(remote, record, canary)
    with record.step("Looked for a backup of after the canary, and restored it on this machine") as facts:
        health = remote.site.health()
        refuse_none(health)
        if not remote.store:
            raise _not_tried(health)
        _wait_for_newer(remote.site, health, canary, wait, say)
        facts |= restored_here(remote.store, "latest", canary, remote.identity)
        record.backup |= facts
    return None


def back_up(verb: Verb) -> dict[str, Any]:
    """The manifest of the one that was made. Raises Failed where none was."""
    try:
        return verb("backup")["made"]
    except Failed as failed:
        raise Failed("backup_failed", f"No backup could be made: {failed.message}", failed.hint) from None


# --- where somebody can type in it ---------------------------------------------------------------------------


def _by_shell(remote: Remote, record: Record, canary: Canary) -> None:
    def verb(*words: str) -> dict[str, Any]:
        return answer(remote.shell, *words)

    with record.step("Let it check all of its database, and where its backups lie") as facts:
        facts |= told_by_doctor(verb("doctor", "--full"))
    if remote.store:
        with record.step("Made a backup where it runs, and restored it on this machine") as facts:
            facts |= restored_here(remote.store, back_up(verb)["name"], canary, remote.identity)
            record.backup |= facts
        return
    with record.step("Made a backup where it runs, opened it there, and compared it with the database") as facts:
        made = compared(verb)
        refuse_elsewhere(remote.site, canary, verb, made["name"])
        facts |= {"name": made["name"], "bytes": made["object_size_bytes"], "lacks": 0}
        record.backup |= facts | {"made_at": made["database"]["created_at"], "restored_elsewhere": False}


def compared(verb: Verb) -> dict[str, Any]:
    """The manifest of a backup that lacks no item and no task of the database, the canary's among them.

    Raises Failed where each of TRIES lacks some: it is another database's, or people write all the time.
    """
    lacks = 0
    for _ in range(TRIES):
        made = back_up(verb)
        drilled = verb("backup", "drill", made["name"])["drilled"]
        if drilled["proves"] != "restorable":
            raise Unproven(
                "no_key",
                f"{made['name']} is encrypted, and the key is not where the app is.",
                "Where the key is, with access to the store:  --store URL --identity FILE",
            )
        found = verb("restore", made["name"], "--dry-run")["difference"]
        lacks = sum(found[table]["go"] + found[table]["change"] for table in ("work_items", "tasks"))
        if not lacks:
            return made
    raise Failed(
        "wrong_backup",
        f"{TRIES} backups, each made a moment ago, lack items or tasks that the database has: the last one {lacks}.",
        "Is BACKUP_URL that of another app? If people write all the time, try again when they don't.",
    )


def refuse_elsewhere(site: Site, canary: Canary, verb: Verb, backup: str) -> None:
    """Raises Failed where verbs are typed in another app: what this writes at the site is not in its database.

    Of `backup`, which lacked nothing, the database has to have one task more.
    """
    add_task(site, canary, "Written to see that the backup is of this app")
    if not verb("restore", backup, "--dry-run")["difference"]["tasks"]["go"]:
        raise Failed(
            "wrong_backup",
            f"{backup} is of another app: what is written at {site.url} is not in the database where --exec types.",
            "Name a command that types task-assist where this address leads to:  --exec 'COMMAND'",
        )


# --- where nobody can ----------------------------------------------------------------------------------------


def refuse_none(health: dict[str, Any]) -> None:
    backup = health.get("backup")  # of an older version it is not there at all
    if backup is None:
        raise Failed(
            "backups_nowhere",
            "The app makes no backups: what takes its storage takes the data.",
            "Put a line like this into its settings (docs/backups.md):  BACKUP_URL=file:///backups",
        )
    if backup["failing"]:
        raise Failed("backup_failed", "The app's last backup failed.", "To see why:  task-assist backup status")


def _wait_for_newer(site: Site, health: dict[str, Any], canary: Canary, wait: float, say: Any) -> None:
    """Until the app has made one after the canary, where its schedule has one within `wait` seconds."""
    written, until = _moment(canary.item["created_at"]), time.monotonic() + wait
    following = health["backup"].get("next")
    if _newest(health) > written or not following or (_moment(following) - written).total_seconds() > wait:
        return
    say(f"The next backup is at {following}. This waits for it.")
    while time.monotonic() < until:
        health = site.health()
        refuse_none(health)
        if _newest(health) > written:
            return
        time.sleep(LOOKS_EVERY)


def _newest(health: dict[str, Any]) -> datetime:
    return _moment(health["backup"].get("newest") or "1970-01-01T00:00:00+00:00")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _not_tried(health: dict[str, Any]) -> Unproven:
    newest, following = (health["backup"].get(name) or "unknown" for name in ("newest", "next"))
    return Unproven(
        "backup_not_tried",
        f"The app's newest backup is of {newest}, the next is at {following}, and none can be looked into from here.",
        "Name where task-assist can be typed:  --exec 'docker exec task-assist task-assist'\n"
        "or the store, where something gives access to it:  --store s3://BUCKET/FOLDER",
    )
