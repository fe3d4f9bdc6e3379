"""The session cookie: signed, Secure wherever the browser speaks HTTPS, and as old as the database has seen it get."""

import hashlib
import hmac
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

EXPIRES = re.compile(r"Expires=[^;]*")
SEND_AGAIN = timedelta(days=1)
LONGEST = timedelta(days=90)
"""Then somebody signs in again, however often the session was used."""
COOKIES_KEPT = 256
"""Of at most 4 KB. To check a signature, and take apart what it holds, takes a tenth of a request."""
SINCE = "since"
"""In a session: when it began, in seconds, by the time that the database has seen."""


def cookie_name(secret: str) -> str:
    """One for each installation: browsers send a host's cookies to whatever listens there, on any port."""
    return f"task_assist_{hmac.digest(secret.encode(), b'cookie', hashlib.sha256).hex()[:8]}"


class Session(SecureCookieSession):
    is_old = False
    """Its cookie was sent so long ago that it is sent again, to last as long from now on."""


class Sessions(SecureCookieSessionInterface):
    """Flask's own, but for its clock: one of the machine that jumps would sign people out.

    And but for how often the cookie is sent: once a day is enough for one that lasts weeks. `now` is the time that the
    database has seen (app/database/seen_time.py), None while this instance does not have it.
    """

    session_class = Session

    def __init__(self, now: Callable[[], datetime | None], is_https: Callable[[], bool]) -> None:
        self._now, self._is_https = now, is_https
        self._serializer: URLSafeTimedSerializer | None = None

    def get_cookie_name(self, app: Flask) -> str:
        """Over HTTPS with the prefix that makes browsers refuse one which a subdomain has set (RFC 6265bis, 4.1.3)."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if self._is_https() else name

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        return self._is_https()

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._serializer is None and (serializer := super().get_signing_serializer(app)):
            serializer.signer = _signer(self._now)
            self._serializer = serializer
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> Session:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        kept, signed_at = self.read(app, request.cookies.get(self.get_cookie_name(app)))
        # One that was signed later than now is young: a backup of before was restored.
        unused, whole = self._age(signed_at), self._age(kept.get(SINCE, signed_at))
        ended = unused > app.permanent_session_lifetime.total_seconds() or whole > LONGEST.total_seconds()
        session = self.session_class(None if ended else kept)
        session.is_old = abs(unused) > SEND_AGAIN.total_seconds()
        return session

    def read(self, app: Flask, cookie: str | None) -> tuple[dict[str, Any], float]:
        """What was kept in it, and when it was signed, in seconds. Nothing for one that is not signed by this app."""
        serializer = self.get_signing_serializer(app)
        if not cookie or serializer is None:
            return {}, 0
        try:
            kept, signed_at = _signed(serializer, cookie)
        except BadSignature:
            return {}, 0
        return deepcopy(kept), signed_at

    def _age(self, moment: float) -> float:
        now = self._now()
        return now.timestamp() - moment if now else 0

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:  # noqa: ARG002
        again = session.permanent and getattr(session, "is_old", False)
        return (session.modified or again) and self._now() is not None

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """By an age, which the browser counts itself, instead of a date. What every cache may keep is nobody's."""
        if request.endpoint == "static":
            return
        if not session.modified and not self.should_set_cookie(app, session):
            if session.accessed:
                response.headers.add("Vary", "Cookie")
            return
        before = response.headers.getlist("Set-Cookie")
        super().save_session(app, session, response)
        cookies = response.headers.getlist("Set-Cookie")
        age = f"Max-Age={round(app.permanent_session_lifetime.total_seconds())}"
        own = [cookie if "Max-Age=" in cookie else EXPIRES.sub(age, cookie) for cookie in cookies[len(before) :]]
        response.headers.setlist("Set-Cookie", [*before, *own])


@lru_cache(COOKIES_KEPT)
def _signed(serializer: URLSafeTimedSerializer, cookie: str) -> tuple[dict[str, Any], float]:
    """What was kept in a cookie, and when it was signed, whenever it is looked at. Raises BadSignature."""
    kept, signed_at = serializer.loads(cookie, return_timestamp=True)
    return kept, signed_at.timestamp()


def _signer(now: Callable[[], datetime | None]) -> type[TimestampSigner]:
    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            moment = now()
            return int(moment.timestamp()) if moment else 0

    return Signer
