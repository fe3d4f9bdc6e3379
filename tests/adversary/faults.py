"""What can happen to an app, its files and its disk, each done while people work. `ALL` is the deck that is dealt."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.database.sqlite import opened, sqlite_uri
from app.storage.files import SIDECARS
from app.storage.mounts import beside, storage_under
from tests.adversary.records import unlike
from tests.adversary.world import START_SECONDS, Backup, Broken, World, eventually, held_by
from tests.app.processes import signal_all

PAGE_BYTES = 4096
NOTICED_SECONDS = 15
"""The app looks at its room and its file each few seconds; twice that and more, for a machine with other work."""


@dataclass(frozen=True)
class Fault:
    """`refusals`: the codes with which the app may answer it; without one, all must be there and well afterwards.

    `mend` is then what a person does; afterwards all must be well. `at_once`: the running app notices it by itself.
    """

    name: str
    happen: Callable[[World], None]
    refusals: frozenset[str] = frozenset()
    mend: Callable[[World], None] = lambda world: world.put_back(world.backups[-1])
    at_once: bool = False


def _newest(world: World) -> Backup:
    return world.backups[-1]


# --- the first start --------------------------------------------------------------------------------------


def first_start(world: World) -> None:
    world.start()


def first_start_killed(world: World) -> None:
    world.start()
    world.wait_a_moment(3)
    world.kill()
    world.start()


def first_start_cut_off(world: World) -> None:
    world.start()
    world.wait_a_moment(3)
    power_cut(world)


FIRST_STARTS = {
    "first start": first_start,
    "first start, killed": first_start_killed,
    "first start, power cut": first_start_cut_off,
}


# --- processes end ----------------------------------------------------------------------------------------


def killed(world: World) -> None:
    world.kill()
    world.start()


def stopped(world: World) -> None:
    if code := world.stop():
        raise Broken(f"SIGTERM ended it with {code}")
    world.start()


def killed_while_it_starts(world: World) -> None:
    world.kill()
    for _ in range(2):
        world.start()
        world.wait_a_moment(1.5)
        world.kill()
    world.start()


def handed_over(world: World) -> None:
    old = world.app
    new = world.start()
    world.look()
    assert old
    old.terminate()
    if code := old.wait(60):
        raise Broken(f"The instance that handed over ended with {code}")
    world.app = new


def upgraded(world: World) -> None:
    """With a hand-over, as a redeploy is."""
    world.bring_newer_code()
    handed_over(world)


def upgrade_killed(world: World) -> None:
    world.stop()
    world.bring_newer_code()
    killed_while_it_starts(world)


def upgrade_cut_off(world: World) -> None:
    world.stop()
    world.bring_newer_code()
    power_cut_while_it_starts(world)


def frozen(world: World) -> None:
    """Suspended for a moment, as a machine that is moved is."""
    assert world.app
    signal_all(world.app, signal.SIGSTOP)
    time.sleep(world.random.uniform(0.5, 3))
    signal_all(world.app, signal.SIGCONT)


# --- the disk ---------------------------------------------------------------------------------------------


def power_cut(world: World) -> None:
    world.disk.cut_power()
    world.wait_a_moment(0.2)
    world.kill()
    world.disk.repair()
    world.start()


def power_cut_while_it_starts(world: World) -> None:
    world.kill()
    world.start()
    world.wait_a_moment(1.5)
    power_cut(world)


def disk_full(world: World) -> None:
    world.disk.fill()
    _expect(world, "storage_full")
    world.disk.free()
    _expect(world, "")


def started_on_a_full_disk(world: World) -> None:
    """What a start needs to write has no room, so it need not be able to read."""
    world.disk.fill()
    world.kill() if world.random.random() < 0.5 else world.stop()
    world.start()
    _expect(world, "storage_full", readable=False)
    world.disk.free()
    _expect(world, "")


def read_only(world: World) -> None:
    """Not in the middle of a write: ext4 says of an fsync that meets its own error that all is well (Linux 6.18; of 40
    files that were only appended to and put on disk by fsync, one lacked its last 4 KB afterwards)."""
    with world.load.paused():
        world.disk.turn_read_only()
    _expect(world, "read_only")
    world.kill() if world.random.random() < 0.5 else world.stop()
    world.disk.repair()
    world.start()


def started_read_only(world: World) -> None:
    world.stop()
    world.disk.remount("ro")
    world.start()
    if world.look().well:
        raise Broken("It is well on a read-only file system")
    world.kill()
    world.disk.remount("rw")
    world.start()


def _expect(world: World, code: str, *, readable: bool = True) -> None:
    """/readyz comes to tell this, "" for all is well, while work goes on; and what is there can be read."""
    if not eventually(lambda: world.ready().code == code, NOTICED_SECONDS):
        wanted = code or "that all is well"
        raise Broken(f"After {NOTICED_SECONDS} s /readyz tells {world.ready()}, not {wanted}\n{world.end_of_log}")
    if readable and not (page := world.ask("/")).ok:
        raise Broken(f"While it says {code or 'that all is well'}, nothing can be read: {page}")


# --- files are removed and replaced -----------------------------------------------------------------------


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
    shutil.copyfile(_newest(world).file, coming)
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
        world.went_back_to(_newest(world))
    else:
        world.put_back(_newest(world))


def backup_copied_over_a_killed_one(world: World) -> None:
    """Beside the backup lies the old -wal: with it the old rows would come back, or some of them."""
    world.kill()
    log = world.database.with_name(f"{world.database.name}-wal")
    shutil.copyfile(_newest(world).file, world.database)
    if not log.exists() or not log.stat().st_size:
        world.went_back_to(_newest(world))
    world.start()
    if log.exists() and log.stat().st_size and world.look().well:
        raise Broken("It opened a backup together with the log of the database that was there before")


def backup_copied_over_a_stopped_one(world: World) -> None:
    """As people restored before there was a command for it, and it must work."""
    world.stop()
    shutil.copyfile(_newest(world).file, world.database)
    world.went_back_to(_newest(world))
    world.start()


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


# --- files are damaged ------------------------------------------------------------------------------------


def _folded_or_not(world: World) -> None:
    """What is in the -wal too is not lost with the file; half of the time little is."""
    if world.profile == "shared" and world.random.random() < 0.5:
        with opened(sqlite_uri(storage_under(world.database), "rw"), world.database) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def emptied(world: World) -> None:
    _folded_or_not(world)
    os.truncate(world.database, 0)


def emptied_while_stopped(world: World) -> None:
    world.stop()
    emptied(world)
    world.start()


def cut_short(world: World) -> None:
    _folded_or_not(world)
    pages = world.database.stat().st_size // PAGE_BYTES
    os.truncate(world.database, world.random.randint(1, max(1, pages - 1)) * PAGE_BYTES)


def cut_short_while_stopped(world: World) -> None:
    world.stop()
    cut_short(world)
    world.start()


def cut_short_after_a_kill(world: World) -> None:
    world.kill()
    cut_short(world)
    world.start()


def page_zeroed(world: World) -> None:
    """dd if=/dev/zero of=task_manager.db bs=4096 seek=N count=1 conv=notrunc"""
    _folded_or_not(world)
    pages = world.database.stat().st_size // PAGE_BYTES
    with world.database.open("r+b") as file:
        file.seek(world.random.randrange(pages) * PAGE_BYTES)
        file.write(bytes(PAGE_BYTES))


def page_zeroed_after_a_kill(world: World) -> None:
    world.kill()
    page_zeroed(world)
    world.start()


# --- copies -----------------------------------------------------------------------------------------------


def backed_up(world: World) -> None:
    backup = world.back_up()
    if wrong := unlike(held_by(backup.file), backup.held):
        raise Broken(f"A backup is not what the database was: {wrong[:3]}")


def backed_up_twice_to_one_name(world: World) -> None:
    """One of both, or both after each other, is done; what is there is whole."""
    file = world.new_name
    with world.records.moment() as held:
        both = [world.command("snapshot", "--force", file) for _ in range(2)]
        codes = [each.wait(60) for each in both]
    for each in both:
        each.communicate()
    if 0 not in codes:
        raise Broken(f"Of two snapshots to one name neither was made: {codes}")
    world.keep(Backup(file, held))
    backed_up(world)


def backup_killed(world: World) -> None:
    file = world.new_name
    running = world.command("snapshot", file)
    world.wait_a_moment(2)
    running.kill()
    running.communicate()
    if file.exists() and world.run("verify", file)[0] not in (0, 3):
        raise Broken("A snapshot that was killed left a file that is not whole")


def restored(world: World) -> None:
    world.put_back(world.random.choice(world.backups[-3:]))


def restore_killed(world: World) -> None:
    """The database is the old one or the backup, whole."""
    backup = _newest(world)
    with world.load.paused():  # it must be one of two, so no request may be on its way
        world.kill() if world.random.random() < 0.5 else world.stop()
        running = world.command("restore", backup.file)
        world.wait_a_moment(2)
        running.kill()
        running.communicate()
        world.start()
        if world.look().well and unlike(world.held() or {}, world.records.now()):
            world.went_back_to(backup)


GONE = frozenset({"replaced", "emptied"})
DAMAGED = frozenset({"damaged"})
STRANGE = frozenset({"strange_log"})
ALL = (
    Fault("killed", killed),
    Fault("stopped", stopped),
    Fault("killed while it starts", killed_while_it_starts),
    Fault("handed over to another instance", handed_over),
    Fault("upgraded to another schema", upgraded),
    Fault("upgrade killed", upgrade_killed),
    Fault("power cut in an upgrade", upgrade_cut_off),
    Fault("frozen for a moment", frozen),
    Fault("power cut", power_cut),
    Fault("power cut while it starts", power_cut_while_it_starts),
    Fault("disk full", disk_full),
    Fault("started on a full disk", started_on_a_full_disk),
    Fault("file system turns read-only", read_only),
    Fault("started on a read-only file system", started_read_only),
    Fault("file removed", removed, GONE, what_the_app_kept, at_once=True),
    Fault("file and logs removed", removed_with_its_logs, GONE, what_the_app_kept, at_once=True),
    Fault("file removed while stopped", removed_while_stopped, GONE),
    Fault("file removed after a kill", removed_after_a_kill, GONE),
    Fault("file replaced by a backup", replaced, GONE, either_way, at_once=True),
    Fault("backup copied over a killed one", backup_copied_over_a_killed_one, STRANGE),
    Fault("backup copied over a stopped one", backup_copied_over_a_stopped_one),
    Fault("files removed on purpose, start-empty", emptied_on_purpose),
    Fault("emptied", emptied, DAMAGED | GONE),
    Fault("emptied while stopped", emptied_while_stopped, GONE),
    Fault("cut short", cut_short, DAMAGED),
    Fault("cut short while stopped", cut_short_while_stopped, DAMAGED),
    Fault("cut short after a kill", cut_short_after_a_kill, DAMAGED),
    Fault("page zeroed", page_zeroed, DAMAGED),
    Fault("page zeroed after a kill", page_zeroed_after_a_kill, DAMAGED),
    Fault("backed up", backed_up),
    Fault("backed up twice to one name", backed_up_twice_to_one_name),
    Fault("backup killed", backup_killed),
    Fault("restored", restored),
    Fault("restore killed", restore_killed),
)
