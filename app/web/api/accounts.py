"""The JSON API of accounts and tokens."""

from flask import Blueprint
from flask_login import current_user

from app.domain import accounts
from app.domain.schemas import Fields, NewAccount, NewToken, Password, Role
from app.errors import Conflict
from app.web.api.openapi import AccountOut, AccountsOut, NewTokenOut, PersonOut, TokenOut, TokensOut, described
from app.web.api.work_items import refuse_other_bodies
from app.web.auth import require_admin
from app.web.context import current_user_id, database

account_api = Blueprint("account_api", __name__, url_prefix="/api/v1")
account_api.before_request(refuse_other_bodies)


class AccountChange(Fields):
    """Only the fields that are given change. A new password signs the account out everywhere."""

    role: Role | None = None
    password: Password | None = None


@account_api.get("/me")
@described(PersonOut)
def me():
    """Who this token or session belongs to, and what it may do."""
    return PersonOut.model_validate(current_user._get_current_object())


def holder() -> int:
    """The account that holds the tokens of this request. Raises Conflict while sign-in is off."""
    account = current_user_id()
    if account is None:
        raise Conflict("Sign-in is off, so there is no account to hold a token, and none is needed.")
    return account


# --- tokens -----------------------------------------------------------------------------------------------


@account_api.get("/tokens")
@described(TokensOut)
def list_tokens():
    """One's own tokens, without the tokens themselves."""
    require_admin()
    with database().read() as session:
        return TokensOut(items=[TokenOut.model_validate(row) for row in accounts.list_tokens(session, holder())])


@account_api.post("/tokens")
@described(NewTokenOut, 201)
def add_token(json: NewToken):
    """A new token for oneself. It is shown in this answer and never again."""
    require_admin()
    with database().write() as session:
        row, token = accounts.add_token(session, holder(), json)
        return NewTokenOut(**TokenOut.model_validate(row).model_dump(), token=token), 201


@account_api.delete("/tokens/<int:id>")
@described(None, 204)
def delete_token(id: int):
    """Ends one of one's own tokens."""
    require_admin()
    with database().write() as session:
        accounts.delete_token(session, holder(), id)
    return "", 204


# --- accounts ---------------------------------------------------------------------------------------------


@account_api.get("/accounts")
@described(AccountsOut)
def list_accounts():
    """Everybody who can sign in."""
    require_admin()
    with database().read() as session:
        return AccountsOut(items=[AccountOut.model_validate(account) for account in accounts.list_accounts(session)])


@account_api.post("/accounts")
@described(AccountOut, 201)
def add_account(json: NewAccount):
    """A new account."""
    require_admin()
    with database().write() as session:
        return AccountOut.model_validate(accounts.add_account(session, json)), 201


@account_api.get("/accounts/<int:id>")
@described(AccountOut)
def get_account(id: int):
    """One account."""
    require_admin()
    with database().read() as session:
        return AccountOut.model_validate(accounts.get_account(session, id))


@account_api.patch("/accounts/<int:id>")
@described(AccountOut)
def change_account(id: int, json: AccountChange):
    """Changes the role, the password, or both."""
    require_admin()
    with database().write() as session:
        account = accounts.get_account(session, id)
        if json.role:
            accounts.set_role(session, id, json.role)
        if json.password:
            accounts.set_password(account, json.password.get_secret_value())
        return AccountOut.model_validate(account)


@account_api.delete("/accounts/<int:id>")
@described(None, 204)
def delete_account(id: int):
    """Deletes an account with its tokens. Its work items stay."""
    require_admin()
    with database().write() as session:
        accounts.delete_account(session, id)
    return "", 204
