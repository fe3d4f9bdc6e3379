"""Whose requests are made on this machine, which is asked while sign-in is off: by the peer, not by what it sends.

That is who comes over loopback, and Docker's gateway, unless PUBLISHED_AT says that the port is published for
other machines too: the engine passes on from there what the host itself asks, on Linux and in Docker Desktop
(github.com/docker/desktop-feedback/issues/255). Other machines and containers come with their own addresses, but for
Docker Desktop's and a rootless engine's.
"""

import ipaddress
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from app.web.client_address import address_in

ROUTES, IN_DOCKER = Path("/proc/net/route"), Path("/.dockerenv")
THROUGH_GATEWAY = 0x2
"""RTF_GATEWAY of linux/route.h."""


@dataclass(frozen=True)
class ThisMachine:
    """`gateway`: Docker's, where it speaks for this machine, else None. `unnamed`: it is there, but nobody says so.

    `port`: the one to be typed into a browser, None where that is the one the app listens on.
    """

    gateway: str | None = None
    unnamed: str | None = None
    port: int | None = None

    def made(self, peer: str) -> bool:
        """Is `peer`, an IP address, this machine?"""
        address = address_in(peer)
        return address is not None and (ipaddress.ip_address(address).is_loopback or address == self.gateway)

    @property
    def peers(self) -> str:
        """For people: who is answered while sign-in is off."""
        docker = (
            f", and {self.gateway} (Docker's gateway, from where the host's own requests come)" if self.gateway else ""
        )
        return f"127.0.0.0/8 and ::1{docker}"


def this_machine(settings: Settings) -> ThisMachine:
    """As it is now. It stays so while the app runs: the network of a container is there before it starts."""
    gateway = _default_gateway()
    if settings.published_at is None:
        return ThisMachine(gateway) if IN_DOCKER.exists() else ThisMachine(unnamed=gateway)
    host, _, port = settings.published_at.rpartition(":")
    on_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    return ThisMachine(gateway if on_loopback else None, port=int(port))


def _default_gateway() -> str | None:
    """None without one, and where it can't be known: outside Linux no container runs."""
    try:
        lines = ROUTES.read_text().splitlines()[1:]
    except OSError:
        return None
    for _, destination, gateway, flags, *_ in map(str.split, lines):
        if int(destination, 16) == 0 and int(flags, 16) & THROUGH_GATEWAY:
            return socket.inet_ntoa(struct.pack("=L", int(gateway, 16)))
    return None
