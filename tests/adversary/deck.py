"""All faults, shuffled by a seed and dealt until the time is over; and the table of what came of them."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from app.storage.mounts import Profile
from tests.adversary.faults import ALL, FIRST_STARTS, Fault
from tests.adversary.judge import all_there, judged
from tests.adversary.world import Broken, World

ON_ONE_VOLUME = 10
"""Faults, then a new volume: so first starts are among what is tried, and what must be read again stays little."""
WELL, BROKEN = "nothing lost", "broken"


@dataclass
class Run:
    """`outcomes`: by fault, how often nothing was lost, how often it was refused with which code, or broken."""

    seed: int
    tell: Callable[[str], None] = lambda _: None
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    acknowledged: int = 0

    @property
    def faults(self) -> int:
        return sum(each.total() for each in self.outcomes.values())

    def note(self, fault: str, outcome: str) -> None:
        self.tell(f"{datetime.now(UTC):%H:%M:%S} {fault}: {outcome}")
        self.outcomes.setdefault(fault, Counter())[outcome] += 1

    @property
    def table(self) -> str:
        """In Markdown, for the docs."""
        order = [*FIRST_STARTS, *(fault.name for fault in ALL)]
        lines = ["| what happened, under load | times | nothing lost | refused, and mended as it says | broken |"]
        lines.append("|---|---:|---:|---|---:|")
        for name in sorted(self.outcomes, key=order.index):
            found = self.outcomes[name]
            refused = ", ".join(f"{code} {n}" for code, n in sorted(found.items()) if code not in (WELL, BROKEN))
            lines.append(f"| {name} | {found.total()} | {found[WELL]} | {refused or '–'} | {found[BROKEN]} |")
        return "\n".join(lines)


def play(run: Run, seconds: float, *, profile: Profile = "shared", only: str = "") -> Run:
    """Deals until `seconds` are over, of the faults whose name contains `only`. Needs root on Linux."""
    until = time.monotonic() + seconds
    dealt = _dealt(run.seed, only)
    volume = 0
    while time.monotonic() < until:
        volume += 1
        _on_a_volume(run, dealt, until, lambda: World(_folder(), run.seed * 1000 + volume, profile))  # noqa: B023
    return run


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="adversary-"))


def _dealt(seed: int, only: str) -> Iterator[Fault]:
    dealing = random.Random(seed)
    deck = [fault for fault in ALL if only in fault.name]
    while True:
        dealing.shuffle(deck)
        yield from deck


def _on_a_volume(run: Run, dealt: Iterator[Fault], until: float, new_world: Callable[[], World]) -> None:
    """A first start, and faults until one breaks the promise, or there were enough."""
    world = new_world()
    name, ended = "", False
    try:
        name = world.random.choice(list(FIRST_STARTS))
        FIRST_STARTS[name](world)
        if not world.look().well:
            raise Broken(f"The first start ended as {world.look()}")
        all_there(world)
        world.work()
        world.back_up()
        run.note(name, WELL)
        for _ in range(ON_ONE_VOLUME):
            fault = next(dealt)
            name = fault.name
            run.note(name, judged(world, fault) or WELL)
            if time.monotonic() > until:
                break
        ended = True
    except Broken as broken:
        run.note(name, BROKEN)
        run.broken.append(f"{name} (seed {run.seed}, {world.folder}): {broken}")
        run.tell(run.broken[-1])
    finally:
        run.acknowledged += world.acknowledged
        world.end(keep=not ended)
