"""The first start on a new volume, undisturbed or not."""

from tests.adversary.faults.disks import power_cut
from tests.adversary.world import World


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
