"""Ports of this machine for what a test starts."""

import secrets
import socket
from contextlib import suppress

FIRST, END = 15_000, 32_000
"""Below the range from which the system gives ports by itself (/proc/sys/net/ipv4/ip_local_port_range, on Linux from
32768), to containers, say: they would take one before the program listens to which it was given."""


def free_port() -> int:
    while True:
        port = FIRST + secrets.randbelow(END - FIRST)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
