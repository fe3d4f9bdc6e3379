"""The symbolic links by which DATABASE_PATH leads to the file. SQLite opens the file that is at their end."""

import errno
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.storage.hint_commands import one_a_line, set_aside


@dataclass(frozen=True)
class Link:
    """`target` is the place to which `path` led, free of links."""

    path: Path
    target: Path

    @property
    def leads_there(self) -> bool:
        return Path(os.path.realpath(self.path)) == self.target

    @property
    def way_back(self) -> str:
        """The commands that lead it there again. What has its name now, if it is no link, is moved aside."""
        link, target = shlex.quote(str(self.path)), shlex.quote(str(self.target))
        if self.path.is_symlink() or not self.path.exists():
            return one_a_line(f"ln -sfn {target} {link}")
        return one_a_line(set_aside(self.path), f"ln -s {target} {link}")


def names_on(typed: Path) -> Iterator[Path]:
    """`typed`, which is absolute, after the folders above it; the root folder is left out."""
    yield from reversed((typed, *typed.parents[:-1]))


def links_on(typed: Path) -> tuple[Link, ...]:
    """Those of the names on the way that are links now. One that this user may not look at is none."""
    links = (name for name in names_on(typed) if os.path.islink(name))  # noqa: PTH114  (is_symlink() raises there)
    return tuple(Link(name, Path(os.path.realpath(name))) for name in links)


def end_of_links(typed: Path) -> Path:
    """Where `typed` leads now, though nothing may be there. Raises OSError where the file system does not say."""
    try:
        return Path(os.path.realpath(typed, strict=True))
    except (FileNotFoundError, NotADirectoryError):
        return Path(os.path.realpath(typed))
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return typed  # a link to itself
