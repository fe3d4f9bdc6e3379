"""Everybody's accounts in the API, for admins."""

from flask import Blueprint
from pydantic import TypeAdapter

from app.domain import accounts
from app.domain.passwords import hashed
from app.domain.schemas import Fields, NewAccount, Password, Role
from app.web.api.bodies import refuse_other_bodies
from app.web.api.etags import require_match, with_etag
from app.web.api.openapi import AccountOut, AccountsOut, IfMatch, IfNoneMatch, described
from app.web.api.paging import PageQuery, key_in, page_of
from app.web.auth import require_admin
from app.web.context import database

account_api = Blueprint("account_api", __name__, url_prefix="/api/v1")
EMAIL = TypeAdapter(tuple[str])
account_api.before_request(refuse_other_bodies)
account_api.after_request(with_etag)


class AccountChange(Fields):
    """Only the fields that are given change. With a new password the account's sessions and tokens end."""

    role: Role | None = None
    password: Password | None = None


@account_api.get("/accounts")
@described(AccountsOut, condition=IfNoneMatch)
def list_accounts(query: PageQuery):
    """Everybody who can sign in, by their addresses."""
    require_admin()
    (after,) = key_in(query, EMAIL, ("",))
    with database().read() as session:
        rows = accounts.list_accounts(session, after=after, limit=query.limit + 1)
        return AccountsOut.model_validate(page_of(query, rows, lambda account: (account.email,)))


@account_api.post("/accounts")
@described(AccountOut, 201, also=(409,))
def add_account(json: NewAccount):
    """A new account."""
    require_admin()
    password = hashed(json.password)
    with database().write() as session:
        return AccountOut.model_validate(accounts.add_account(session, json, password)), 201


@account_api.get("/accounts/<int:id>")
@described(AccountOut, condition=IfNoneMatch)
def get_account(id: int):
    """One account."""
    require_admin()
    with database().read() as session:
        return AccountOut.model_validate(accounts.get_account(session, id))


@account_api.patch("/accounts/<int:id>")
@described(AccountOut, condition=IfMatch, also=(409,))
def change_account(id: int, json: AccountChange):
    """Changes the role, the password, or both."""
    require_admin()
    password = hashed(json.password) if json.password else None
    with database().write() as session:
        account = accounts.get_account(session, id)
        require_match(lambda: AccountOut.model_validate(account))
        if json.role:
            accounts.set_role(session, id, json.role)
        if password:
            accounts.reset_password(session, account, password)
        return AccountOut.model_validate(account)


@account_api.delete("/accounts/<int:id>")
@described(None, 204, condition=IfMatch, also=(409,))
def delete_account(id: int):
    """Deletes an account with its tokens. Its work items stay."""
    require_admin()
    with database().write() as session:
        require_match(lambda: AccountOut.model_validate(accounts.get_account(session, id)))
        accounts.delete_account(session, id)
    return "", 204
