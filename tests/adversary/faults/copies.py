"""Copies are made and put back, and that is broken off."""

import shutil
from pathlib import Path

from tests.adversary.faults.damage import zero_a_page
from tests.adversary.faults.fault import DAMAGED, Fault, newest
from tests.adversary.records import unlike
from tests.adversary.world import Backup, Broken, World, held_by


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
    _killed(world, 2, "snapshot", file)
    if file.exists() and world.run("verify", file)[0] not in (0, 3):
        raise Broken("A snapshot that was killed left a file that is not whole")


def _killed(world: World, seconds: float, *command: str | Path) -> None:
    """A command of the app's, at a moment within so many seconds."""
    running = world.command(*command)
    world.wait_a_moment(seconds)
    running.kill()
    running.communicate()


def restored(world: World) -> None:
    world.put_back(world.random.choice(world.backups[-3:]))


def restore_killed(world: World) -> None:
    """The database is the old one or the backup, whole."""
    backup = newest(world)
    with world.load.paused():  # it must be one of two, so no request may be on its way
        world.kill() if world.random.random() < 0.5 else world.stop()
        _killed(world, 2, "restore", backup.file)
        world.start()
        if world.look().well and unlike(world.held() or {}, world.records.now()):
            world.went_back_to(backup)


def restore_killed_beside_the_running_app(world: World) -> None:
    """The app has handed over or not; it goes on by itself with the old one or the backup."""
    backup = newest(world)
    with world.load.paused():
        _killed(world, 3, "restore", backup.file)
        if world.look().well and unlike(world.held() or {}, world.records.now()):
            world.went_back_to(backup)


def restored_as_it_is(world: World) -> None:
    """Nothing is checked before, so all is checked afterwards: until then it is called damaged."""
    backup = newest(world)
    with world.load.paused():
        running = world.random.random() < 0.5
        if not running:
            world.stop()
        _restored_as_it_is(world, backup.file)
        world.went_back_to(backup)
        if not running:
            world.start()
        world.goes_on_by_itself()


def damaged_one_restored_as_it_is(world: World) -> None:
    backup = newest(world)
    copy = world.new_name
    shutil.copyfile(backup.file, copy)
    zero_a_page(world, copy)
    with world.load.paused():
        world.stop()
        _restored_as_it_is(world, copy)
        world.went_back_to(backup)
        world.start()


def _restored_as_it_is(world: World, file: Path) -> None:
    code, text = world.run("restore", "--as-it-is", file)
    if code:
        raise Broken(f"restore --as-it-is ended with {code}: {text}")


FAULTS = (
    Fault("backed up", backed_up),
    Fault("backed up twice to one name", backed_up_twice_to_one_name),
    Fault("backup killed", backup_killed),
    Fault("restored", restored),
    Fault("restore killed", restore_killed),
    Fault("restore killed beside the running app", restore_killed_beside_the_running_app),
    Fault("restored as it is", restored_as_it_is),
    Fault("damaged one restored as it is", damaged_one_restored_as_it_is, DAMAGED),
)
