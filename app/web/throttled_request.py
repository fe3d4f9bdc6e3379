"""A try of a password waits for its turn: in the server's loop (serving/bridge.py), where it takes no thread."""

import math

from flask import request

from app.errors import TooMany
from app.web.context import web_app
from app.web.throttle import Try

MAY_WAIT = "task_assist.may_wait"
"""In a request's environ: how many seconds it can wait. Without it none."""
TURN_AFTER = "task_assist.turn_after"
"""In a request's environ: after so many seconds it is to be asked again. Nobody gets its answer."""
HAS_WAITED = "task_assist.has_waited"
"""In a request's environ: it has waited for so long as it was told."""


def refuse_throttled(attempt: Try) -> None:
    """Raises TooMany where `attempt` has to wait, and notes for the server how long."""
    seconds = web_app().throttle.seconds_until_turn(attempt, drawn=HAS_WAITED in request.environ)
    if not seconds:
        return
    if seconds <= request.environ.get(MAY_WAIT, 0.0):
        request.environ[TURN_AFTER] = seconds
    whole = math.ceil(seconds)
    raise TooMany(
        "There were too many wrong tries, so each one has to wait for its turn.",
        f"Try again in {whole} second{'s' if whole > 1 else ''}.",
        retry_after=whole,
    )
