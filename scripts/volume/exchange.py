"""What restore and undo share: another database takes the place, by a verb of the app, while nothing has it open."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .content import Content, refuse_strange_owner
from .engine import Place, command, told_in_words
from .helper import helper
from .leftovers import Mended, mend, note
from .speak import Speaker, in_short
from .stop import IN_USE, INTERRUPTED, REFUSED, Stop


@dataclass(frozen=True)
class Incoming:
    """What is to take the place. `source`: its name for a person; `facts`: proven, rows, revision, sha256.

    `verb` puts it there, and is typed again `by`.
    """

    source: str
    facts: dict[str, Any]
    verb: list[str]
    by: str
    scratch: str | None = None


def refuse_to_exchange(place: Place, now: Content, stopping: list[Any]) -> None:
    """Raises Stop where another app's database is in the place, or stopping would delete a container."""
    problem = now.problem
    if problem and problem["code"] == "other_app":
        raise Stop(
            f"{place.file} in {place.volume} is another app's database.",
            "Nothing was changed. Name another file with --file, or another volume with --volume.",
            REFUSED,
        )
    refuse_strange_owner(place, now)
    vanishing = [container.name for container in stopping if container.attrs["HostConfig"]["AutoRemove"]]
    if vanishing:
        names = " ".join(vanishing)
        raise Stop(
            f"{names} uses {place.volume} and was started with --rm: stopping it, as a restore must, would delete it.",
            f"Nothing was changed. Stop it yourself, restore, and start it as you did:  docker stop {names}",
            IN_USE,
        )


def tell(now: Content, incoming: Incoming, stopping: list[Any], speaker: Speaker) -> None:
    """What is there, and what will be."""
    facts = incoming.facts
    sound = "sound, but unproven" if facts["rows"] else "as it is, unchecked"
    proven = "byte for byte what its manifest says" if facts["proven"] else sound
    speaker.facts(
        {
            "From": f"{incoming.source}, {proven}",
            "Schema": facts["revision"],
            "Stops": ", ".join(container.name for container in stopping) or "no container",
        }
    )
    before, after = now.rows or {}, facts["rows"]
    tables = sorted(before.keys() | after.keys())
    unknown = "?" if now.database and now.rows is None else "-"
    speaker.table(
        [
            ("TABLE", "ROWS NOW", "ROWS AFTER"),
            *((table, str(before.get(table, unknown)), str(after.get(table, "-"))) for table in tables),
        ]
    )


def confirm(place: Place, now: Content, incoming: Incoming, speaker: Speaker) -> None:
    """Asks once, where there is something that a person should say yes to. Raises Stop after anything but that."""
    doubts = _doubts(place, now, incoming)
    if doubts:
        speaker.confirm(f"{' '.join(doubts)} Go on?", "Nothing was changed.")


def _doubts(place: Place, now: Content, incoming: Incoming) -> list[str]:
    doubts = []
    if now.rows and any(now.rows.values()):
        there = f"{place.volume} holds {in_short(now.rows)} now"
        doubts.append(f"{there}: what {incoming.source} holds takes their place.")
    if not incoming.facts["proven"]:
        doubts.append(f"{incoming.source} is unproven: no manifest says that it is what was backed up.")
    if now.problem and now.problem["code"] != "in_use":
        doubts.append(f"{place.file} in {place.volume} can't be read: {now.problem['message']}")
    elif now.problem:
        doubts.append(f"What {place.file} in {place.volume} holds can't be seen now: {now.problem['message']}")
    elif not now.database and now.files:
        doubts.append(f"{place.volume} holds {len(now.files)} other files, but no {place.file}.")
    return doubts


@dataclass(frozen=True)
class Exchanged:
    """`kept`: the name of the copy in the volume, None where there was nothing to keep. `sound`: it is a backup."""

    kept: str | None
    sound: bool
    mended: Mended


def exchange(place: Place, incoming: Incoming, stopping: list[Any], speaker: Speaker) -> Exchanged:
    """Stops, replaces; whatever happens, `mend` starts again and says which database is there."""
    try:
        note(place, stopping, incoming.facts["sha256"], incoming.source)
        for container in stopping:
            container.stop()
        with (
            helper(place, incoming.verb, volume="write", scratch=incoming.scratch) as replacing,
            speaker.progress() as advance,
        ):
            answer = replacing.run(advance)
    except BaseException as error:
        raise _undone(place, incoming, error) from error
    mended = mend(place)
    if not mended or not mended.has_new:
        raise Stop(
            f"{place.volume} has not the database of {incoming.source} now, though it was put there.",
            f"To see what is there:  {command('inspect', place=place)}",
        )
    return Exchanged(next((Path(name).name for name in answer["kept"]), None), answer["kept_sound"], mended)


def _undone(place: Place, incoming: Incoming, error: BaseException) -> Stop:
    """Brings what was begun to an end, and says which database is there now."""
    mended = mend(place)
    now = f"{place.volume}: {mended}" if mended else "Nothing was changed."
    if isinstance(error, KeyboardInterrupt):
        finish = "" if mended and mended.has_new else f" To restore it:  {incoming.by}"
        return Stop("Interrupted.", now + finish, INTERRUPTED)
    try:
        with told_in_words():
            raise error
    except Stop as stop:
        return Stop(stop.message, f"{now} {stop.hint.removeprefix('Nothing was changed. ')}".strip(), stop.code)


def tell_end(place: Place, source: str, done: Exchanged, speaker: Speaker) -> None:
    """Raises Stop where a container that was stopped for it does not come back."""
    back = f"To go back:  {command('undo', place=place)}" if done.kept else ""
    if done.mended.not_ready:
        raise Stop(
            f"{place.volume} has the database of {source}, but {', '.join(done.mended.not_ready)} is not ready.",
            f"To see why:  docker logs {done.mended.not_ready[0]}\n{back}".rstrip(),
        )
    if done.kept:
        how = "" if done.sound else " It is no whole database, and kept byte for byte."
        speaker.say(f"Kept what was there in the volume, as {done.kept}.{how}")
        speaker.say(back)
