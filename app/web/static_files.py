"""Styles, scripts and icons: the address of each changes with its content, so browsers keep it and never ask again."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, request

FOLDER = Path(__file__).with_name("static")
FOREVER = "public, max-age=31536000, immutable"
"""A year. With `immutable` a browser does not ask again when the page is reloaded (RFC 8246)."""


def init(app: Flask) -> None:
    app.add_template_global(address, "static")
    app.view_functions["static"] = _file


def address(name: str) -> str:
    """Of a file in the folder `static`."""
    return f"/static/{name}?v={_version(name)}"


@cache
def _version(name: str) -> str:
    """For as long as the process lives: another version of the app is another process."""
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


def _file(filename: str) -> Response:
    """While an old and a new instance run, one is asked for the other's version: that answer is not kept."""
    response = current_app.send_static_file(filename)
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == _version(filename) else "no-cache"
    return response
