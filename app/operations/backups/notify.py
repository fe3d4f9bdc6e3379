"""NOTIFY_URL: one webhook that hears when a backup or a drill failed, is missing, or works again."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import structlog

SECONDS = 10
"""For each part of the answer: the connection, and each time that something of it comes."""
SECONDS_IN_ALL = 30.0

log = structlog.get_logger()
Notify = Callable[[str, str], bool]
"""Called with the kind of event, for programs, and a sentence, for people. False where it was not delivered."""


def notifier(url: str | None) -> Notify:
    """Does nothing without `url`. A webhook that can't be reached is one line in the log, and hinders nothing."""
    if url is None:
        return lambda _event, _text: True
    return Webhook(url)


class Webhook:
    """In a thread of its own: one that sends its answer byte by byte must not hold up who has to make the backups."""

    def __init__(self, url: str) -> None:
        self._url, self._thread = url, threading.Thread()

    def __call__(self, event: str, text: str) -> bool:
        delivered: list[bool] = []
        if not self._thread.is_alive():
            post = lambda: delivered.append(_post(self._url, event, text))  # noqa: E731
            self._thread = threading.Thread(target=post, name="webhook", daemon=True)
            self._thread.start()
            self._thread.join(SECONDS_IN_ALL)
        if self._thread.is_alive():
            log.error(f"NOTIFY_URL could not be told of {event}, which is tried again: it does not end its answer.")
        return delivered == [True]


class _NotElsewhere(urllib.request.HTTPRedirectHandler):
    """For 301 to 303 urllib would go there with a GET, without the message, and call that well."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _post(url: str, event: str, text: str) -> bool:
    # "text" is what Slack, Mattermost and Teams show, "content" is Discord's.
    body = json.dumps({"event": event, "text": text, "content": text}).encode()
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.build_opener(_NotElsewhere).open(request, timeout=SECONDS):
            return True
    except (OSError, ValueError, HTTPException) as error:
        log.error(f"NOTIFY_URL could not be told of {event}, which is tried again: {_why(error)}.")
        return False


def _why(error: Exception) -> str:
    """Without the address, which may be in the error's text: who knows it may write there."""
    if not isinstance(error, urllib.error.HTTPError):
        return type(error).__name__
    return f"it answered {error.code}" + (", so it has another address now" if error.code // 100 == 3 else "")
