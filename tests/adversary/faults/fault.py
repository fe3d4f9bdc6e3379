"""What a fault is: how it is brought about, what the app may answer, and what a person does then."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.adversary.world import Backup, World

NOTICED_SECONDS = 15
"""The app looks at its room and its file each few seconds; twice that and more, for a machine with other work."""
GONE = frozenset({"replaced", "emptied"})
DAMAGED = frozenset({"damaged"})
STRANGE = frozenset({"strange_log"})


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


def newest(world: World) -> Backup:
    return world.backups[-1]
