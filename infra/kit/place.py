"""What the config has to know of a place before anything of it is imported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reader import Reader


@dataclass(frozen=True)
class Store:
    """A kind of storage: its size by default, at least and at most, in GiB; None where it grows by itself."""

    gb: int | None = None
    least: int = 0
    most: int = 0


@dataclass(frozen=True)
class Place:
    """One place, described in its folder's place.py.

    `storages` by the names that the config gives them, the default first. `defaults` are the settings that only some
    places have, with their values here. `check` adds the faults that only this place can find, and `no_handover`
    answers why two instances can't be alive at once for the moment of a hand-over, or None. `region` names the
    provider's key and the environment variables that it reads instead. `left_out` are storages of earlier versions,
    each with what its owner has to know.
    """

    name: str
    storages: Mapping[str, Store]
    defaults: Mapping[str, str]
    check: Callable[[Reader], None]
    no_handover: Callable[[Reader], str | None] = lambda _reader: None
    region: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=lambda: {})
