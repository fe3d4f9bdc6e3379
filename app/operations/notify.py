"""NOTIFY_URL: one webhook that hears when a backup or a drill failed, is missing, or works again."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable

import structlog

SECONDS = 10

log = structlog.get_logger()
Notify = Callable[[str, str], None]
"""Called with the kind of event, for programs, and a sentence, for people."""


def notifier(url: str | None) -> Notify:
    """Does nothing without `url`. A webhook that can't be reached is one line in the log, and hinders nothing."""
    if url is None:
        return lambda _event, _text: None
    return lambda event, text: _post(url, event, text)


def _post(url: str, event: str, text: str) -> None:
    # "text" is what Slack, Mattermost and Teams show, "content" is Discord's.
    body = json.dumps({"event": event, "text": text, "content": text}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return
    except (OSError, ValueError) as error:
        # Not the address: who knows it may write there.
        why = f"it answered {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
        log.error(f"NOTIFY_URL could not be told of {event}: {why}.")
