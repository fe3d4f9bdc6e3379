"""The running app, asked over HTTP as any other program asks it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import urlsplit

from .stop import Failed, NotTried

ANSWERS_WITHIN = 20
"""Seconds for one answer: a request waits up to 5 of them while the database is handed over."""
READY_WITHIN = 120
"""Seconds from a start until /readyz; a lost writer on a network mount is waited for 20 of them."""
LOST = frozenset("emptied damaged newer_revision other_app not_sqlite".split())
"""Codes of /readyz that no waiting mends."""
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """urllib would send the token on, to whatever host an answer names."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Site:
    """`url` without a slash at its end. `token` is an API token with the scope write; None where sign-in is off."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        # A proxy of the network has no way to this machine.
        local = urlsplit(self.url).hostname in LOCAL_HOSTS
        handlers = [urllib.request.ProxyHandler({})] if local else []
        self._open = urllib.request.build_opener(_NoRedirects, *handlers).open

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON, also of a refusal; None where the answer is no JSON.

        Raises OSError without an answer, NotTried where it leads to another address.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if data else {})
        asked = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with self._open(asked, timeout=ANSWERS_WITHIN) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                if "Location" in error.headers and 300 <= error.code < 400:
                    self._refuse_elsewhere(error.headers["Location"])
                return error.code, _json(error.read())

    def _refuse_elsewhere(self, location: str) -> NoReturn:
        """Without what follows a ?, which may be a secret."""
        where = location.partition("?")[0]
        raise NotTried(
            "leads_elsewhere",
            f"{self.url} leads to {where}, where no token is sent.",
            "If that is the app, name its address instead.",
        )

    def get(self, path: str) -> Any:
        return self._done("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self._done("POST", path, body)

    def delete(self, path: str) -> None:
        """Also what is gone already."""
        status, said = self.ask("DELETE", path)
        if status not in (204, 404):
            raise self._refused("DELETE", path, status, said)

    def pages(self, path: str) -> Iterator[Any]:
        """The answers of a list, page by page."""
        following: str | None = path
        while following:
            page = self.get(following)
            yield page
            following = page["next"]

    def health(self) -> dict[str, Any]:
        """Raises OSError without an answer, NotTried where it is not Task Assist's."""
        status, said = self.ask("GET", "/healthz")
        if status != 200 or not isinstance(said, dict) or "database" not in said:
            raise NotTried(
                "not_task_assist",
                f"{self.url}/healthz answers {status}, and not as Task Assist does.",
                "Is the address right? To look:  curl -i " + self.url + "/healthz",
            )
        return said

    def wait_until_ready(self, alive: Any = lambda: None, within: float = READY_WITHIN) -> None:
        """Until it can read and write. `alive` raises what makes waiting useless. Raises Failed."""
        until, last = time.monotonic() + within, "nothing answers"
        while True:
            alive()
            try:
                status, said = self.ask("GET", "/readyz")
            except OSError as error:
                last = str(error)
            else:
                if status == 200:
                    return
                last = _refuse_lost(said) or f"it answers {status}"
            if time.monotonic() > until:
                raise Failed(
                    "not_ready",
                    f"{self.url} was not ready within {within:.0f} s: {last}",
                    f"To see why:  curl -s {self.url}/readyz",
                )
            time.sleep(0.2)

    def _done(self, method: str, path: str, body: Any = None) -> Any:
        status, said = self.ask(method, path, body)
        if status >= 300:
            raise self._refused(method, path, status, said)
        return said

    def _refused(self, method: str, path: str, status: int, said: Any) -> Failed | NotTried:
        error = said.get("error", {}) if isinstance(said, dict) else {}
        message = f"{method} {self.url}{path} was answered {status}: {error.get('message') or 'without a reason'}"
        kind = NotTried if status in (401, 403) else Failed
        return kind("refused", message, error.get("hint", ""))


def _refuse_lost(said: Any) -> str:
    """What /readyz says of itself. Raises Failed where that does not pass by itself."""
    error = said.get("error", {}) if isinstance(said, dict) else {}
    if error.get("code") in LOST:
        raise Failed(error["code"], error["message"], error["hint"])
    return error.get("message", "")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
