"""What says who writes, the folder beside the database, is taken away or made unreadable."""

import shutil
from pathlib import Path

from app.storage.mounts import storage_under
from app.writer.lease_files import SIZE
from tests.adversary.faults.fault import Fault
from tests.adversary.faults.processes import handed_over
from tests.adversary.world import World


def folder_removed(world: World) -> None:
    """rm -rf .task_manager.db.lease, and half of the time another instance comes before anybody has noticed."""
    _remove_folder(world)
    if world.random.random() < 0.5:
        handed_over(world)


def folder_removed_while_stopped(world: World) -> None:
    world.stop()
    _remove_folder(world)
    world.start()


def folder_removed_after_a_kill(world: World) -> None:
    world.kill()
    _remove_folder(world)
    world.start()


def records_zeroed(world: World) -> None:
    """As a file system may leave what was written last before a crash."""
    _zero_records(world)
    handed_over(world)


def records_zeroed_after_a_kill(world: World) -> None:
    world.kill()
    _zero_records(world)
    world.start()


def records_emptied_while_stopped(world: World) -> None:
    world.stop()
    for record in _folder(world).glob("term-*"):
        record.write_bytes(b"")
    world.start()


def _remove_folder(world: World) -> None:
    """Also where the app is writing in it just then, or where it was taken away before and is not made again yet."""
    shutil.rmtree(_folder(world), ignore_errors=True)


def _zero_records(world: World) -> None:
    for record in _folder(world).glob("term-*"):
        with record.open("r+b") as file:
            file.write(bytes(SIZE))


def _folder(world: World) -> Path:
    return storage_under(world.database).lease


FAULTS = (
    Fault("lease's folder removed", folder_removed),
    Fault("lease's folder removed while stopped", folder_removed_while_stopped),
    Fault("lease's folder removed after a kill", folder_removed_after_a_kill),
    Fault("lease's records zeroed", records_zeroed),
    Fault("lease's records zeroed after a kill", records_zeroed_after_a_kill),
    Fault("lease's records emptied while stopped", records_emptied_while_stopped),
)
