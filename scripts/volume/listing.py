"""list: the files in the volume, or the volumes that hold a database of Task Assist."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from .content import content
from .engine import LABEL, Place, is_helper, told_in_words
from .helper import LOOKING, Helper, container_of
from .leftovers import at_work
from .speak import Speaker, in_short, size, unseen
from .stop import Stop

HELP = "Lists the files in the volume, or with --volumes the volumes that hold a database of Task Assist."
EXAMPLES = ("list", "list --volumes")
MOUNTED_AT = "/volumes"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--volumes", action="store_true", help="the volumes that hold a database, whatever they are called"
    )


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    return _volumes(place, speaker) if options.volumes else _files(place, speaker)


def _files(place: Place, speaker: Speaker) -> dict[str, Any]:
    with at_work(place, speaker, only_looking=True):
        place.attributes()
        found = content(place)
    rows = [(file["name"], size(file["size_bytes"]), _when(file), _what(file)) for file in found.files]
    if rows:
        speaker.table([("FILE", "SIZE", "CHANGED (UTC)", "HOLDS"), *rows])
    hidden = found.folder["files_not_shown"]
    more = f", {hidden:,} of them not shown" if hidden else ""
    speaker.say(f"{place.volume} holds {len(rows) + hidden:,} files{more}, {size(found.folder['size_bytes'])}.")
    return {"volume": place.volume, "files": found.files, "files_not_shown": hidden}


def _volumes(place: Place, speaker: Speaker) -> dict[str, Any]:
    volumes = [volume.attrs for volume in place.client.volumes.list() if not is_helper(volume.attrs)]
    found, problems = _looked_into(place, volumes)
    listed = []
    for attributes in volumes:
        name = attributes["Name"]
        files = found.get(name, {}).get("files", [])
        databases = [file for file in files if file["database"] and not _is_foreign(file)]
        if databases or _is_labelled(attributes):
            users = {container.name: container.status for container in Place(place.client, name, "", "").users()}
            listed.append(
                {"volume": name, "databases": databases, "used_by": users, "created_at": attributes["CreatedAt"]}
            )
    _show_volumes(listed, speaker)
    for name, why in problems.items():
        speaker.say(f"Could not look into {name}: {why}")
    speaker.say(f"{len(listed)} of {len(volumes)} volumes here hold a database of Task Assist, or were made for one.")
    return {"volumes": listed, "not_looked_into": problems}


def _show_volumes(listed: list[dict[str, Any]], speaker: Speaker) -> None:
    rows = []
    for each in listed:
        users = ", ".join(each["used_by"])
        rows += [(each["volume"], file["name"], _what(file), users) for file in each["databases"]]
        if not each["databases"]:
            rows.append((each["volume"], "none", "", users))
    if rows:
        speaker.table([("VOLUME", "FILE", "HOLDS", "USED BY"), *rows])


def _looked_into(place: Place, volumes: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """What is in each volume, and why not for those that can't be mounted."""
    found, problems = {}, {}
    for names in _together(volumes):
        try:
            with told_in_words():
                found |= _facts_of(place, names)
        except Stop as stop:
            if len(names) == len(volumes):
                raise
            problems |= dict.fromkeys(names, stop.message)
    return found, problems


def _together(volumes: list[dict[str, Any]]) -> Iterator[list[str]]:
    """The plain ones at once; each of those that a server or a plugin must mount by itself, since that may fail."""
    plain = [each["Name"] for each in volumes if each["Driver"] == "local" and not each["Options"]]
    if plain:
        yield plain
    for each in volumes:
        if each["Name"] not in plain:
            yield [each["Name"]]


def _facts_of(place: Place, names: list[str]) -> dict[str, Any]:
    mounted = {f"{MOUNTED_AT}/{number}": name for number, name in enumerate(names)}
    with container_of(place, [LOOKING, *mounted], {path: (name, True) for path, name in mounted.items()}) as container:
        folders = Helper(container, place).run(unseen)["folders"]
    return {mounted[path]: facts for path, facts in folders.items()}


def _is_labelled(attributes: dict[str, Any]) -> bool:
    labels = attributes["Labels"] or {}
    return LABEL in labels or labels.get("com.docker.compose.volume") == "task-manager-db"


def _is_foreign(file: dict[str, Any]) -> bool:
    problem = file["database"]["problem"]
    return bool(problem) and problem["code"] not in ("newer_revision", "in_use")


def _what(file: dict[str, Any]) -> str:
    if not file["readable"]:
        return f"user {file['owner']}'s"
    if not file["database"]:
        return ""
    problem = file["database"]["problem"]
    return problem["code"].replace("_", " ") if problem else in_short(file["database"]["rows"])


def _when(file: dict[str, Any]) -> str:
    return file["changed_at"][:16].replace("T", " ")
