"""A second name of the database's file (a hard link): an app that opens it by that name keeps another log and lease."""

import shlex

from app.errors import Unwell
from app.storage.hint_commands import free_name, one_a_line
from app.storage.mounts import LOCAL, Storage, beside


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
    paths = (storage.path, beside(storage.path, "-wal"), free_name(beside(storage.path, ".own")))
    file, log, own = (shlex.quote(str(path)) for path in paths)
    return HardLinked(
        f"The file of {storage.path} has {names} names (hard links). Two apps that opened it by different ones would "
        "not know of each other, and what was saved would be lost.",
        "Nothing was changed. Stop each app that has it open, and look for the other names:\n"
        f"  {shlex.join(('find', storage.mount.point, '-xdev', '-samefile', str(storage.path)))}\n"
        "If a -wal is left beside one of them, by an app that was killed, the newest changes are in that alone. Bring "
        "it along:\n"
        f"  mv -n OTHER_NAME-wal {log}\n"
        "Then give this name a file of its own, where it is. An app that stands by for it goes on by itself:\n"
        f"{one_a_line(f'cp -p {file} {own}', f'mv {own} {file}')}",
    )
