"""delete: the volume and all that is in it, after a last backup."""

from argparse import ArgumentParser, Namespace
from typing import Any

from .content import content, what_else
from .engine import Place, command
from .leftovers import at_work
from .safety import keep
from .speak import Speaker
from .stop import IN_USE, REFUSED, Stop

HELP = "Deletes the volume, after a last backup of its database into backups/."
EXAMPLES = ("delete", "delete --volume task-manager-test --yes --no-backup")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--no-backup", action="store_true", help="take no last backup")


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    place.attributes()
    with at_work(place, speaker):
        refuse_in_use(place)
        found = content(place)
        if found.files and not found.databases() and (not found.problem or found.problem["code"] == "other_app"):
            raise Stop(
                f"{place.volume} holds no database of Task Assist: {what_else(found)}.",
                f"Nothing was deleted. To delete it all the same:  docker volume rm {place.volume}",
                REFUSED,
            )
        speaker.say(f"This deletes the volume {place.volume} and in it")
        speaker.say(f"  {place.file}: {found.in_words()}")
        for name in found.others():
            speaker.say(f"  {name} (no backup is made of it)")
        speaker.confirm_by_name("Delete the volume?", place.volume, "Nothing was deleted.")
        backup = None if options.no_backup else keep(place, found, "before-delete-", speaker)
        place.client.volumes.get(place.volume).remove()
    if backup:
        speaker.say(f"To have it back:  {command('create', place=place)}")
        speaker.say(f"and then:  {command('restore', *backup.words, place=place)}")
    speaker.say(f"Deleted the volume {place.volume}.")
    return {"volume": place.volume, "deleted": True, "backup": str(backup.path) if backup else None}


def refuse_in_use(place: Place) -> None:
    users = place.users()
    if users:
        names = " ".join(container.name for container in users)
        raise Stop(
            f"{place.volume} is used by {', '.join(f'{each.name} ({each.status})' for each in users)}.",
            f"Nothing was deleted. Remove what uses it first:  docker compose down  or:  docker rm --force {names}",
            IN_USE,
        )
