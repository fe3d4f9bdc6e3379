"""undo: the last restore is taken back, whichever command made it, by what that one kept in the volume."""

from argparse import ArgumentParser, Namespace
from typing import Any

from .content import content
from .engine import Place, command
from .exchange import Incoming, confirm, exchange, refuse_to_exchange, tell, tell_end
from .helper import helper
from .leftovers import at_work
from .speak import Speaker, in_short, unseen
from .stop import NOT_THERE, Stop

HELP = "Takes the last restore back: what it kept in the volume takes the place again, and what is there now is kept."
EXAMPLES = ("undo --dry-run", "undo --yes")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only show what would come back")


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    place.attributes()
    with at_work(place, speaker):
        facts = _what_undoes(place)
        incoming = Incoming(facts["file"], facts, ["undo", "--json"], command("undo", place=place))
        now, stopping = content(place), place.running_users()
        refuse_to_exchange(place, now, stopping)
        tell(now, incoming, stopping, speaker)
        result = {"volume": place.volume, "from": facts["file"], "rows_before": now.rows, "rows_after": facts["rows"]}
        if options.dry_run:
            speaker.say("Nothing was changed: this was a dry run.")
            return result | {"undone": False}
        confirm(place, now, incoming, speaker)
        done = exchange(place, incoming, stopping, speaker)
    tell_end(place, facts["file"], done, speaker)
    rows = in_short(facts["rows"]) if facts["sound"] else "as it was, unchecked"
    speaker.say(f"Took the last restore of {place.volume} back: {rows}.")
    return result | {"undone": True, "kept": done.kept, "started_again": done.mended.started}


def _what_undoes(place: Place) -> dict[str, Any]:
    with helper(place, ["undoes"]) as looking:
        try:
            return looking.run(unseen)
        except Stop as stop:
            if stop.code != NOT_THERE:
                raise
            listing = f"To see what is in the volume:  {command('list', place=place)}"
            raise Stop(stop.message, f"Nothing was changed. {listing}", NOT_THERE) from None
