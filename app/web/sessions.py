"""The session cookie: signed, Secure wherever the browser speaks HTTPS, and as old as the database has seen it get."""

import re
from collections.abc import Callable
from datetime import datetime

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

EXPIRES = re.compile(r"Expires=[^;]*")


class Sessions(SecureCookieSessionInterface):
    """Flask's own, but for its clock: one of the machine that jumps would sign people out.

    `now` is the time that the database has seen (app/database/seen_time.py), None while this instance does not have it.
    """

    def __init__(self, now: Callable[[], datetime | None], is_https: Callable[[], bool]) -> None:
        self._now, self._is_https = now, is_https

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        return self._is_https()

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        serializer = super().get_signing_serializer(app)
        if serializer:
            serializer.signer = self._signer()
        return serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        try:
            cookie = request.cookies.get(self.get_cookie_name(app), "")
            kept, signed_at = serializer.loads(cookie, return_timestamp=True)
        except BadSignature:
            return self.session_class()
        now = self._now()
        # One that was signed later than now is young: a backup of before was restored.
        too_old = now and now - signed_at > app.permanent_session_lifetime
        return self.session_class() if too_old else self.session_class(kept)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        return self._now() is not None and super().should_set_cookie(app, session)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """By an age, which the browser counts itself, instead of a date."""
        before = response.headers.getlist("Set-Cookie")
        super().save_session(app, session, response)
        cookies = response.headers.getlist("Set-Cookie")
        age = f"Max-Age={round(app.permanent_session_lifetime.total_seconds())}"
        own = [cookie if "Max-Age=" in cookie else EXPIRES.sub(age, cookie) for cookie in cookies[len(before) :]]
        response.headers.setlist("Set-Cookie", [*before, *own])

    def _signer(self) -> type[TimestampSigner]:
        now = self._now()

        class Signer(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(now.timestamp()) if now else 0

        return Signer
