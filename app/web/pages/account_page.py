"""One's own account, with its API tokens."""

from typing import Annotated

from flask import Blueprint, flash, redirect, render_template, request
from pydantic import BeforeValidator, ValidationError

from app.domain import accounts, tokens
from app.domain.passwords import hashed
from app.domain.schemas import TOKEN_DAYS, Fields, Password, TokenRequest
from app.errors import NotFound, Problem, invalid_input
from app.web.auth import current_person, start_session
from app.web.context import current_user_id, database
from app.web.error_pages import retry_after
from app.web.own_password import require_own_password
from app.web.pages import forms
from app.web.pages.forms import Typed

account_pages = Blueprint("account_pages", __name__)


class PasswordChange(Fields):
    current: str
    password: Password


EXPIRES_IN = {"30": 30, "90": 90, "365": 365, "never": None}
"""Days, by what the form says."""


class TokenForm(TokenRequest):
    expires_in_days: Annotated[int | None, BeforeValidator(lambda given: EXPIRES_IN.get(given, given))] = TOKEN_DAYS


def parse_form(form: type[Typed]) -> Typed:
    """The form that was sent, checked. Raises Invalid with a sentence for each field."""
    try:
        return forms.parse_form(form)
    except ValidationError as error:
        raise invalid_input(error) from None


def own_account() -> int:
    account = current_user_id()
    if account is None:
        raise NotFound("Sign-in is off, so there are no accounts.", "Set AUTH_DISABLED=false in .env to switch it on.")
    return account


@account_pages.get("/account")
def account():
    return _account_page()


@account_pages.post("/account/password")
def change_password():
    account_id = own_account()
    try:
        form = parse_form(PasswordChange)
        current, new = require_own_password(account_id, form.current), hashed(form.password)
        with database().write() as session:
            user = accounts.change_password(session, account_id, current, new)
            has_tokens = tokens.list_tokens(session, account_id, limit=1)
    except Problem as problem:
        return _account_page(problem, refused="password"), problem.status, retry_after(problem)
    start_session(user)
    still = " Your API tokens still work." if has_tokens else ""
    flash(f"Your password is changed. Everywhere else you are signed out.{still}")
    return redirect("/account", 303)


@account_pages.post("/account/tokens")
def add_token():
    account_id = own_account()
    try:
        form = parse_form(TokenForm)
        proven = require_own_password(account_id, form.password.get_secret_value(), "password")
        with database().write() as session:
            row, token = tokens.add_token(session, account_id, form, proven=proven)
    except Problem as problem:
        return _account_page(problem, refused="token"), problem.status, retry_after(problem)
    # No redirect: the token is shown in this one answer, and must not wait in a cookie.
    return _account_page(new_token=token, new_token_name=row.name)


@account_pages.post("/account/tokens/<int:token_id>/delete")
def delete_token(token_id: int):
    with database().write() as session:
        token = tokens.delete_token(session, own_account(), token_id)
    flash(f"The token {token.name} no longer works.")
    return redirect("/account", 303)


def _account_page(problem: Problem | None = None, *, refused: str = "", **new_token: str) -> str:
    """`refused`: the form that could not be saved, password or token."""
    account_id = own_account()
    with database().read() as session:
        return render_template(
            "account.html",
            account=current_person(),
            tokens=tokens.list_tokens(session, account_id),
            problems={refused: problem},
            typed=request.form if refused == "token" else {},
            **{"new_token": None, **new_token},
        )
