"""Why SQLite can't open a database, or what it keeps beside it: its own words for all of that are the same."""

import errno
import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.errors import CannotStart, StorageFull, Unwell
from app.storage.full_or_read_only import has_no_inodes, no_room
from app.storage.guard import in_place, refuse_unwritable
from app.storage.hint_commands import set_aside
from app.storage.mounts import Storage, files_beside

MORE_FOR_PROCESS = """\
Nothing was changed. Let it have more, where it is started:
  docker run --ulimit nofile=16384:16384 ...      in Docker
  ulimits: {nofile: 16384}                        in docker-compose.yml, beside image:
  ulimit -n 16384                                 in a shell; beyond the hard limit as root"""
MORE_FOR_MACHINE = """\
Nothing was changed. On the host:
  sysctl fs.file-nr                     says how many are open, and how many may be
  sudo sysctl -w fs.file-max=1000000    lets it have more"""


class CantOpen(Unwell):
    """The database is there, and can't be opened."""

    code, status = "cant_open", 503


def why_cant_open(storage: Storage) -> Unwell | None:
    """What the system says of the files and of this process now; None where all that can be seen is well."""
    return _not_a_file(storage) or _too_many_open(storage) or _no_inodes(storage) or _denied(storage)


def refuse_what_is_no_file(storage: Storage) -> None:
    """Raises CantOpen where a folder, say, has the name of a file that SQLite keeps beside the database."""
    if problem := _not_a_file(storage):
        raise problem


def cant_open(database: Path) -> CantOpen:
    """Where no cause is found."""
    return CantOpen(
        f"{database}, or a file that SQLite keeps beside it, can't be opened, and the system does not say why.",
        "Nothing was changed. The kernel's log may say more, on the host:  dmesg | tail -50",
    )


def too_many_open_files(what: str, error: OSError) -> CantOpen | None:
    """Where this process or the machine has as many files open as it may; None for another kind of error."""
    if error.errno == errno.EMFILE:
        return CantOpen(f"{what} can't be opened: this process has as many files open as it may.", MORE_FOR_PROCESS)
    if error.errno == errno.ENFILE:
        return CantOpen(f"{what} can't be opened: the machine has as many files open as it may.", MORE_FOR_MACHINE)
    return None


def _not_a_file(storage: Storage) -> CantOpen | None:
    for path in _there([storage.path, *files_beside(storage.path)]):
        if path.is_dir():
            away = f"Take it away, if it is empty:  {in_place(storage, shlex.join(('rmdir', str(path))))}"
        elif not path.is_file():
            away = f"Take it away:  {in_place(storage, set_aside(path))}"
        else:
            continue
        kind = "a folder" if path.is_dir() else "no file (a pipe, socket or device)"
        return CantOpen(f"{path} is {kind}, and SQLite keeps a file of that name.", f"Nothing was changed. {away}")
    return None


def _there(paths: Iterable[Path]) -> list[Path]:
    with suppress(OSError):  # the folder can't be looked into, which is found below
        names = set(os.listdir(next(iter(paths)).parent))
        return [path for path in paths if path.name in names]
    return []


def _too_many_open(storage: Storage) -> CantOpen | None:
    """By another file than the database: opening and closing that would drop SQLite's locks in the app's process."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return too_many_open_files(str(storage.path), error)
    return None


def _no_inodes(storage: Storage) -> StorageFull | None:
    return no_room(storage) if has_no_inodes(storage.path.parent) else None


def _denied(storage: Storage) -> Unwell | None:
    try:
        refuse_unwritable(storage)
    except Unwell as problem:
        return problem
    except CannotStart as problem:
        return CantOpen(problem.message, problem.hint)
    return None
