"""The instance that has the database while this one stands by, in words by which it is found."""

import socket

from app.storage.mounts import Storage


def is_elsewhere(owner: str) -> bool:
    """Does it run on another machine, or in another container, than this process?"""
    return owner.rpartition("-")[0] != socket.gethostname()[:24]


def how_to_find(storage: Storage, owner: str) -> str:
    """What to do where two run on one database that should not."""
    host = owner.rpartition("-")[0]
    volume = storage.mount.volume
    look = f"docker ps --filter volume={volume}" if volume else "docker ps"
    return (
        f"If both are meant to be there, this is well. If not, give one of them a place of its own, or stop one. "
        f"{host} is the name of the other one's machine, or the id of its container:  {look}"
    )
