"""A second name of the database's file (a hard link): an app that opens it by that name keeps another log and lease."""

import shlex

from app.errors import Unwell
from app.storage.mounts import LOCAL, Storage


class HardLinked(Unwell):
    code, status = "hard_linked", 503


def refuse_hard_links(storage: Storage) -> None:
    """Raises HardLinked where the file has more than one name. Only looks.

    Nothing elsewhere than on local file systems: on SMB st_nlink lies, and on every network mount who has the file open
    has it locked, by whatever name.
    """
    if storage.mount.filesystem not in LOCAL:
        return
    try:
        names = storage.path.stat().st_nlink
    except (FileNotFoundError, NotADirectoryError):
        return
    if names > 1:
        raise _hard_linked(storage, names)


def _hard_linked(storage: Storage, names: int) -> HardLinked:
    file = shlex.quote(str(storage.path))
    own = shlex.quote(f"{storage.path}.own")
    return HardLinked(
        f"The file of {storage.path} has {names} names (hard links). Two apps that opened it by different ones would "
        "not know of each other, and what was saved would be lost.",
        "Nothing was changed. Stop each app that has it open, and give this name a file of its own, where it is:\n"
        f"  cp -p {file} {own} && mv {own} {file}\n"
        "An app that stands by for it then goes on by itself. This finds the other names:\n"
        f"  {shlex.join(('find', storage.mount.point, '-xdev', '-samefile', str(storage.path)))}",
    )
