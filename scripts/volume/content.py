"""What a volume holds, as `task-assist facts` in the image tells it."""

from dataclasses import dataclass
from typing import Any

from .engine import Place, command
from .helper import DATA, LOOKING, helper
from .speak import all_rows, in_short, size, unseen
from .stop import CANT_WRITE, NOT_THERE, REFUSED, Stop
from .tar import APP_USER

SIDECARS = ("-wal", "-shm", "-journal")
LEASE = ".lease/"


@dataclass(frozen=True)
class Content:
    """`folder` is all that `task-assist facts` says, `database` its entry of the file that is looked after."""

    folder: dict[str, Any]
    database: dict[str, Any] | None

    @property
    def files(self) -> list[dict[str, Any]]:
        return self.folder["files"]

    @property
    def rows(self) -> dict[str, int] | None:
        """None where there is no database of Task Assist that can be read."""
        facts = self.database and self.database["database"]
        return None if not facts or facts["problem"] else facts["rows"]

    @property
    def problem(self) -> dict[str, str] | None:
        """Why the file can't be used as Task Assist's database; None without a file and for a good one."""
        if not self.database:
            return None
        if not self.database["readable"]:
            return {"code": "unreadable", "message": f"It {whose(self.database['owner'])}.", "hint": ""}
        if not self.database["database"]:
            return {"code": "not_sqlite", "message": "It is not an SQLite database.", "hint": ""}
        return self.database["database"]["problem"]

    @property
    def strange_owner(self) -> int | None:
        """The user whose folder or database the app can't write in; None where it can.

        An empty volume is no matter: Docker hands it to the app when the app's container starts.
        """
        kept = (self.folder, self.database) if self.files else ()
        return next((each["owner"] for each in kept if each and not each["writable"]), None)

    def databases(self) -> list[str]:
        """The names of all the files that are databases of Task Assist."""
        return [file["name"] for file in self.files if file["database"] and "rows" in file["database"]]

    def others(self) -> list[str]:
        """The names of the files that are no part of the database."""
        own = self.database["name"] if self.database else ""
        return [file["name"] for file in self.files if not (own and _part_of(own, file["name"]))]

    def in_words(self) -> str:
        """What is in the file, in half a sentence."""
        if self.rows is not None:
            return in_short(self.rows)
        return f"can't be used: {self.problem['message'].rstrip('.')}" if self.problem else "none"


def _part_of(database: str, name: str) -> bool:
    beside = name.removeprefix(database)
    return beside in ("", *SIDECARS) or (beside != name and beside.startswith(LEASE))


def content(place: Place) -> Content:
    """Looks into the volume, which is mounted read-only for it."""
    with helper(place, [LOOKING, DATA]) as looking:
        folder = looking.run(unseen)["folders"][DATA]
        for file in folder["files"]:
            if problem := file["database"] and file["database"]["problem"]:
                problem["message"] = looking.as_said_outside(problem["message"])
    database = next((file for file in folder["files"] if file["name"] == place.file), None)
    return Content(folder, database)


def refuse_without_database(place: Place, found: Content) -> None:
    """Raises Stop where there is no database that could be backed up, and says what is there."""
    if not found.database:
        raise Stop(f"{place.volume} holds no {place.file}: {what_else(found)}.", _where_else(found), NOT_THERE)
    if found.problem and found.problem["code"] != "in_use":
        message = f"{place.file} in {place.volume} is no database that can be backed up: {found.problem['message']}"
        hint = hand_over(place) if found.problem["code"] == "unreadable" else found.problem["hint"]
        raise Stop(message, hint, REFUSED)


def refuse_strange_owner(place: Place, found: Content) -> None:
    """Raises Stop where the app may not write: SQLite keeps its locks beside the database, also for reading."""
    if found.strange_owner is not None:
        message = f"{place.volume} {whose(found.strange_owner)}, so the app (user {APP_USER}) can't write there."
        raise Stop(message, f"Nothing was changed. {hand_over(place)}", CANT_WRITE)


def what_else(found: Content) -> str:
    """What a volume without the database holds."""
    if not found.files:
        unreadable = found.folder["folders_not_readable"]
        return f"its folder {whose(found.folder['owner'])} and can't be read" if unreadable else "it is empty"
    names = ", ".join(file["name"] for file in found.files[:3])
    more = len(found.files) - 3 + found.folder["files_not_shown"]
    return f"it holds {names}" + (f" and {more} more" if more > 0 else "")


def _where_else(found: Content) -> str:
    if found.databases():
        return f"It holds {', '.join(found.databases())}: name it with --file."
    return f"To see which volumes hold a database:  {command('list', '--volumes')}"


def described(found: Content) -> dict[str, str]:
    """The database as lines of a table."""
    if not found.database:
        return {"Database": f"none: {what_else(found)}"}
    lines = {"Database": f"{found.database['name']}, {size(found.database['size_bytes'])}"}
    if found.rows is None:
        return lines | {"Problem": found.problem["message"] if found.problem else ""}
    facts = found.database["database"]
    return lines | {"Rows": all_rows(found.rows), "Schema": facts["revision"], "Journal": facts["journal_mode"]}


def whose(owner: int) -> str:
    """Why the app can't use what belongs to `owner`."""
    return "has a mode that shuts its own user out" if owner == APP_USER else f"belongs to user {owner}"


def hand_over(place: Place) -> str:
    """The command that gives the volume to the app's user, who may then write."""
    mount = f"-v {place.volume}:{DATA}"
    both = f"chown -R {APP_USER}:{APP_USER} {DATA} && chmod -R u+rwX {DATA}"
    return f"Hand it over:  docker run --rm --user 0 {mount} {place.image} sh -c '{both}'"
