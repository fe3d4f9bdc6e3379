"""Who is asking: session cookie, API token, or the local user while sign-in is off. And signing in and out."""

import secrets
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from pydantic import ValidationError
from werkzeug.wrappers import Response

from app.database.engine import Database
from app.domain import accounts
from app.domain.models import User
from app.domain.schemas import NewAccount
from app.errors import Forbidden, Invalid, Problem, SignInNeeded, invalid_input
from app.web.context import database, settings
from app.web.pages.forms import own_path
from app.web.rate_limit import Throttle

PUBLIC = frozenset(("static", "health.healthz", "health.readyz", "auth.sign_in", "auth.set_up", "api.openapi"))
"""The endpoints that answer without sign-in. Every other one asks for it."""
HEALTH = frozenset(("health.healthz", "health.readyz"))
SCOPES = ("read", "write", "admin")
LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "[::1]"))
FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")

auth = Blueprint("auth", __name__)
log = structlog.get_logger()


@dataclass(frozen=True)
class Person(UserMixin):
    """Who is asking. `scope` is the most they may do: read, write or admin. `id` is None for the local user."""

    id: int | None
    email: str
    role: str
    scope: str
    session_number: int = 0

    def get_id(self) -> str:
        """What the session cookie holds: a password change makes the number, and so the cookie, a stale one."""
        return f"{self.id}:{self.session_number}"

    def may(self, scope: str) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


LOCAL = Person(None, "", "admin", "admin")


def _person(user: User, scope: str = "admin") -> Person:
    most = "admin" if user.role == "admin" else "write"
    return Person(user.id, user.email, user.role, min(scope, most, key=SCOPES.index), user.session_number)


def init(app: Flask) -> None:
    # Templates get the person from person_for_page, which does not fail where the database does.
    manager = LoginManager(app, add_context_processor=False)
    # The cookie is signed, HttpOnly and SameSite; binding it to an address would sign phones out all day.
    manager.session_protection = None  # pyright: ignore[reportAttributeAccessIssue]
    manager.user_loader(_person_of_cookie)
    manager.request_loader(_person_of_token)
    app.extensions["throttle"] = Throttle()
    app.extensions["setup_code"] = None
    app.before_request(_require_sign_in)
    app.register_blueprint(auth)


def prepare_first_account(app: Flask, data: Database) -> None:
    """Makes the first account from the settings, or prints the set-up code that makes it in the browser."""
    wanted = app.extensions["settings"]
    if wanted.auth_disabled:
        return
    with data.read() as transaction:
        if accounts.count_accounts(transaction):
            return
    if wanted.admin_email:
        with data.write() as transaction:
            accounts.add_first_account(
                transaction, NewAccount(email=wanted.admin_email, password=wanted.admin_password)
            )
        log.info(f"Made the first account, {wanted.admin_email}, from the settings.")
        return
    letters = "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(8))
    app.extensions["setup_code"] = f"{letters[:4]}-{letters[4:]}"
    log.warning(f"There is no account yet. Open /setup and use the set-up code: {app.extensions['setup_code']}")


def person_for_page() -> Any:
    """The Person who is signed in; None for a stranger, and on the page that says why the database can't be asked."""
    try:
        return current_user if current_user.is_authenticated else None
    except Problem:
        return None


# --- who is it --------------------------------------------------------------------------------------------


def _person_of_cookie(cookie: str) -> Person | None:
    number, _, session_number = cookie.partition(":")
    with database().read() as transaction:
        user = transaction.get(User, int(number))
    if user is None or str(user.session_number) != session_number:
        return None
    return _person(user)


def _person_of_token(_request) -> Person | None:
    if settings().auth_disabled:
        return LOCAL
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not request.path.startswith("/api/"):
        return None
    with database().read() as transaction:
        found = accounts.find_token(transaction, token.strip())
        return _person(found.user, found.scope) if found else None


# --- may they ---------------------------------------------------------------------------------------------


def _require_sign_in() -> Response | None:
    if settings().auth_disabled and request.endpoint not in HEALTH:
        _refuse_remote()
    # Without an endpoint there is no such page, and that is what the answer says.
    if request.endpoint is None or request.endpoint in PUBLIC:
        return None
    if not current_user.is_authenticated:
        return _ask_for_sign_in()
    needed = "read" if request.method in ("GET", "HEAD", "OPTIONS") else "write"
    if not current_user.may(needed):
        raise Forbidden(f"This token may only {current_user.scope}.", f"Use a token with the scope {needed}.")
    return None


