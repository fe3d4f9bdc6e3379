"""What the app has acknowledged, and so must hold: the model to which a run is held.

A record is one row, known by the mark in its title; its value is the number of its last change, None where it is not
there. Most records have one possible value. One whose last change got no answer has two: it may have come to the disk
or not, and whoever asked knows that he doesn't know.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

Value = int | None
Possible = dict[str, frozenset[Value]]
NOT_THERE: frozenset[Value] = frozenset({None})


class Records:
    """All that was acknowledged, by mark. Threads may share it, each with records of its own."""

    def __init__(self) -> None:
        self._possible: Possible = {}
        self._moments: list[Possible] = []
        self._on_the_way: set[str] = set()
        self._unsure: set[str] = set()
        self._changing = threading.Lock()

    def asked(self, mark: str, value: Value) -> frozenset[Value]:
        """A change is on its way. Gives what was possible before it."""
        with self._changing:
            before = self._possible.get(mark, NOT_THERE)
            self._set(mark, before | {value})
            self._on_the_way.add(mark)
            return before

    def acknowledged(self, mark: str, value: Value) -> None:
        self._settle(mark, frozenset({value}))

    def refused(self, mark: str, before: frozenset[Value]) -> None:
        """The answer said that nothing was changed."""
        self._settle(mark, before)

    def _settle(self, mark: str, values: frozenset[Value]) -> None:
        with self._changing:
            self._on_the_way.discard(mark)
            if mark in self._unsure:
                self._unsure.discard(mark)
            else:
                self._set(mark, values)

    def _set(self, mark: str, values: frozenset[Value]) -> None:
        for moment in self._moments:
            moment[mark] = moment.get(mark, self._possible.get(mark, NOT_THERE)) | values
        self._possible[mark] = values

    @contextmanager
    def moment(self) -> Iterator[Possible]:
        """All values that were possible at some time of the block: what a copy that is made in it may hold."""
        with self._changing:
            seen = dict(self._possible)
            self._moments.append(seen)
        try:
            yield seen
        finally:
            with self._changing:
                self._moments.remove(seen)

    @contextmanager
    def unsure(self) -> Iterator[None]:
        """What is on its way in the block may be there afterwards or not, whatever is answered."""
        with self.moment() as seen:
            yield
        with self._changing:
            self._possible = seen
            self._unsure = set(self._on_the_way)

    def go_back(self, to: Possible) -> None:
        """A copy was put in the database's place: from now on that is what was acknowledged."""
        with self._changing:
            self._possible = dict(to)

    def now(self) -> Possible:
        with self._changing:
            return dict(self._possible)

    def __len__(self) -> int:
        return len(self._possible)


def unlike(found: Mapping[str, int], possible: Possible) -> list[str]:
    """What is not as it must be, each in words; nothing where all is well."""
    wrong = [
        f"{mark} is {_said([found.get(mark)])}, and must be {_said(values)}"
        for mark, values in possible.items()
        if found.get(mark) not in values
    ]
    return wrong + [f"{mark} is there, and was never acknowledged here" for mark in found if mark not in possible]


def _said(values: Iterable[Value]) -> str:
    return " or ".join("not there" if value is None else f"change {value}" for value in values)
