"""The running app, asked over HTTP as any other program asks it."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

from .stop import Failed, NotTried

ANSWERS_WITHIN = 20
"""Seconds for one answer: a request waits up to 5 of them while the database is handed over."""
WHOLE_WITHIN = 120
"""Seconds for all of one answer, however slowly it comes."""
LONGEST = 64 * 1024 * 1024
"""Bytes of one answer: 200 rows with notes of 20,000 letters, each written in at most 12, are under 50 million."""
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
        with _no_answer_is_an_os_error():
            try:
                with self._open(asked, timeout=ANSWERS_WITHIN) as answer:
                    return answer.status, _json(_whole(answer))
            except urllib.error.HTTPError as error:
                with error:
                    if "Location" in error.headers and 300 <= error.code < 400:
                        self._refuse_elsewhere(error.headers["Location"])
                    return error.code, _json(_whole(error))

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
        """The answers of a list, page by page. Raises NotTried where one leads to a page of before, or elsewhere."""
        following: str | None = path
        seen: set[str] = set()
        while following:
            seen.add(following)
            page = self.get(following)
            yield page
            following = page.get("next")
            if following is not None and (not str(following).startswith("/") or following in seen):
                raise self._odd("GET", path)

    def health(self) -> dict[str, Any]:
        """Raises OSError without an answer, NotTried where it is not Task Assist's."""
        status, said = self.ask("GET", "/healthz")
        if status != 200 or not _is_health(said):
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
        try:
            status, said = self.ask(method, path, body)
        except OSError as error:
            raise NotTried(
                "no_answer", f"{method} {self.url}{path} got no answer: {error}", "Its log says why."
            ) from None
        if status >= 300:
            raise self._refused(method, path, status, said)
        if not isinstance(said, dict):
            raise self._odd(method, path)
        return said

    def _odd(self, method: str, path: str) -> NotTried:
        return NotTried(
            "not_task_assist",
            f"{method} {self.url}{path} is not answered as Task Assist does.",
            "Is something between it and here that answers in its place?",
        )

    def _refused(self, method: str, path: str, status: int, said: Any) -> Failed | NotTried:
        error = _error(said)
        message = f"{method} {self.url}{path} was answered {status}: {error.get('message') or 'without a reason'}"
        kind = NotTried if status in (401, 403) else Failed
        return kind("refused", message, error.get("hint", ""))


def _refuse_lost(said: Any) -> str:
    """What /readyz says of itself. Raises Failed where that does not pass by itself."""
    error = _error(said)
    if error.get("code") in LOST:
        raise Failed(error["code"], error.get("message", ""), error.get("hint", ""))
    return error.get("message", "")


def _is_health(said: Any) -> bool:
    """With what every version says there."""
    if not isinstance(said, dict) or not isinstance(said.get("database"), dict):
        return False
    return "version" in said and {"persistent", "mount", "filesystem", "profile", "writer"} <= said["database"].keys()


@contextmanager
def _no_answer_is_an_os_error() -> Iterator[None]:
    """What http.client calls otherwise: half an answer, or one that is no HTTP, as while a process is killed."""
    try:
        yield
    except http.client.HTTPException as error:
        raise ConnectionError(f"no whole answer in HTTP ({type(error).__name__})") from None


def _whole(answer: Any) -> bytes:
    """Raises OSError for one that does not end in time, or is longer than any of Task Assist's."""
    until, body = time.monotonic() + WHOLE_WITHIN, bytearray()
    while part := answer.read1(1 << 20):
        body += part
        if len(body) > LONGEST:
            raise ConnectionError(f"an answer of more than {LONGEST} bytes")
        if time.monotonic() > until:
            raise TimeoutError(f"an answer that did not end within {WHOLE_WITHIN} s")
    # read1() gives what there is, and does not say that more was promised.
    if (promised := answer.headers.get("Content-Length")) and len(body) != int(promised):
        raise http.client.IncompleteRead(bytes(body), int(promised) - len(body))
    return bytes(body)


def _error(said: Any) -> dict[str, Any]:
    """The app's own; empty for a gateway's, which says it in words of its own."""
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, dict) else {}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
