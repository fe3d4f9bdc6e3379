"""Whose requests are made on this machine, which is asked while sign-in is off: by the peer, not by what it sends.

That is who comes over loopback, and in a container its default gateway: from there the engine passes on what comes to a
published port, on Linux and in Docker Desktop (github.com/docker/desktop-feedback/issues/255).
"""

import ipaddress
import socket
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.web.client_address import address_in

CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Docker's, and Podman's (docs.podman.io, podman-run)."""
ROUTES = Path("/proc/net/route")
INTERFACES = Path("/sys/class/net")
THROUGH_GATEWAY = 0x2
"""RTF_GATEWAY of linux/route.h."""


@dataclass(frozen=True)
class ThisMachine:
    """`gateway`: the container's, None where there is no container, or one in the network of its host."""

    gateway: str | None = None

    def made(self, peer: str) -> bool:
        """Did `peer`, an IP address, ask from this machine?"""
        return _made_here(peer, self.gateway)

    @property
    def peers(self) -> str:
        """For people: from where who is answered asks while sign-in is off."""
        gateway = f", and {self.gateway}, from where the engine passes on what comes to a published port"
        return f"127.0.0.0/8 and ::1{gateway if self.gateway else ''}"


@lru_cache(256)
def _made_here(peer: str, gateway: str | None) -> bool:
    """Kept, because it is asked at each request, and mostly of the same few."""
    address = address_in(peer)
    return address is not None and (ipaddress.ip_address(address).is_loopback or address == gateway)


def this_machine() -> ThisMachine:
    """As it is now. It stays so while the app runs: the network of a container is there before it starts."""
    return ThisMachine(_gateway() if any(mark.exists() for mark in CONTAINER_MARKS) else None)


def _gateway() -> str | None:
    """Of the default route; None where that leaves by the machine's own interface: then it is the network's router."""
    try:
        lines = ROUTES.read_text().splitlines()[1:]
    except OSError:
        return None
    for interface, destination, gateway, flags, *_ in map(str.split, lines):
        if int(destination, 16) == 0 and int(flags, 16) & THROUGH_GATEWAY and _leads_out(interface):
            return socket.inet_ntoa(struct.pack("=L", int(gateway, 16)))
    return None


def _leads_out(interface: str) -> bool:
    """Is its other end in another network namespace? (Documentation/ABI/testing/sysfs-class-net, iflink)"""
    try:
        own, other = ((INTERFACES / interface / name).read_text() for name in ("ifindex", "iflink"))
    except OSError:
        return False
    return own != other
