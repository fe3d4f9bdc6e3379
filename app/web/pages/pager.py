"""A long list on pages with numbers, and the links to the pages beside one."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pager:
    """Page `page` of a list of `total` rows, `size` on each, and the addresses of this one and of those beside it."""

    page: int
    last: int
    total: int
    size: int
    here: str
    previous: str | None
    next: str | None

    @classmethod
    def of(cls, asked: str, total: int, size: int, address: Callable[[int], str]) -> "Pager":
        """The page that an address asks for, or the nearest that there is. `address` gives a page's."""
        last = max(1, -(-total // size))
        wanted = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 1
        page = min(max(wanted, 1), last)
        previous = address(page - 1) if page > 1 else None
        following = address(page + 1) if page < last else None
        return cls(page, last, total, size, address(page), previous, following)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def numbered(path: str) -> Callable[[int], str]:
    """For a list whose address has no other query."""
    return lambda page: f"{path}?page={page}" if page > 1 else path
