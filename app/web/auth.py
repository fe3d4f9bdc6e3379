"""Who is asking, and what may they do: session cookie, API token, or the local user while sign-in is off."""

from dataclasses import dataclass
from typing import Any

from flask import g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from app.database.base import utc_now
from app.domain import accounts, tokens
from app.domain.models import User
from app.errors import Forbidden, Problem, SignInNeeded
from app.web.client_address import peer
from app.web.context import WebApp, database, setup_code, web_app
from app.web.devices import remember_device
from app.web.older_sessions import forget_older_session
from app.web.pages import unsaved_form
from app.web.pages.forms import page_again, return_path
from app.web.sessions import SINCE
from app.web.token_use import note_use

PUBLIC = frozenset(("static", "health.healthz", "health.readyz", "auth.sign_in", "auth.set_up", "api.openapi"))
"""The endpoints that answer without sign-in. Every other one asks for it."""
HEALTH = frozenset(("health.healthz", "health.readyz"))
HASHING = ("/sign-in", "/setup", "/account", "/api/v1/accounts", "/api/v1/tokens")
"""How the paths begin whose forms may hash a password: they get threads of their own, so that no other change waits."""
SCOPES = ("read", "write", "admin")
LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "[::1]"))
FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
IN_ENVIRON = {f"HTTP_{name.upper().replace('-', '_')}": name for name in FORWARDING_HEADERS}


@dataclass(frozen=True)
class Person:
    """Who is asking. `scope` is the most they may do: read, write or admin. `id` is None for the local user."""

    id: int | None
    email: str
    role: str
    scope: str

    def may(self, scope: str) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


LOCAL = Person(None, "", "admin", "admin")


def _person(user: Any, scope: str = "admin") -> Person:
    most = "admin" if user.role == "admin" else "write"
    return Person(user.id, user.email, user.role, min(scope, most, key=SCOPES.index))


def init(app: WebApp) -> None:
    app.before_request(_require_sign_in)


def who_asks() -> Person | None:
    """None for a stranger. Looked for once a request; raises what keeps the database closed."""
    if "person" not in g:
        local = web_app().settings.auth_disabled
        g.person = LOCAL if local else _person_of_cookie() or _person_of_token()
    return g.person


def current_person() -> Person:
    """Who asks for what a stranger may not."""
    return g.person


def person_for_page() -> Person | None:
    """The Person who is signed in; None for a stranger, and on the page that says why the database can't be asked."""
    try:
        return who_asks()
    except Problem:
        return None


def start_session(user: User) -> None:
    """From here on this browser is signed in, with nothing in its cookie of what was there before."""
    session.clear()
    session.permanent = True
    session["person"] = f"{user.id}:{user.session_key}"
    session[SINCE] = database().seen_time.now().timestamp()
    remember_device(user)
    g.person = _person(user)
    forget_older_session()


def end_sessions() -> None:
    """Signs the account out, everywhere. Raises what hinders that; in this browser it is signed out all the same."""
    account_id = g.person.id
    session.clear()
    g.person = None
    with database().write() as transaction:
        accounts.end_sessions(transaction, account_id)


# --- who is it --------------------------------------------------------------------------------------------


def _person_of_cookie() -> Person | None:
    number, _, key = session.get("person", "").partition(":")
    if not key:
        return None
    user = accounts.find_by_id(database(), int(number))
    return _person(user) if user and user.session_key == key else None


def _person_of_token() -> Person | None:
    token = _bearer_token()
    if not token or not request.path.startswith("/api/"):
        return None
    found = tokens.find_by_token(database(), token)
    if found is None:
        return None
    if found.expires_at and found.expires_at <= utc_now():
        raise SignInNeeded(f"The token {found.name} has expired.", "Make another one on the account page.")
    note_use(found.token_id, found.last_used_on)
    return _person(found, found.scope)


def _bearer_token() -> str:
    """Empty where there is none, or another kind of Authorization."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


# --- may they ---------------------------------------------------------------------------------------------


def _require_sign_in() -> Response | None:
    if web_app().settings.auth_disabled and request.endpoint not in HEALTH:
        _refuse_remote()
    # Without an endpoint there is no such page, and that is what the answer says.
    if request.endpoint is None or request.endpoint in PUBLIC:
        return None
    person = who_asks()
    if person is None:
        return _ask_for_sign_in()
    needed = "read" if request.method in ("GET", "HEAD", "OPTIONS") else "write"
    if not person.may(needed):
        raise Forbidden(f"This token may only {person.scope}.", f"Use a token with the scope {needed}.")
    return None


def _refuse_remote() -> None:
    """The name alone is the client's word, and the peer alone may be a browser that a page of another site leads here
    by a name of its own (DNS rebinding)."""
    name, _, port = request.host.rpartition(":") if not request.host.endswith("]") else (request.host, "", "")
    host, who = name or port, peer(request.environ)
    forwarded = [header for key, header in IN_ENVIRON.items() if key in request.environ]
    here = web_app().this_machine.made(who)
    if here and host.lower() in LOCAL_HOSTS and not forwarded:
        return
    what = f"with the header {forwarded[0]}" if forwarded else f"for {request.host}" if here else f"from {who}"
    url = f"http://localhost:{port}" if name and port else "http://localhost"
    raise Forbidden(
        f"Sign-in is off, so only requests made on this machine to localhost are answered, and this one came {what}.",
        f"Open {url} on the machine itself, or set AUTH_DISABLED=false in .env and start again.",
    )


def _ask_for_sign_in() -> Response:
    if request.path.startswith("/api/"):
        if _bearer_token():
            raise SignInNeeded(
                "This token is not known: it is mistyped, or it was deleted, or the password of its account was reset.",
                "Make another one on the account page.",
            )
        raise SignInNeeded(
            "This needs a token.", "Send the header Authorization: Bearer TOKEN. Tokens are made on the account page."
        )
    if setup_code():
        return redirect(url_for("auth.set_up"), 303)
    if unsaved_form.has_text():
        signed_out = SignInNeeded("You are signed out.", "Sign in, and what you typed is here again.")
        return page_again(unsaved_form.sign_in_page(problem=signed_out, to=request.path))
    next_page = request.full_path.rstrip("?") if request.method == "GET" else return_path()
    return redirect(url_for("auth.sign_in", next=None if next_page == "/" else next_page), 303)


def require_admin() -> None:
    if not current_person().may("admin"):
        raise Forbidden("Only an admin may do this.", "Ask an admin of this Task Assist.")
