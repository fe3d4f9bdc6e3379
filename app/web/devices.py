"""On which devices an account has signed in: a cookie that tells its owner from a stranger who guesses (throttle.py).

It lets nobody in. It ends with the account's password, and with the secret that signs it.
"""

import hashlib
import secrets
from typing import Any

from flask import after_this_request, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from app.domain.models import User
from app.web.context import web_app

PATHS = ("/sign-in", "/account/password")
"""Where it is sent: also where the password changes, and with it one of its marks; the others stay."""
SECONDS = 180 * 24 * 60 * 60
MOST_ACCOUNTS = 5
"""Of one device. The one that has signed in last stays longest."""


def device_of(account: User | None) -> str | None:
    """The id of this device, if `account` has signed in on it with the password that it has now."""
    device, marks = _read()
    return device if account and _mark(account) in marks else None


def remember_device(account: User) -> None:
    """With the answer to this request."""
    device, marks = _read()
    mine = _mark(account)
    cookie = _serializer().dumps([device, [mine, *(mark for mark in marks if mark != mine)][:MOST_ACCOUNTS]])

    @after_this_request
    def _send(response: Response) -> Response:
        secure = _is_https()
        for path in PATHS:
            response.set_cookie(_name(), cookie, SECONDS, path=path, secure=secure, httponly=True, samesite="Lax")
        return response


def _read() -> tuple[str, list[str]]:
    """This device's id, which is new where it has none, and the marks of its accounts."""
    try:
        device, marks = _serializer().loads(request.cookies.get(_name(), ""), max_age=SECONDS)
    except BadSignature:
        return secrets.token_urlsafe(12), []
    return device, marks


def _mark(account: User) -> str:
    """Changes with the password, whose hash it tells nothing of."""
    return hashlib.sha256(f"{account.id}:{account.password_hash}".encode()).hexdigest()[:24]


def _name() -> str:
    name = f"{web_app().config['SESSION_COOKIE_NAME']}_device"
    # Not __Host-, with which it would go to every path.
    return f"__Secure-{name}" if _is_https() else name


def _is_https() -> bool:
    return web_app().session_interface.get_cookie_secure(web_app())


def _serializer() -> URLSafeTimedSerializer:
    key: Any = web_app().secret_key
    return URLSafeTimedSerializer(key, salt="device")
