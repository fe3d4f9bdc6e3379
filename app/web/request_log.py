"""One line in the log for each answer."""

import logging
import time

import structlog
from flask import Flask, g, request
from werkzeug.wrappers import Response

from app.database.group_commit import when_committed
from app.logs import visible
from app.web.health import ALIVE, READY
from app.web.throttled_request import TURN_AFTER

QUIET = frozenset((ALIVE, READY))
"""Asked every few seconds by every platform: logged only at the level debug."""


def init(app: Flask) -> None:
    """One line an answer. Without query string and body: what people type is theirs."""
    log = structlog.get_logger("request")

    @app.before_request
    def _start() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        path = request.path
        level = logging.DEBUG if path in QUIET or TURN_AFTER in request.environ else logging.INFO
        if log.is_enabled_for(level):
            began, address = g.get("began", time.perf_counter()), request.remote_addr
            line = f"{request.method} {visible(path)}"

            def write(saved: bool) -> None:
                if saved:  # else another answer is sent, and logged (operations/serving/bridge.py)
                    ms = round((time.perf_counter() - began) * 1000, 1)
                    log.log(level, line, status=response.status_code, ms=ms, address=address)

            when_committed(write)
        return response
