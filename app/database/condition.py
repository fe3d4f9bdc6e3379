"""What is wrong with the open database, told in the same words by all who are asked, until it is mended.

Whoever meets a fault reports it here: a request, the checks beside the requests, a command. The log, the pages, the
API, /readyz, /healthz and the doctor read it from here.
"""

import shlex
import threading
from collections import Counter
from copy import copy
from pathlib import Path

import structlog

from app.errors import Damaged, ReadOnly, Refused, Replaced, StorageFull, Unwell
from app.storage.cant_open import CantOpen
from app.storage.hint_commands import WHERE_IT_RUNS
from app.storage.led_elsewhere import LedElsewhere

GRAVEST_FIRST: tuple[type[Unwell], ...] = (Replaced, LedElsewhere, Damaged, CantOpen, ReadOnly, StorageFull)

log = structlog.get_logger()


class Condition:
    """Of one open database. It ends with it: who opens the file again starts without a fault, and looks."""

    def __init__(self) -> None:
        self._known: dict[type[Unwell], Unwell] = {}
        self._reports: Counter[type[Unwell]] = Counter()
        self._changing = threading.Lock()
        self.possible_loss = ""
        """What may be missing in it (possible_loss.py). No fault: reading and writing go on."""

    @property
    def problem(self) -> Unwell | None:
        """The gravest of what is wrong, None while all is well."""
        known = self._known  # replaced, never changed
        found = next((known[kind] for kind in GRAVEST_FIRST if kind in known), None)
        # A copy: an exception that is raised by many requests would keep the stacks of all of them.
        return copy(found)

    def report(self, problem: Unwell) -> Unwell:
        """Remembers what is wrong, and says it in the log the first time. Gives what is to be raised: of what is known
        already its first words, which are in the log."""
        with self._changing:
            self._reports[type(problem)] += 1
            if known := self.known(type(problem)):
                return known
            self._known = {**self._known, type(problem): problem}
        log.error(str(problem), problem=problem.code)
        return problem

    def restate(self, problem: Unwell) -> None:
        """The same fault in newer words, which say more."""
        with self._changing:
            self._known = {**self._known, type(problem): problem}
        log.error(str(problem), problem=problem.code)

    def knows(self, kind: type[Unwell]) -> bool:
        return kind in self._known

    def reports(self, kind: type[Unwell]) -> int:
        """How often it was met: a check that began before the last time says nothing of that."""
        return self._reports[kind]

    def known(self, kind: type[Unwell]) -> Unwell | None:
        """What was reported of this kind and is not mended. A copy, to be raised."""
        return copy(self._known.get(kind))

    def mended(self, *kinds: type[Unwell]) -> None:
        """What was wrong in these ways is not any more."""
        with self._changing:
            ended = [self._known[kind] for kind in kinds if kind in self._known]
            self._known = {kind: known for kind, known in self._known.items() if kind not in kinds}
        for problem in ended:
            log.warning(f"This is over: {problem.message}", problem=problem.code)

    def wrote(self) -> None:
        """A write is on disk, so there is room, and the file system takes writes."""
        if self._known:
            self.mended(StorageFull, ReadOnly)

    def refuse_writes(self) -> None:
        """Raises what is wrong where a write would be lost with it, however it is mended."""
        problem = self.problem
        if problem and problem.stops_writes:
            raise problem


def how_to_go_back(database: Path) -> str:
    inside = f"task-assist restore {shlex.quote(str(database.with_name('BACKUP.db')))}"
    outside = "python scripts/manage_db_volume.py restore BACKUP.db"
    width = max(len(inside), len(outside))
    return (
        "Put the newest backup in its place; the app goes on with it:\n"
        f"  {inside:{width}}     {WHERE_IT_RUNS}\n"
        f"  {outside:{width}}     for a Docker volume, from outside\n"
        "task-assist doctor --full says more of what is damaged."
    )


def damaged(database: Path, what: str) -> Damaged:
    """`what`: SQLite's words for it."""
    return Damaged(
        f"{database} is damaged: {what}.",
        f"Nothing is written any more, since a restore would lose it. {how_to_go_back(database)}",
    )


def found_damaged(database: Path, when: str, refused: Refused) -> Damaged:
    """What was refused because of what the database holds."""
    found = refused.message.removesuffix(".").removeprefix(f"{database} is damaged: ")
    return damaged(database, f"{when}: {found}")
