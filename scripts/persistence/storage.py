"""What the app itself says of its storage, on /healthz and in its doctor."""

from typing import Any

from .placement import HOW
from .stop import Failed

FACTS = ("mount", "filesystem", "profile", "persistent")


def refuse_ephemeral(health: dict[str, Any]) -> None:
    """Raises Failed where the app itself says that its place is erased, or that changes may be missing."""
    database = health["database"]
    if not database["persistent"]:
        raise Failed(
            "not_persistent",
            f"The app itself says that its data is not kept: {database['mount']} ({database['filesystem']}) is erased "
            "with the container.",
            HOW,
        )
    if database.get("may_lack_changes"):
        raise Failed(
            "may_lack_changes", "The app says that changes may be missing.", "To see which:  task-assist doctor"
        )


def refuse_moved(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises Failed where the data lies on something else than before."""
    for name in ("mount", "filesystem"):
        if before["database"][name] != now["database"][name]:
            raise Failed(
                "moved",
                f"The database's {name} was {before['database'][name]}, and is {now['database'][name]}.",
                "The deployment mounts another storage. Which one has the data?",
            )


def health_facts(health: dict[str, Any]) -> dict[str, Any]:
    return {name: health["database"][name] for name in FACTS}


def told_by_doctor(said: dict[str, Any]) -> dict[str, str]:
    """What it found well, by the findings' names. Raises Failed with the first fault, and for backups on the data's own
    storage."""
    for finding in said["findings"]:
        if finding["level"] == "fault":
            raise Failed(
                f"doctor_{finding['name'].replace(' ', '_')}",
                f"The doctor found a fault: {finding['name']}: {finding['text']}",
                finding["fix"],
            )
        if finding["name"] == "backups" and (finding["value"] or {}).get("with_data"):
            raise Failed("backups_with_data", f"The doctor says: backups: {finding['text']}", finding["fix"])
    return {each["name"]: each["text"] for each in said["findings"] if each["name"] in TOLD}


TOLD = ("sqlite", "schema", "fsync", "integrity")
"""Of the findings those that the receipt has. The others have paths in them."""
