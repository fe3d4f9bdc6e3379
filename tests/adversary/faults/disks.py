"""The disk ends in the middle of its work, is full, or takes no writes."""

from tests.adversary.faults.fault import NOTICED_SECONDS, Fault
from tests.adversary.world import Broken, World, eventually


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


def upgrade_cut_off(world: World) -> None:
    world.stop()
    world.bring_newer_code()
    power_cut_while_it_starts(world)


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


FAULTS = (
    Fault("power cut", power_cut),
    Fault("power cut while it starts", power_cut_while_it_starts),
    Fault("power cut in an upgrade", upgrade_cut_off),
    Fault("disk full", disk_full),
    Fault("started on a full disk", started_on_a_full_disk),
    Fault("file system turns read-only", read_only),
    Fault("started on a read-only file system", started_read_only),
)
