"""Who is asking, and API tokens."""

from pydantic import TypeAdapter

from app.domain import tokens
from app.domain.schemas import Id, TokenRequest
from app.errors import Conflict
from app.web.api.accounts import account_api
from app.web.api.openapi import IfNoneMatch, NewTokenOut, PersonOut, TokenOut, TokensOut, described
from app.web.api.paging import PageQuery, key_in, page_of
from app.web.auth import current_person, require_admin
from app.web.context import current_user_id, database
from app.web.own_password import require_own_password

NAME_AND_ID: TypeAdapter[tuple[str, int]] = TypeAdapter(tuple[str, Id])


@account_api.get("/me")
@described(PersonOut, condition=IfNoneMatch)
def me():
    """Who this token or session belongs to, and what it may do."""
    return PersonOut.model_validate(current_person())


def holder() -> int:
    """The account that holds the tokens of this request. Raises Conflict while sign-in is off."""
    account = current_user_id()
    if account is None:
        raise Conflict("Sign-in is off, so there is no account to hold a token, and none is needed.")
    return account


@account_api.get("/tokens")
@described(TokensOut, condition=IfNoneMatch, also=(409,))
def list_tokens(query: PageQuery):
    """Everybody's tokens by their names, without the tokens themselves."""
    require_admin()
    holder()
    after = key_in(query, NAME_AND_ID, ("", 0))
    with database().read() as session:
        rows = tokens.list_tokens(session, None, after=after, limit=query.limit + 1)
        return TokensOut.model_validate(page_of(query, rows, lambda token: (token.name, token.id)))


@account_api.post("/tokens")
@described(NewTokenOut, 201, also=(409, 429))
def add_token(json: TokenRequest):
    """A new token for oneself. It is shown in this answer and never again."""
    require_admin()
    proven = require_own_password(holder(), json.password.get_secret_value(), "password")
    with database().write() as session:
        row, token = tokens.add_token(session, holder(), json, proven=proven)
        return NewTokenOut(**TokenOut.model_validate(row).model_dump(), token=token), 201


@account_api.delete("/tokens/<int:id>")
@described(None, 204, also=(409,))
def delete_token(id: int):
    """Ends a token, whose ever it is."""
    require_admin()
    holder()
    with database().write() as session:
        tokens.delete_token(session, None, id)
    return "", 204
