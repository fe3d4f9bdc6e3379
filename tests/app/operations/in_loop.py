"""Asks a Bridge in the test's own event loop, as the server would: without a server, a socket or a process."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from app.operations.serving.bridge import Bridge
from app.settings import load
from app.web.context import WebApp
from app.writer.instance import Instance

Message = dict[str, Any]
GONE: Message = {"type": "http.disconnect"}


class Told(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def bridge_to(reached: Callable[[dict[str, Any]], object], instance: object) -> Bridge:
    """One whose app calls `reached` with the environ of each request, and answers 200."""
    app = WebApp(load({}), cast(Instance, instance))

    def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        reached(environ)
        start_response("200 OK", [])
        return [b""]

    app.wsgi_app = wsgi  # type: ignore[method-assign]
    return Bridge(app, app.instance, asyncio.get_running_loop())


async def ask(
    bridge: Bridge,
    path: str = "/",
    method: str = "GET",
    *,
    coming: Sequence[Message] = (),
    length: int | None = None,
    chunked: bool = False,
    query: bytes = b"",
    kind: bytes = b"",
    pause: float = 0,
) -> Told:
    """`coming`: what the server hands over of the body, `pause` seconds before each; behind it nothing comes any more.

    `length`: what the head says, by default what comes. `kind`: the Content-Type.
    """
    sent, left = [], list(coming)
    said = sum(len(each.get("body", b"")) for each in coming) if length is None else length

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        return left.pop(0) if left else await asyncio.get_running_loop().create_future()

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [
            (b"host", b"localhost"),
            (b"transfer-encoding", b"chunked") if chunked else (b"content-length", b"%d" % said),
            *([(b"content-type", kind)] if kind else []),
        ],
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.1", "1234"),
    }
    await bridge(scope, receive, send)
    return Told(
        sent[0]["status"],
        {name.lower(): value for name, value in sent[0]["headers"]},
        b"".join(each["body"] for each in sent[1:]),
    )
