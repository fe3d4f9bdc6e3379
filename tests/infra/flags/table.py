"""The flags of every command that the documents and the scripts type: flags.csv, a command a row.

A flag that takes a value ends in `=` where the reference says so. `fill` writes the table anew.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.infra.flags.lines import Command

FILE = Path(__file__).with_name("flags.csv")
COLUMNS = ("command", "flags", "source")
# What follows the first word that is no flag is a command for the container.
HANDS_ON = ("docker run", "docker exec", "docker compose exec", "docker compose run")


@cache
def table() -> Mapping[str, tuple[str, ...]]:
    with FILE.open(newline="") as file:
        return {row["command"]: tuple(row["flags"].split()) for row in csv.DictReader(file)}


def known_command(command: Command) -> str | None:
    """The longest command in the table that the call begins with."""
    words = command.words
    starts = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((start for start in starts if start in table()), None)


def unknown_flags(command: Command) -> list[str]:
    """The call's flags that its command doesn't have. Raises KeyError for a command that isn't in the table."""
    name = known_command(command)
    if name is None:
        raise KeyError(" ".join(command.words))
    flags = table()[name]
    return [flag for flag in own_flags(command, name, flags) if not is_known(flag, flags)]


def own_flags(command: Command, name: str, flags: tuple[str, ...]) -> Iterator[str]:
    """The call's flags without their values, and without those of a command that it hands on."""
    value_next = False
    for word in command.words[len(name.split()) :]:
        if re.match(r"--?[A-Za-z]", word):
            flag, equals, _ = word.partition("=")
            yield flag
            value_next = not equals and f"{flag}=" in flags
        elif name in HANDS_ON and not value_next:
            return
        else:
            value_next = False


def is_known(flag: str, flags: tuple[str, ...]) -> bool:
    """Also several short ones in a row, such as -fsS, and -qO- where O takes what follows."""
    if flag in flags or f"{flag}=" in flags:
        return True
    if flag.startswith("--") or len(flag) < 3:
        return False
    for letter in flag[1:]:
        if f"-{letter}=" in flags:
            return True
        if f"-{letter}" not in flags:
            return False
    return True
