"""What every request and answer passes: proxies, the session cookie, cross-site requests, headers."""

import errno
import os
import re
import secrets
import shlex
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from flask import Request, request
from werkzeug.middleware.proxy_fix import ProxyFix

from app.errors import CannotStart, Forbidden
from app.settings import Settings
from app.storage.guard import how_to_own, in_place
from app.storage.mounts import Storage
from app.storage.owner import chown_like, owner_model
from app.web.client_address import ClientAddress
from app.web.context import WebApp
from app.web.sessions import Sessions, cookie_name
from app.writer.instance import Instance

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY = 1 << 20
SECRET_LENGTH = 64
SESSION_DAYS = 30
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with it browsers send "Origin: null" with forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
log = structlog.get_logger()


def init(app: WebApp, settings: Settings, instance: Instance) -> None:
    app.wsgi_app = FixedHeaders(app.wsgi_app, settings)
    hops = settings.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=hops)
        app.client_address = ClientAddress(app.wsgi_app, hops, settings.client_address_header)
        app.wsgi_app = app.client_address
    secret = settings.secret_key.get_secret_value() if settings.secret_key else session_secret(instance.storage)
    app.config.update(
        SECRET_KEY=secret,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SESSION_COOKIE_NAME=cookie_name(secret),
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=SESSION_DAYS),
    )
    app.session_interface = Sessions(instance.seen_now, lambda: _https(settings))
    app.before_request(lambda: refuse_cross_site(request, settings))


def _https(settings: Settings) -> bool:
    return request.is_secure or _has_https_url(settings)


def _has_https_url(settings: Settings) -> bool:
    return (settings.public_url or "").startswith("https:")


def refuse_cross_site(asked: Request, settings: Settings) -> None:
    """Raises Forbidden for a change that another site's page asks for (CSRF).

    Every browser of today says where a request comes from, so no token is needed: Sec-Fetch-Site first, which
    pages can't forge; then, as it is not sent over plain HTTP, Origin against Host or PUBLIC_URL (gateways rewrite
    Host). A request with neither is not from a browser, and carries no cookie that a browser was tricked out of.
    """
    if asked.method in SAFE_METHODS:
        return
    site, origin = asked.headers.get("Sec-Fetch-Site"), asked.headers.get("Origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    elif origin is not None:
        foreign = not _own_origin(origin, asked, settings)
    else:
        foreign = False
    if foreign:
        raise Forbidden(
            f"This change was asked for by another site ({origin or site}), so it was not made.",
            "Open Task Assist itself and try again. Behind a proxy, set PUBLIC_URL to the address in the browser.",
        )


def _own_origin(origin: str, asked: Request, settings: Settings) -> bool:
    """Where people come by https, what a page says that came by http may be anybody's on their way."""
    try:
        parts = urlsplit(origin)
    except ValueError:  # no URL at all
        return False
    if origin.lower() == settings.public_url:
        return True
    # The other way round is no harm: without TRUSTED_PROXIES the app does not know that it is reached by https.
    schemes = ("https",) if _https(settings) else ("https", "http")
    return parts.scheme in schemes and parts.netloc.lower() == asked.host.lower()


class FixedHeaders:
    """WSGI middleware: each answer has HEADERS. Werkzeug would look at every one of them again, at each request."""

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app, self._settings = app, settings

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            headers += HEADERS.items()
            if environ["wsgi.url_scheme"] == "https" or _has_https_url(self._settings):
                headers.append(("Strict-Transport-Security", "max-age=31536000"))
            # A page shows what lies in the database: it must not come out of a cache, on a shared computer least of
            # all. A file does (static_files.py).
            if not any(name == "Cache-Control" for name, _ in headers):
                headers.append(("Cache-Control", "no-store"))
            return start_response(status, headers, *error)

        return self._app(environ, start)


# --- the session secret -----------------------------------------------------------------------------------


def session_secret(storage: Storage) -> str:
    """The secret beside the database, made at the first start. Of two instances that start at once, one makes it."""
    file = storage.secret
    while True:
        with suppress(FileExistsError):
            _make_secret(storage, file)
        # Read also by its maker: one that was held up for long while it wrote may have been taken for dead.
        if secret := _read_secret(storage, file):
            return secret
        log.warning(f"A start was killed before it had written {file}. Nothing was signed with it: it is made anew.")
        file.unlink(missing_ok=True)


def _make_secret(storage: Storage, file: Path) -> None:
    """Raises FileExistsError where there is a file."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise
    except OSError as error:
        raise CannotStart(
            f"The session secret {file} can't be made: {error.strerror}.",
            "task-assist doctor says how the storage is. Or set SECRET_KEY: openssl rand -hex 32 makes one.",
        ) from None
    try:
        # Not through a buffer, which on a full disk fails once more when it is closed.
        if os.write(descriptor, secrets.token_hex(32).encode()) < SECRET_LENGTH:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
        mode = os.fstat(descriptor).st_mode & 0o777
    except OSError as error:
        file.unlink()
        raise CannotStart(
            f"The session secret {file} can't be written: {error.strerror}.", "Make room, or set SECRET_KEY."
        ) from None
    finally:
        os.close(descriptor)
    chown_like(file, owner_model(storage.path))
    if mode & 0o077:
        log.warning(f"{storage.mount.filesystem} can't keep {file} from other users (mode {mode:o}).")


def _read_secret(storage: Storage, file: Path) -> str | None:
    """None for a file that its maker did not come to fill: it was killed, or lost power."""
    content = ""
    for _ in range(20):
        try:
            content = file.read_bytes().decode("latin-1").strip()
        except FileNotFoundError:
            return None  # another instance is about to make it anew
        except OSError as error:
            raise CannotStart(
                f"The session secret {file} can't be read: {error.strerror}.", how_to_own(storage)
            ) from None
        if re.fullmatch(rf"[0-9a-f]{{{SECRET_LENGTH}}}", content):
            return content
        time.sleep(0.1)  # Another instance has just made the file and is about to write it.
    if re.fullmatch(r"[0-9a-f]{0,63}|\0+", content):
        return None
    raise CannotStart(
        f"The session secret {file} is damaged.",
        f"Delete it; everybody then signs in again:  {in_place(storage, shlex.join(('rm', str(file))))}",
    )
