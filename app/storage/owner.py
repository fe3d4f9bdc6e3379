"""Whose the files are that a command makes beside the database: what root makes the app's own user could not open."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from app.errors import CannotStart


def owner_model(database: Path) -> Path:
    """What says whose the place is: the database, or its folder where there is none."""
    return database if database.exists() else database.parent


def whose_in_place(file: Path, database: Path) -> Path | None:
    """What says whose `file` is to be; None for one that is not in the database's folder."""
    return owner_model(database) if file.parent.resolve().is_relative_to(database.parent) else None


def chown_like(made: Path, like: Path | None) -> None:
    """Gives `made`, a file or an empty folder that this process has just made, the owner of `like`; only root can.

    Raises CannotStart where root may not either, and then `made` is gone again.
    """
    if os.geteuid() != 0 or like is None:
        return
    wanted, has = like.stat(), made.stat()
    if has.st_uid != 0 or wanted.st_uid == 0:
        return  # also where a mount shows one owner for all, or takes root for another user
    try:
        os.chown(made, wanted.st_uid, wanted.st_gid)
    except PermissionError:
        with suppress(OSError):
            made.rmdir() if made.is_dir() else made.unlink()
        raise CannotStart(
            f"What root makes in {made.parent} can't be handed to user {wanted.st_uid}, whose {like} is, and who could "
            "not open it.",
            f"Nothing was changed. {typed_as(wanted.st_uid)}",
        ) from None


def take_after(made: Path, old: Path) -> None:
    """Owner, as in `chown_like`, and mode of `old`, whose place `made` is to take; without one, the folder's owner."""
    chown_like(made, owner_model(old))
    if old.exists() and (mode := stat.S_IMODE(old.stat().st_mode)) != stat.S_IMODE(made.stat().st_mode):
        made.chmod(mode)


def typed_as(user: int) -> str:
    """What root types instead."""
    return f"Type it as user {user}: with docker exec or run  --user {user}  , elsewhere with  sudo -u '#{user}'"
