"""Which address a request came from, when proxies stand in front: what they wrote, without port and brackets."""

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PEER = "task_assist.peer"
"""In a request's environ: who is at the other end of the connection, whatever a proxy wrote."""
# 203.0.113.7:50124, as App Service writes it; [2001:db8::1]:443 and [2001:db8::1], as RFC 7239 does.
WITH_PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]+|\[(?P<v6>[0-9A-Fa-f:.]+)\](:[0-9]+)?", re.ASCII)


class ClientAddress:
    """WSGI middleware: REMOTE_ADDR becomes the client's address as the proxy `hops` before this app saw it.

    It stands in X-Forwarded-For, `hops` from the right, or in `header` alone, which the proxy overwrites. Where there
    is none, or no address in it, REMOTE_ADDR stays the proxy's own.
    """

    def __init__(self, app: "WSGIApplication", hops: int, header: str | None = None) -> None:
        self._app = app
        self._place = 1 if header else hops
        name = header or "X-Forwarded-For"
        self._name, self._key = name.lower().encode(), f"HTTP_{name.upper().replace('-', '_')}"
        self._only = header is not None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse"):
        environ.setdefault(PEER, environ.get("REMOTE_ADDR", ""))  # a request that waited for its turn comes twice
        if address := self._written(environ.get(self._key, "")):
            environ["REMOTE_ADDR"] = address
        return self._app(environ, start_response)

    def of(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The same for a request that is refused before it comes to the app: its headers, their names in small."""
        return self._written(",".join(value.decode("latin-1") for name, value in headers if name == self._name)) or peer

    def _written(self, value: str) -> str | None:
        # At each comma: nothing is quoted in it, and a quotation mark of the client's would hide what proxies wrote.
        entries = [value] if self._only else value.split(",")
        return address_in(entries[-self._place]) if len(entries) >= self._place else None


def network_of(address: str) -> str:
    """What one client can take its addresses from: an IPv6 one has 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has none
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def peer(environ: "WSGIEnvironment") -> str:
    """Who is at the other end of the connection: the client, or the last proxy in front of this app."""
    return environ.get(PEER) or environ.get("REMOTE_ADDR") or ""


def address_in(text: str) -> str | None:
    """The IP address in `text`, in its one usual spelling; None where there is none."""
    text = text.strip()
    if match := WITH_PORT.fullmatch(text):
        text = match["v4"] or match["v6"]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.version == 4:
        return str(address)
    # A scope, as in fe80::1%eth0, is free text; and ::ffff:203.0.113.7 is the same client as 203.0.113.7.
    return None if address.scope_id else str(address.ipv4_mapped or address)