def _refuse_remote() -> None:
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    forwarded = [name for name in FORWARDING_HEADERS if name in request.headers]
    if host.lower() in LOCAL_HOSTS and not forwarded:
        return
    what = f"with the header {forwarded[0]}" if forwarded else f"for {request.host}"
    raise Forbidden(
        f"Sign-in is off, so only requests made to localhost are answered, and this one came {what}.",
        "Open http://localhost:8000 on the machine itself, or set AUTH_DISABLED=false in .env and start again.",
    )


def _ask_for_sign_in() -> Response:
    if request.path.startswith("/api/"):
        raise SignInNeeded(
            "This needs a token.", "Send the header Authorization: Bearer TOKEN. Tokens are made on the account page."
        )
    if current_app.extensions["setup_code"]:
        return redirect(url_for("auth.set_up"), 303)
    next_page = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("auth.sign_in", next=None if next_page == "/" else next_page), 303)


def require_admin() -> None:
    if not current_user.may("admin"):
        raise Forbidden("Only an admin may do this.", "Ask an admin of this Task Assist.")


# --- signing in and out -----------------------------------------------------------------------------------


@auth.get("/sign-in")
@auth.post("/sign-in")
def sign_in():
    if current_user.is_authenticated:
        return redirect(own_path(request.values.get("next")), 303)
    if current_app.extensions["setup_code"]:
        return redirect(url_for("auth.set_up"), 303)
    email, problem = request.form.get("email", ""), None
    if request.method == "POST":
        try:
            return _signed_in(email, request.form.get("password", ""))
        except Problem as refused:
            problem = refused
    page = render_template("sign_in.html", email=email, next=own_path(request.values.get("next")), problem=problem)
    return page, problem.status if problem else 200, _retry(problem)


def _signed_in(email: str, password: str) -> Response:
    throttle: Throttle = current_app.extensions["throttle"]
    account = email.strip().lower()[:254]
    throttle.count(account, request.remote_addr or "")
    with database().read() as transaction:
        user = accounts.find_account(transaction, email)
    if not accounts.password_fits(user, password) or user is None:
        log.warning("A sign-in failed.", address=request.remote_addr)
        raise Invalid("This email and password don't fit together.", "Check both, or ask an admin for a new password.")
    throttle.forget(account)
    start_session(user)
    return redirect(own_path(request.form.get("next")), 303)


def start_session(user: User) -> None:
    session.clear()
    session.permanent = True
    login_user(_person(user))


@auth.post("/sign-out")
def sign_out():
    logout_user()
    session.clear()
    return redirect(url_for("auth.sign_in"), 303)


@auth.get("/setup")
@auth.post("/setup")
def set_up():
    if not current_app.extensions["setup_code"]:
        return redirect(url_for("auth.sign_in"), 303)
    email, problem = request.form.get("email", ""), None
    if request.method == "POST":
        try:
            return _set_up_with_code(request.form.get("code", ""), email, request.form.get("password", ""))
        except Problem as refused:
            problem = refused
    page = render_template("set_up.html", email=email, problem=problem)
    return page, problem.status if problem else 200, _retry(problem)


def _set_up_with_code(code: str, email: str, password: str) -> Response:
    current_app.extensions["throttle"].count("set-up code", request.remote_addr or "")
    given = code.strip().upper().encode()
    if not secrets.compare_digest(given, current_app.extensions["setup_code"].encode()):
        raise Invalid(
            "No account was made.", fields={"code": "This is not the code. The newest one is at the end of the log."}
        )
    try:
        fields = NewAccount.model_validate({"email": email, "password": password, "role": "admin"})
    except ValidationError as error:
        raise invalid_input(error) from None
    with database().write() as transaction:
        user = accounts.add_first_account(transaction, fields)
    current_app.extensions["setup_code"] = None
    start_session(user)
    return redirect("/", 303)


def _retry(problem: Problem | None) -> dict[str, str]:
    return {"Retry-After": str(problem.retry_after)} if problem and problem.retry_after else {}
