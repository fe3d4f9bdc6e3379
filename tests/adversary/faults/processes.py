"""Processes end, are followed by others, or stand still."""

import signal
import time

from tests.adversary.faults.fault import Fault
from tests.adversary.world import Broken, World
from tests.app.processes import signal_all


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


def frozen(world: World) -> None:
    """Suspended for a moment, as a machine that is moved is."""
    assert world.app
    signal_all(world.app, signal.SIGSTOP)
    time.sleep(world.random.uniform(0.5, 3))
    signal_all(world.app, signal.SIGCONT)


FAULTS = (
    Fault("killed", killed),
    Fault("stopped", stopped),
    Fault("killed while it starts", killed_while_it_starts),
    Fault("handed over to another instance", handed_over),
    Fault("upgraded to another schema", upgraded),
    Fault("upgrade killed", upgrade_killed),
    Fault("frozen for a moment", frozen),
)
