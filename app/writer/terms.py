"""A term: the files that it has in the lease's folder, what its record says, and what an observer sees of it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Literal

from app.writer.lease_files import SIZE, Names

State = Literal["held", "released", "abandoned"]
Doubt = Literal["unclean end", "restored", "damage"]
"""Why the file may not be sound: an instance ended without closing it, it was put there after a quick check alone, or
an instance has met damage in it."""


class Lost(Exception):
    """The term is not this instance's any more. It must not touch the database again, not even to close it."""


class Removed(Lost):
    """No term is left: somebody has removed the folder. On a network mount who comes now may begin at once."""


@dataclass(frozen=True)
class Record:
    """What a term's file says. `schema` is the revision of the database, where the holder has seen it."""

    owner: str
    beat: int = 0
    state: State = "held"
    schema: str | None = None
    successor: str | None = None
    pending: int | None = None
    """The term whose copy of the database must take the database's name before anybody opens it (takeover.py)."""
    doubt: Doubt | None = None
    """Stays from term to term until somebody has looked (checkup.py)."""

    def to_bytes(self) -> bytes:
        said = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps(said, separators=(",", ":")).encode().ljust(SIZE)

    @staticmethod
    def from_bytes(content: bytes) -> "Record | None":
        """None for a file that its owner has not yet written."""
        try:
            said = json.loads(content)
            # Not what a newer version says besides: its release is one all the same.
            return Record(**{key: value for key, value in said.items() if key in Record.__dataclass_fields__})
        except (ValueError, TypeError, AttributeError):
            return None


@dataclass(frozen=True)
class Observation:
    """What one look at the folder showed. `term` is 0 where there has never been one."""

    term: int
    content: bytes
    silent_for: float
    """Seconds for which this term's content has been seen as it is, over this instance's own clock."""
    record: Record | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "record", Record.from_bytes(self.content))

    @property
    def state(self) -> State:
        if self.term == 0:
            return "released"
        return self.record.state if self.record else "held"

    @property
    def schema(self) -> str | None:
        return self.record.schema if self.record else None


@dataclass(frozen=True)
class Acquired:
    """A term that is now this instance's. `forced`: the last holder may still write into the file that it has open.

    `schema`: the revision that the last holder who opened the database saw in it, None where nobody has.
    """

    term: int
    forced: bool
    pending: int | None
    schema: str | None = None


def first_record(owner: str, last: Record | None) -> Record:
    if last is None:
        return Record(owner)
    doubt = last.doubt if last.state == "released" else last.doubt or "unclean end"
    return Record(owner, schema=last.schema, pending=last.pending, doubt=doubt)


def term_file(term: int) -> str:
    return f"term-{term:012d}"


def request_file(term: int, owner: str) -> str:
    return f"ask-{term:012d}-{owner}"


def highest(names: Iterable[str]) -> int:
    return max(map(term_number, names), default=0)


def last_record_before(names: Names, term: int) -> Record | None:
    """What the last one said that came to say anything: who made `term` died before its first word."""
    for earlier in sorted(filter(None, map(term_number, names.list())), reverse=True):
        if earlier < term and (record := Record.from_bytes(names.read(term_file(earlier)))):
            return record
    return None


def term_number(name: str) -> int:
    """The term that a file's name carries, 0 for any other file."""
    digits = name.removeprefix("term-")
    return int(digits) if digits != name and digits.isdecimal() else 0


def requested_term(name: str) -> int:
    digits = name.removeprefix("ask-")[:12]
    return int(digits) if name.startswith("ask-") and digits.isdecimal() else 0
