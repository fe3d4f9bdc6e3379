"""The database's files are removed, or others are put in their place."""

import shutil
from pathlib import Path

from app.storage.files import SIDECARS
from app.storage.mounts import beside
from tests.adversary.faults.fault import CANT_OPEN, GONE, NOTICED_SECONDS, STRANGE, Fault, newest
from tests.adversary.load import ask
from tests.adversary.world import START_SECONDS, Backup, Broken, World, eventually
from tests.app.processes import Serving
from tests.ports import free_port


def removed(world: World) -> None:
    world.database.unlink()


def removed_with_its_logs(world: World) -> None:
    for file in _files(world):
        file.unlink()


def removed_while_stopped(world: World) -> None:
    world.stop()
    world.database.unlink()
    world.start()


def removed_after_a_kill(world: World) -> None:
    """Its -wal stays there, alone."""
    world.kill()
    world.database.unlink()
    world.start()


def replaced(world: World) -> None:
    coming = world.database.with_name("coming.db")
    shutil.copyfile(newest(world).file, coming)
    coming.replace(world.database)


def what_the_app_kept(world: World) -> None:
    """One of the two ways that the refusal names: with the copy that the app has made of what it had, which is all."""
    if not eventually(lambda: "task-assist restore" in world.ready().text, START_SECONDS):
        raise Broken(f"It names no copy of what it had: {world.ready()}")
    copy = world.ready().text.partition("task-assist restore ")[2].split()[0]
    world.put_back(Backup(Path(copy), world.records.now()))


def either_way(world: World) -> None:
    world.random.choice((what_the_app_kept, restarted_on_what_was_put_there))(world)


def restarted_on_what_was_put_there(world: World) -> None:
    """Somebody who put a backup there by mv, and starts the app again: it has his backup, or refuses."""
    world.restart()
    if world.look().well:
        world.went_back_to(newest(world))
    else:
        world.put_back(newest(world))


def backup_copied_over_a_killed_one(world: World) -> None:
    """Beside the backup lies the old -wal: with it the old rows would come back, or some of them."""
    world.kill()
    log = world.database.with_name(f"{world.database.name}-wal")
    shutil.copyfile(newest(world).file, world.database)
    if not log.exists() or not log.stat().st_size:
        world.went_back_to(newest(world))
    world.start()
    if log.exists() and log.stat().st_size and world.look().well:
        raise Broken("It opened a backup together with the log of the database that was there before")


def backup_copied_over_a_stopped_one(world: World) -> None:
    """As people restored before there was a command for it, and it must work."""
    world.stop()
    shutil.copyfile(newest(world).file, world.database)
    world.went_back_to(newest(world))
    world.start()


def removed_and_at_once_stopped(world: World) -> None:
    """Before the app has looked: nobody else has what it has open."""
    world.database.unlink()
    world.stop()
    world.start()


def what_the_stopped_app_kept(world: World) -> None:
    """The copy that the one that ended has made, beside the place."""
    kept = sorted(world.disk.folder.glob(f"{world.database.stem}-kept-*.db"))
    if not kept:
        raise Broken(f"It was stopped, and nothing of what it had is kept: {sorted(world.disk.folder.iterdir())}")
    world.put_back(Backup(kept[-1], world.records.now()))


def a_folder_in_the_place_of_the_log(world: World) -> None:
    world.stop()
    beside(world.database, "-wal").mkdir()
    world.start()


def the_folder_taken_away(world: World) -> None:
    beside(world.database, "-wal").rmdir()
    world.goes_on_by_itself()


def a_second_name(world: World) -> None:
    """ln, and another app on it: it must not write beside the first one, which goes on."""
    other = world.database.with_name("other.db")
    other.hardlink_to(world.database)
    port = free_port()
    second = Serving(world.folder, port, DATABASE_PATH=str(other), DATABASE_STORAGE=world.profile)
    try:
        if not eventually(lambda: second.poll() is not None or ask(port, "GET", "/healthz").ok, START_SECONDS):
            raise Broken(f"A second app by another name does not answer within {START_SECONDS} s")
        if eventually(lambda: second.poll() is not None or ask(port, "GET", "/readyz").ok, NOTICED_SECONDS):
            if second.poll() is None:
                raise Broken("A second app writes into the same file by another name")
        elif "hard link" not in (said := ask(port, "GET", "/readyz").text):
            raise Broken(f"Of a second name of the file it says: {said}")
    finally:
        second.terminate()
        second.wait(START_SECONDS)
        other.unlink()
    world.goes_on_by_itself()


def emptied_on_purpose(world: World) -> None:
    """By the command that the refusal names."""
    world.stop()
    for file in _files(world):
        file.unlink()
    world.start()
    seen = world.look()
    if "task-assist start-empty" not in seen.text:
        raise Broken(f"Of a database that is gone it says: {seen}")
    with world.load.paused():
        code, text = world.run("start-empty")
        if code:
            raise Broken(f"start-empty ended with {code}: {text}")
        world.went_back_to(Backup(world.database, {}))
        world.goes_on_by_itself()


def _files(world: World) -> list[Path]:
    there = (beside(world.database, ending) for ending in ("", "-shm", *SIDECARS))
    return [file for file in there if file.exists()]


FAULTS = (
    Fault("file removed", removed, GONE, what_the_app_kept, at_once=True),
    Fault("file and logs removed", removed_with_its_logs, GONE, what_the_app_kept, at_once=True),
    Fault("file removed, and at once stopped", removed_and_at_once_stopped, GONE, what_the_stopped_app_kept),
    Fault("file removed while stopped", removed_while_stopped, GONE),
    Fault("file removed after a kill", removed_after_a_kill, GONE),
    Fault("file replaced by a backup", replaced, GONE, either_way, at_once=True),
    Fault("backup copied over a killed one", backup_copied_over_a_killed_one, STRANGE),
    Fault("backup copied over a stopped one", backup_copied_over_a_stopped_one),
    Fault("second app by a hard link", a_second_name),
    Fault("folder in the place of the log", a_folder_in_the_place_of_the_log, CANT_OPEN, the_folder_taken_away),
    Fault("files removed on purpose, start-empty", emptied_on_purpose),
)
