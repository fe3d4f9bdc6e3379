"""The clouds' limits: one table per cloud, a row for each limit of a property.

A row holds for a type and a property; `*` stands for anything at its level, such as a list's items or a map's own keys,
and `**.` in front for any levels above.
`min` and `max` bound a number, or the length of a text in characters; `pattern` is looked for in the text; `values` are
all there are, with | between them. A row without a quote is filled by `fill` from the source; one with a quote was
written by a person who read these words there, and `fill` checks that they still stand.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
CLOUDS = ("azure", "aws", "gcp", "docker")
COLUMNS = ("type", "property", "min", "max", "pattern", "values", "source", "quote")


@dataclass(frozen=True)
class Limit:
    """One row. Every row that fits a property must hold."""

    type: str
    property: str
    min: str = ""
    max: str = ""
    pattern: str = ""
    values: str = ""
    source: str = ""
    quote: str = ""

    def fits(self, type_: str, property_: str) -> bool:
        return fnmatchcase(type_, self.type) and bool(path_pattern(self.property).fullmatch(property_))

    def broken_by(self, value: str | float) -> str | None:
        """What of this limit the value breaks, such as "max 16"; None if it keeps it."""
        text = plain(value)
        size = len(value) if isinstance(value, str) else value
        if self.min and size < float(self.min):
            return f"min {self.min}"
        if self.max and size > float(self.max):
            return f"max {self.max}"
        if self.pattern and not re.search(self.pattern, text):
            return f"pattern {self.pattern}"
        if self.values and text not in self.values.split("|"):
            return f"values {self.values}"
        return None


@cache
def path_pattern(property_: str) -> re.Pattern[str]:
    above, below = ("(.*\\.)?", property_[3:]) if property_.startswith("**.") else ("", property_)
    return re.compile(above + re.escape(below).replace("\\*", "[^.]*"))


def plain(value: str | float) -> str:
    """The value as the cloud reads it: Pulumi knows no whole numbers."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read(cloud: str) -> list[Limit]:
    with (FOLDER / f"{cloud}.csv").open(newline="") as file:
        return [Limit(**row) for row in csv.DictReader(file)]


@cache
def tables() -> tuple[Limit, ...]:
    return tuple(limit for cloud in CLOUDS for limit in read(cloud))


@cache
def limits_of(type_: str, property_: str) -> tuple[Limit, ...]:
    return tuple(limit for limit in tables() if limit.fits(type_, property_))


def without_limit() -> Iterator[tuple[str, str]]:
    """The properties of which no limit is known: unknown.txt, a type and a property a line."""
    for line in (FOLDER / "unknown.txt").read_text().splitlines():
        type_, _, property_ = line.partition(" ")
        yield type_, property_
