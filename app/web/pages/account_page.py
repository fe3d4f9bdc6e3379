"""One's own account, with its API tokens."""

from flask import Blueprint, flash, redirect, render_template, request
from pydantic import ValidationError

from app.domain import accounts
from app.domain.passwords import hashed
from app.domain.schemas import Fields, NewToken, Password
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
    except Problem as problem:
        return _account_page(problem), problem.status, retry_after(problem)
    start_session(user)
    flash("Your password is changed. Everywhere else you are signed out.")
    return redirect("/account", 303)


@account_pages.post("/account/tokens")
def add_token():
    account_id = own_account()
    try:
        form = parse_form(NewToken)
        with database().write() as session:
            row, token = accounts.add_token(session, account_id, form)
    except Problem as problem:
        return _account_page(problem), problem.status
    # No redirect: the token is shown in this one answer, and must not wait in a cookie.
    return _account_page(new_token=token, new_token_name=row.name)


@account_pages.post("/account/tokens/<int:token_id>/delete")
def delete_token(token_id: int):
    with database().write() as session:
        token = accounts.delete_token(session, own_account(), token_id)
    flash(f"The token {token.name} no longer works.")
    return redirect("/account", 303)


def _account_page(problem: Problem | None = None, **new_token: str) -> str:
    account_id = own_account()
    with database().read() as session:
        return render_template(
            "account.html",
            account=current_person(),
            tokens=accounts.list_tokens(session, account_id),
            problem=problem,
            typed=request.form,
            **{"new_token": None, **new_token},
        )
