"""A long list on a page of its own number, and the links to the pages beside it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Pager:
    """Page `page` of a list of `total` rows, `size` on each: the list's address is `path`, without a query."""

    page: int
    total: int
    size: int
    path: str

    @classmethod
    def of(cls, query: Mapping[str, str], total: int, size: int, path: str) -> "Pager":
        """The page that the query asks for, or the nearest there is; "last" is the last one."""
        last = max(1, -(-total // size))
        asked = query.get("page", "1")
        page = int(asked) if asked.isdecimal() and len(asked) < 10 else last if asked == "last" else 1
        return cls(min(max(page, 1), last), total, size, path)

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size

    def address(self, page: int) -> str:
        return f"{self.path}?page={page}" if page > 1 else self.path
