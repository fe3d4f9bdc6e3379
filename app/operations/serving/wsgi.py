"""Between ASGI and WSGI: what the Flask app is given of a request, and its whole answer."""

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from app.errors import Problem

Answer = tuple[int, list[tuple[str, str]], bytes]

SERVER = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}
SENT_ONCE = {"HTTP_HOST": "Host", "CONTENT_TYPE": "Content-Type"}
NOT_PREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Malformed(Problem):
    code, status = "malformed", 400


def environ_of(scope: dict[str, Any]) -> dict[str, Any]:
    """What PEP 3333 asks for, but for the body. Raises Malformed.

    Header names with an underscore are dropped: in WSGI they would be the same as those with a hyphen, which the proxy
    in front has set.
    """
    environ = {
        **SERVER,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": _path(scope["raw_path"]),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/1.0" if scope["http_version"] == "1" else f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": scope["server"][1],
        "REMOTE_ADDR": scope["client"][0],
        "REMOTE_PORT": scope["client"][1],
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = _name(raw_name), raw_value.decode("latin-1")
        if name is None or (name == "HTTP_HOST" and not value):  # granian's, where the client sent none
            continue
        environ[name] = _joined(name, environ[name], value) if name in environ else value
    return environ


def _joined(name: str, one: str, other: str) -> str:
    """Raises Malformed."""
    if name in SENT_ONCE:
        raise Malformed(f"The request has more than one {SENT_ONCE[name]}.", "Send one.")
    return f"{one}{'; ' if name == 'HTTP_COOKIE' else ','}{other}"


HEADER_SIZE = 250
"""Bytes that each header takes in memory beside its own, as two objects here and two in the environ."""


def head_size(scope: dict[str, Any]) -> int:
    """Bytes of memory, about, that a request takes until it is answered, but for its body."""
    headers = scope["headers"]
    sent = sum([len(name) + len(value) for name, value in headers])
    return 3 * (sent + len(scope["raw_path"]) + len(scope["query_string"])) + HEADER_SIZE * len(headers)


def _path(raw: bytes) -> str:
    """Slashes at its start are one: a browser takes an address that begins with two for another host's."""
    path = (unquote_to_bytes(raw) if b"%" in raw else raw).decode("latin-1")
    return f"/{path.lstrip('/')}" if path.startswith("//") else path


@lru_cache(256)
def _name(raw: bytes) -> str | None:
    name = raw.decode("latin-1")
    return None if "_" in name else NOT_PREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"


def length_of(environ: dict[str, Any]) -> int | None:
    """How long the body is going to be, None where only its end tells. The server has checked the header."""
    if encoding := environ.pop("HTTP_TRANSFER_ENCODING", None):
        if encoding.strip().lower() != "chunked":
            raise Malformed(f"A body in {encoding} is not understood.", "Send it as it is, or in chunks.")
        return None
    return int(environ.get("CONTENT_LENGTH") or 0)


def call(wsgi: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
    """The whole answer of a WSGI app."""
    said: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], Any]:
        said[:] = [int(status.split(" ", 1)[0]), list(headers)]
        return written.append

    written: list[bytes] = []
    parts: Iterable[bytes] = ()
    try:
        parts = wsgi(environ, start_response)
        written.extend(parts)
        return said[0], said[1], b"".join(written)
    finally:
        if close := getattr(parts, "close", None):
            close()
