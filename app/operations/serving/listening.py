"""The socket that the server listens on: this process has its port alone, and clients that don't read are dropped."""

import socket

from app.errors import CannotStart

READS_WITHIN = 30
"""Seconds after which a client that takes nothing of its answer is cut off (TCP_USER_TIMEOUT in tcp(7)). The server
itself waits for ever, and has room for so many connections only."""
SEND_BUFFER = 64 << 10
"""Bytes of answers that the kernel keeps for a connection, and as much again for its own use. By itself it would be up
to 4 MB for each that doesn't read."""


def bound(host: str, port: int) -> socket.socket:
    """Not listening yet: whoever looks whether the app is there is refused until it can answer, and not cut off.

    Raises CannotStart if the port is taken, or `host` is no address of this machine.
    """
    family, kind, _, _, address = _resolved(host, port)
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    # An answer that comes after another on its connection does not wait until the first was acknowledged, up to 40 ms.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; those that it accepts have it, too
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, READS_WITHIN * 1000)
    try:
        made.bind(address)
    except OSError as error:
        made.close()
        raise cant_listen(host, port, error) from None
    return made


def cant_listen(host: str, port: int, error: OSError) -> CannotStart:
    """Two that start at once may both bind; only one of them may listen."""
    return CannotStart(
        f"Can't listen on {url(host, port)}: {error.strerror}.", "Choose another port:  task-assist serve --port 8080"
    )


def url(host: str, port: int) -> str:
    """The address for a browser on this machine."""
    shown = "localhost" if host == "127.0.0.1" else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _resolved(host: str, port: int):
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise CannotStart(
            f"There is no address {host} to listen on: {why}.",
            "For this machine alone:  task-assist serve --host 127.0.0.1",
        ) from None
