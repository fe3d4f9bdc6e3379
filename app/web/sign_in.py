"""Signing in and out, and the first account: from the settings, or with a set-up code in the browser."""

import secrets
from copy import copy
from typing import Any

import structlog
from flask import Blueprint, flash, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from app.database.engine import Database
from app.domain import accounts
from app.domain.passwords import hashed, password_fits
from app.domain.schemas import NewAccount
from app.errors import Invalid, Problem, invalid_input
from app.setting_values import EMAIL_LENGTH
from app.web.auth import end_sessions, start_session, who_asks
from app.web.context import WebApp, current_user_id, database, setup_code, web_app
from app.web.devices import device_of
from app.web.error_pages import retry_after
from app.web.pages import unsaved_form
from app.web.pages.forms import own_path
from app.web.pages.unsaved_form import WITH_TYPED
from app.web.throttle import Try
from app.web.throttled_request import refuse_throttled

auth = Blueprint("auth", __name__)
log = structlog.get_logger()


def prepare_first_account(app: WebApp, data: Database) -> None:
    """Makes the first account from the settings, or prints the set-up code that makes it in the browser."""
    app.setup_code = None  # of an earlier turn: the account may have been made at another instance meanwhile
    wanted = app.settings
    if wanted.auth_disabled:
        return
    with data.read() as transaction:
        if accounts.count_accounts(transaction):
            return
    if wanted.admin_email:
        fields = NewAccount.model_validate({"email": wanted.admin_email, "password": wanted.admin_password})
        password = hashed(fields.password)
        with data.write() as transaction:
            accounts.add_first_account(transaction, fields, password)
        log.info(f"Made the first account, {wanted.admin_email}, from the settings.")
        return
    letters = "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(8))
    app.setup_code = f"{letters[:4]}-{letters[4:]}"
    log.warning(f"There is no account yet. Open /setup and use the set-up code: {app.setup_code}")


@auth.get(WITH_TYPED)
@auth.post(WITH_TYPED)
@auth.get("/sign-in")
@auth.post("/sign-in")
def sign_in():
    if who_asks():
        return _go_on()
    if setup_code():
        return redirect(url_for("auth.set_up"), 303)
    email, problem = request.form.get("email", ""), None
    if request.method == "POST":
        try:
            return _signed_in(email, request.form.get("password", ""))
        except Problem as refused:
            problem = refused
    page = unsaved_form.sign_in_page(
        email, own_path(request.values.get("next")), problem, to=request.form.get("to", "")
    )
    return page, problem.status if problem else 200, retry_after(problem)


def _signed_in(email: str, password: str) -> Response:
    with database().read() as transaction:
        user = accounts.find_account(transaction, email)
    attempt = Try(f"email {email.strip().lower()[:EMAIL_LENGTH]}", request.remote_addr or "", device_of(user))
    refuse_throttled(attempt)
    if not password_fits(user.password_hash if user else None, password) or user is None:
        web_app().throttle.wrong(attempt)
        log.warning("A sign-in failed.", address=request.remote_addr)
        raise Invalid("This email and password don't fit together.", "Check both, or ask an admin for a new password.")
    web_app().throttle.right(attempt)
    start_session(user)
    return _go_on()


def _go_on() -> Any:
    """To where the person was going, or to what was typed when the session had ended."""
    if request.method == "POST" and "to" in request.form:
        return unsaved_form.page_after_sign_in()
    return redirect(own_path(request.values.get("next")), 303)


@auth.post("/sign-out")
def sign_out():
    if current_user_id() is None:  # sign-in is off
        return redirect("/", 303)
    try:
        end_sessions()
    except Problem as problem:
        told = copy(problem)  # others may be told of the same one
        told.message = f"In this browser you are signed out, but on other devices you are not. {problem.message}"
        raise told from problem
    flash("You are signed out, here and on all your other devices.")
    return redirect(url_for("auth.sign_in"), 303)


@auth.get("/setup")
@auth.post("/setup")
def set_up():
    if not setup_code():
        return redirect(url_for("auth.sign_in"), 303)
    email, problem = request.form.get("email", ""), None
    if request.method == "POST":
        try:
            return _set_up_with_code(request.form.get("code", ""), email, request.form.get("password", ""))
        except Problem as refused:
            problem = refused
    page = render_template("set_up.html", email=email, problem=problem)
    return page, problem.status if problem else 200, retry_after(problem)


def _set_up_with_code(code: str, email: str, password: str) -> Response:
    attempt = Try("set-up code", request.remote_addr or "")
    refuse_throttled(attempt)
    given = code.strip().upper().encode()
    if not secrets.compare_digest(given, (setup_code() or "").encode()):
        web_app().throttle.wrong(attempt)
        raise Invalid(
            "No account was made.", fields={"code": "This is not the code. The newest one is at the end of the log."}
        )
    try:
        fields = NewAccount.model_validate({"email": email, "password": password, "role": "admin"})
    except ValidationError as error:
        raise invalid_input(error) from None
    hash_of_new = hashed(fields.password)
    with database().write() as transaction:
        user = accounts.add_first_account(transaction, fields, hash_of_new)
    start_session(user)
    return redirect("/", 303)
