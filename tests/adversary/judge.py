"""Is the app what it says of itself? Green must mean that all is there; red must mean a cause and a way back."""

import html

from app.database.sqlite import opened, sqlite_uri
from app.errors import Refused
from app.storage.mounts import storage_under
from tests.adversary.faults.fault import NOTICED_SECONDS, Fault
from tests.adversary.records import unlike
from tests.adversary.world import Broken, Seen, World, eventually


def judged(world: World, fault: Fault) -> str:
    """Lets it happen while people work. Gives the code of the refusal, "" where nothing was lost. Raises Broken."""
    world.work()
    fault.happen(world)
    with world.load.paused():
        seen = seen_by_people(world, fault)
        if not seen.well:
            told(world, fault, seen)
            fault.mend(world)
            after = world.look()
            if not after.well:
                raise Broken(f"After the way back it still says {after}")
        all_there(world)
    world.work()  # writes are taken, too
    if world.load.wrong:
        raise Broken("\n".join(world.load.wrong[:5]))
    return seen.code


def seen_by_people(world: World, fault: Fault) -> Seen:
    """How it is once all rows were asked for and, where some may be lost, it was killed and started again."""
    if fault.at_once and not eventually(lambda: not world.ready().well, NOTICED_SECONDS):
        raise Broken(f"It stays green for {NOTICED_SECONDS} s")
    seen = world.look()
    if not seen.well or not fault.refusals:
        return seen
    if world.held() is None:
        if not eventually(lambda: not world.ready().well, NOTICED_SECONDS):
            raise Broken(f"It stays green, and rows can't be read: {world.ask('/api/v1/work-items')}")
        return world.look()
    # What no request has met is found by the check that follows an unclean end.
    world.kill()
    world.start()
    seen = world.look()
    if seen.well and not sound(world) and not eventually(lambda: not world.ready().well, NOTICED_SECONDS):
        raise Broken("It stays green, and the file is damaged")
    return world.look()


def all_there(world: World) -> None:
    held = world.held()
    if held is None:
        raise Broken(f"/readyz is green, and rows can't be read: {world.ask('/api/v1/work-items')}")
    if wrong := unlike(held, world.records.now()):
        raise Broken(f"It is green, and {len(wrong)} of {len(world.records)} records are wrong: {wrong[:3]}")
    if not (seen := world.look()).well:
        raise Broken(f"All is there, and it says {seen}")


def sound(world: World) -> bool:
    """Is the file, by SQLite's own check? Beside the running app, so not with its profile "exclusive"."""
    if world.profile == "exclusive":
        return True
    try:
        with opened(sqlite_uri(storage_under(world.database), "rw"), world.database) as connection:
            return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except Refused:
        return False


def told(world: World, fault: Fault, seen: Seen) -> None:
    """One of the refusals that fit, with cause and way back, in the log, on the page, by the doctor (once a code)."""
    if seen.code not in fault.refusals:
        raise Broken(f"It refuses, and should not: {seen}")
    message, _, hint = seen.text.partition("\n")
    if not message or not hint.strip():
        raise Broken(f"A refusal without a cause or a way back: {seen}")
    if seen.code == "cannot_start":
        return
    if message not in world.said.replace("\\\\", "\\").replace('\\"', '"'):
        raise Broken(f"The log says nothing of: {message}")
    if message not in html.unescape(world.ask("/").text):
        raise Broken(f"The page says nothing of: {message}")
    if seen.code in world.examined:
        return
    world.examined.add(seen.code)
    code, words = world.run("doctor")
    if not code or message not in words:
        raise Broken(f"doctor ends with {code} and says nothing of: {message}\n{words}")
