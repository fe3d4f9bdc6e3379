"""Which process answers, and whether it is the only one: by `started` and `writer` in /healthz."""

import time
from typing import Any

from .site import Site
from .stop import Failed, NotTried
from .storage import refuse_ephemeral

SAMPLES = 5
"""Answers of /healthz in a row that have to be of one and the same process, which writes."""
SETTLED_WITHIN = 600
"""Seconds after a deployment. A cloud starts the new instance when its command has long ended, and its gateway sends
some requests to the old one for a while."""
FOUND_WITHIN = 120
"""Seconds, before anything was deployed."""


def settled(site: Site, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """What /healthz says once one process alone answers: with `before`, another one than that.

    Raises Failed for ephemeral storage, for two writers, and where nothing was deployed.
    """
    within = FOUND_WITHIN if before is None else SETTLED_WITHIN
    until = time.monotonic() + within
    while True:
        try:
            answers = [_health(site) for _ in range(SAMPLES)]
            for said in answers:
                refuse_ephemeral(said)
            if (wrong := _not_settled(site, answers, before, within)) is None:
                return answers[-1]
        except NotTried as stop:
            if before is None:
                raise
            wrong = stop
        if time.monotonic() > until:
            raise wrong
        time.sleep(1)


def answers_anew(site: Site, before: dict[str, Any], within: float) -> bool:
    """True as soon as another process than that of `before` answers; False after so many seconds without one."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            if site.health().get("started") != before.get("started"):
                return True
        except (OSError, NotTried):  # a gateway's own page, while nothing runs behind it
            pass
        time.sleep(1)
    return False


def refuse_another(now: dict[str, Any], later: dict[str, Any]) -> None:
    """Raises Failed where it began anew while the rows were read: of which of the two are they?"""
    if later["started"] != now["started"]:
        raise Failed(
            "restarted",
            f"While the rows were read it began once more, at {later['started']}.",
            "Its log says why. When it stays up, try again.",
        )


def _not_settled(
    site: Site, answers: list[dict[str, Any]], before: dict[str, Any] | None, within: float
) -> Failed | None:
    began = {said.get("started") for said in answers}
    if len(began) > 1:
        return _two_writers(site, began, within)
    if before is not None and (wrong := _nothing_deployed(began.pop(), before)):
        return wrong
    if not all(said["database"]["writer"] for said in answers):
        return Failed(
            "standby",
            f"The instance at {site.url} does not write: another one has the database.",
            f"To see which:  curl -s {site.url}/readyz",
        )
    return None


def _two_writers(site: Site, began: set[Any], within: float) -> Failed:
    when = " and ".join(sorted(f"one that began at {started}" for started in began))
    return Failed(
        "two_writers",
        f"Two instances still answer at {site.url} after {within} s: {when}. Only one of them can write.",
        "Run one: SQLite has one writer. Stop the other, or give it a database of its own.",
    )


def _nothing_deployed(started: str | None, before: dict[str, Any]) -> Failed | None:
    if started is None:
        return Failed(
            "no_deployment", "The app does not say when it began: it is older than this script.", "Deploy this version."
        )
    if started == before.get("started"):
        return Failed(
            "no_deployment",
            f"The process of {started} still answers: nothing was deployed, so nothing is proven.",
            "Name a command that deploys in any case:  --deploy 'COMMAND'",
        )
    return None


def _health(site: Site) -> dict[str, Any]:
    try:
        return site.health()
    except OSError as error:
        raise NotTried(
            "no_answer", f"{site.url} does not answer: {error}", f"To look:  curl -i {site.url}/healthz"
        ) from None
