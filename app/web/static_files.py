"""Styles, scripts and icons: the address of each changes with its content, so browsers keep it and never ask again."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request

FOLDER = Path(__file__).with_name("static")
FOREVER = "public, max-age=31536000, immutable"
"""A year. With `immutable` a browser does not ask again when the page is reloaded (RFC 8246)."""


def init(app: Flask) -> None:
    app.add_template_global(address, "static")
    app.after_request(_cache)


def address(name: str) -> str:
    """Of a file in the folder `static`."""
    return f"/static/{name}?v={_version(name)}"


@cache
def _version(name: str) -> str:
    """For as long as the process lives: another version of the app is another process."""
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


def _cache(response: Response) -> Response:
    """While an old and a new instance run, one is asked for the other's version: that answer is not kept."""
    if request.endpoint == "static" and response.status_code in (200, 304):
        current = request.args.get("v") == _version((request.view_args or {})["filename"])
        response.headers["Cache-Control"] = FOREVER if current else "no-cache"
    return response
