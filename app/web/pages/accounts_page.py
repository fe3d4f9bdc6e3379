"""Everybody's accounts, for admins."""

from flask import flash, redirect, render_template, request

from app.domain import accounts, tokens
from app.domain.passwords import hashed
from app.domain.schemas import Fields, NewAccount, Role
from app.errors import Problem
from app.web.auth import require_admin
from app.web.context import database
from app.web.pages.account_page import account_pages, own_account, parse_form
from app.web.pages.edit_conflicts import own_changes


class RoleChange(Fields):
    role: Role = "member"


@account_pages.get("/accounts")
def everybody():
    return _accounts_page()


@account_pages.post("/accounts")
def add_account():
    _require_account_admin()
    try:
        form = parse_form(NewAccount)
        password = hashed(form.password)
        with database().write() as session:
            accounts.add_account(session, form, password)
    except Problem as problem:
        return _accounts_page(problem), problem.status
    flash(f"{form.email} can sign in now.")
    return redirect("/accounts", 303)


@account_pages.post("/accounts/<int:account_id>/role")
def set_role(account_id: int):
    _require_account_admin()
    try:
        form = parse_form(RoleChange)
        with database().write() as session:
            account = accounts.get_account(session, account_id)
            if "role" in own_changes(form, account).model_fields_set:
                accounts.set_role(session, account_id, form.role)
    except Problem as problem:
        return _accounts_page(problem), problem.status
    return redirect("/accounts", 303)


@account_pages.post("/accounts/<int:account_id>/delete")
def delete_account(account_id: int):
    _require_account_admin()
    try:
        with database().write() as session:
            gone = accounts.delete_account(session, account_id)
    except Problem as problem:
        return _accounts_page(problem), problem.status
    flash(f"The account {gone.email} is deleted.")
    return redirect("/accounts", 303)


@account_pages.post("/accounts/tokens/<int:token_id>/delete")
def delete_anybodys_token(token_id: int):
    _require_account_admin()
    with database().write() as session:
        token = tokens.delete_token(session, None, token_id)
        flash(f"The token {token.name} of {token.email} no longer works.")
    return redirect("/accounts", 303)


def _require_account_admin() -> None:
    own_account()
    require_admin()


def _accounts_page(problem: Problem | None = None) -> str:
    _require_account_admin()
    with database().read() as session:
        return render_template(
            "accounts.html",
            accounts=accounts.list_accounts(session),
            tokens=tokens.list_tokens(session, None),
            problem=problem,
            typed=request.form,
        )
