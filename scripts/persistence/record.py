"""What was done in a proof, when, with which figures: it becomes the receipt."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .machine import commit, machine
from .stop import Stop, Unproven

Facts = dict[str, Any]
PROVEN, FAILED, UNPROVEN, NOT_TRIED = "proven", "failed", "unproven", "not tried"


@dataclass
class Step:
    """`outcome`: ok, failed or unproven. `seconds` are those of this machine's own clock."""

    what: str
    began_at: str
    seconds: float = 0.0
    outcome: str = "ok"
    facts: Facts = field(default_factory=dict)


class Record:
    """`target` is what was proven, as it is typed. `say` prints a line for a person. `left`: what of it is not gone."""

    def __init__(self, target: str, say: Callable[[str], None] | None = None) -> None:
        self.target, self._say = target, say
        self.steps: list[Step] = []
        self.versions: Facts = {"script_commit": commit()}
        self.storage: Facts = {}
        self.canary: Facts = {}
        self.backup: Facts = {}
        self.stop: Stop | None = None
        self.interrupted = False
        self.left: list[str] = []
        self._began, self._clock = now(), time.monotonic()

    @contextmanager
    def step(self, what: str) -> Iterator[Facts]:
        """Its facts are filled in by the block. A Stop in it ends the proof; only Unproven lets it go on."""
        step = Step(what, now())
        self.steps.append(step)
        began = time.monotonic()
        try:
            yield step.facts
        except Unproven as unproven:
            step.outcome = "unproven"
            self.stop = self.stop or unproven
        except BaseException:
            step.outcome = "failed"
            raise
        finally:
            step.seconds = round(time.monotonic() - began, 1)
            if self._say:
                self._say(_line(step))

    @property
    def verdict(self) -> str:
        if self.interrupted:
            return NOT_TRIED
        if self.stop is None:
            return PROVEN
        return {1: FAILED, 3: UNPROVEN}.get(self.stop.exit_code, NOT_TRIED)

    def receipt(self) -> Facts:
        """All of it as JSON: format 1."""
        return {
            "format": 1,
            "verdict": self.verdict,
            "target": self.target,
            "began_at": self._began,
            "ended_at": now(),
            "seconds": round(time.monotonic() - self._clock, 1),
            "reason": self.stop.as_dict() if self.stop else None,
            "versions": self.versions,
            "machine": machine(),
            "storage": self.storage,
            "canary": self.canary,
            "backup": self.backup,
            "steps": [vars(step) for step in self.steps],
        }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _line(step: Step) -> str:
    told = ", ".join(f"{name.replace('_', ' ')} {in_words(value)}" for name, value in step.facts.items())
    return f"{step.outcome:8}  {step.seconds:5.1f} s  {step.what}" + (f": {told}" if told else "")


def in_words(value: Any) -> str:
    """A fact as a person reads it: a long hash is cut."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and len(value) == 64 and value.isalnum():
        return f"{value[:12]}…"
    return f"{value:,}" if isinstance(value, int) else str(value)
