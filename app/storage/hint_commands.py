"""The commands that a refusal names: each can be typed as it stands, and what it moves aside it moves over nothing."""

import os
import shlex
from itertools import chain, count
from pathlib import Path

WHERE_IT_RUNS = "where the app runs (docker compose exec app ...)"


def one_a_line(*commands: str) -> str:
    """So that "docker compose exec app" can be typed before each: what stands behind && would run outside."""
    return "\n".join(f"  {command}" for command in commands)


def free_name(file: Path) -> Path:
    """`file`, or the first of NAME-2, NAME-3 … (before its ending) with which no name in the folder begins. In one that
    this user can't list, `file`."""
    there = os.listdir(file.parent) if os.access(file.parent, os.R_OK) else []
    names = chain([file], (file.with_name(f"{file.stem}-{number}{file.suffix}") for number in count(2)))
    return next(each for each in names if not any(name.startswith(each.name) for name in there))


def set_aside(file: Path) -> str:
    """The command that gives `file` a name of its own, over which it moves nothing."""
    return shlex.join(("mv", str(file), str(free_name(file.with_name(f"{file.name}.old")))))
