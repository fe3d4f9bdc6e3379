"""All faults, shuffled by a seed and dealt to some apps in turn until the time is over; and the table of what came of
them.

What each app gets follows from the seed alone: how quick the others are does not change it.
"""

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from app.storage.mounts import Profile
from tests.adversary.faults import ALL
from tests.adversary.faults.fault import Fault
from tests.adversary.faults.first_starts import FIRST_STARTS
from tests.adversary.judge import all_there, judged
from tests.adversary.world import Broken, World

HANDS = 4
"""Apps that are tried at the same time, each on a disk of its own: most of what a fault takes is waiting."""
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
    over: threading.Event = field(default_factory=threading.Event)
    """Set where no more is to begin."""
    _noting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def faults(self) -> int:
        return sum(each.total() for each in self.outcomes.values())

    @property
    def kinds(self) -> str:
        """How many of the kinds of faults there are came to pass."""
        return f"{sum(fault.name in self.outcomes for fault in ALL)} of {len(ALL)} kinds"

    def note(self, fault: str, outcome: str) -> None:
        with self._noting:
            self.tell(f"{datetime.now(UTC):%H:%M:%S} {fault}: {outcome}")
            self.outcomes.setdefault(fault, Counter())[outcome] += 1

    def ended(self, world: World) -> None:
        with self._noting:
            self.acknowledged += world.acknowledged

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
    with ThreadPoolExecutor(HANDS) as hands:
        playing = [hands.submit(_hand, run, number, until, profile, only) for number in range(HANDS)]
        try:
            wait(playing, return_when=FIRST_EXCEPTION)
        finally:
            run.over.set()
    for hand in playing:
        hand.result()
    return run


def dealt(seed: int, hand: int, deck: Sequence[Fault]) -> Iterator[Fault]:
    """What a hand gets, for ever: each card goes to the next hand, and the deck is shuffled anew when all is dealt."""
    return islice(_shuffled(seed, deck), hand, None, HANDS)


def _shuffled(seed: int, deck: Sequence[Fault]) -> Iterator[Fault]:
    dealing, cards = random.Random(seed), list(deck)
    while True:
        dealing.shuffle(cards)
        yield from cards


def _hand(run: Run, hand: int, until: float, profile: Profile, only: str) -> None:
    faults = dealt(run.seed, hand, [fault for fault in ALL if only in fault.name])
    for volume in count():
        if run.over.is_set() or time.monotonic() > until:
            return
        seed = (run.seed * HANDS + hand) * 1000 + volume
        _on_a_volume(run, faults, until, lambda: World(_folder(), seed, profile))  # noqa: B023


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="adversary-"))


def _on_a_volume(run: Run, faults: Iterator[Fault], until: float, new_world: Callable[[], World]) -> None:
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
            fault = next(faults)
            name = fault.name
            run.note(name, judged(world, fault) or WELL)
            if run.over.is_set() or time.monotonic() > until:
                break
        ended = True
    except Broken as broken:
        run.note(name, BROKEN)
        run.broken.append(f"{name} (seed {run.seed}, {world.folder}): {broken}")
        run.tell(run.broken[-1])
    finally:
        run.ended(world)
        world.end(keep=not ended)
