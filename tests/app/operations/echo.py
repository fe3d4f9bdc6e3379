"""Serves, as the app is served, a WSGI app that answers with what it was given. usage: echo.py PORT"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

from app.operations.serving import server
from app.operations.serving.bridge import Bridge
from app.settings import load
from app.web.context import WebApp
from app.writer.instance import Instance


def echo(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode("latin-1")
    given = {name: value for name, value in environ.items() if isinstance(value, str) and name.isupper()}
    answer = json.dumps({"environ": given, "body": body}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


def bridge() -> Bridge:
    instance = SimpleNamespace(gate=SimpleNamespace(expects_handover=False, settled=True))
    app = WebApp(load({}), cast(Instance, instance))
    app.wsgi_app = echo  # type: ignore[method-assign]
    return Bridge(app, app.instance, asyncio.get_event_loop())


if __name__ == "__main__":
    server.granian(load({}), "127.0.0.1", int(sys.argv[1])).serve(target_loader=bridge, wrap_loader=False)
