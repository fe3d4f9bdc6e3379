"""inspect: where the volume is, who uses it, and what its database holds."""

from argparse import ArgumentParser, Namespace
from typing import Any

from .content import Content, content, described, hand_over, whose
from .engine import Place
from .leftovers import at_work
from .speak import Speaker, size

HELP = "Shows where the volume is, which containers use it, and what its database holds."
EXAMPLES = ("inspect", "inspect --volume task-manager-test --json")


def arguments(parser: ArgumentParser) -> None:
    del parser


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    del options
    with at_work(place, speaker, only_looking=True):
        attributes = place.attributes()
        found = content(place)
    users = {container.name: container.status for container in place.users()}
    speaker.facts(_where(place, attributes, found, users) | described(found))
    used = f"in use by {', '.join(users)}" if users else "not in use"
    speaker.say(f"The database of {place.volume}: {found.in_words()}; {used}.")
    return {
        "volume": place.volume,
        "driver": attributes["Driver"],
        "mountpoint": attributes["Mountpoint"],
        "created_at": attributes["CreatedAt"],
        "labels": attributes["Labels"],
        "options": attributes["Options"],
        "used_by": users,
        **found.folder,
        "file": place.file,
        "database": found.database,
    }


def _where(place: Place, attributes: dict[str, Any], found: Content, users: dict[str, str]) -> dict[str, str]:
    folder = found.folder
    count = len(folder["files"]) + folder["files_not_shown"]
    facts = {
        "Volume": attributes["Name"],
        "Driver": attributes["Driver"],
        "Mountpoint": attributes["Mountpoint"],
        "File system": f"{folder['file_system']}, {size(folder['free_bytes'])} of {size(folder['total_bytes'])} free",
        "Size": f"{size(folder['size_bytes'])} in {count} file{'' if count == 1 else 's'}",
        "Used by": ", ".join(f"{name} ({status})" for name, status in users.items()) or "no container",
    }
    if found.strange_owner is not None:
        facts["Owner"] = f"It {whose(found.strange_owner)}, so the app (user 1000) can't write. {hand_over(place)}"
    return facts
