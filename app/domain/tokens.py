"""What can be done with API tokens: made by who types the password, used until they expire or are deleted."""

import hashlib
import secrets
from datetime import date, timedelta
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session, joinedload

from app.database.base import utc_now
from app.database.engine import Database
from app.database.kept import Kept
from app.domain.accounts import ASKING, get_account, not_your_password
from app.domain.models import ApiToken, User
from app.domain.schemas import LARGEST_ID, NewToken
from app.errors import Invalid, NotFound


def list_tokens(
    session: Session, account_id: int | None, *, after: tuple[str, int] = ("", 0), limit: int | None = None
) -> list[ApiToken]:
    """An account's, or everybody's for None. By their names, from behind one with its id on."""
    order = (ApiToken.name, ApiToken.id)
    found = select(ApiToken).options(joinedload(ApiToken.user)).where(tuple_(*order) > tuple_(*after))
    if account_id is not None:
        found = found.where(ApiToken.user_id == account_id)
    return list(session.scalars(found.order_by(*order).limit(limit)))


def add_token(session: Session, account_id: int, fields: NewToken, *, proven: str) -> tuple[ApiToken, str]:
    """The token's row, and the token itself, which is shown once and kept nowhere.

    `proven`: the hash of the password that was typed. Raises Forbidden where the account has another one by now.
    """
    account = get_account(session, account_id)
    if account.password_hash != proven:
        raise not_your_password("password")
    if fields.scope == "admin" and account.role != "admin":
        raise Invalid("The token was not made.", fields={"scope": "Only an admin can make an admin token."})
    plain, days = "ta_" + secrets.token_urlsafe(32), fields.expires_in_days
    token = ApiToken(user=account, name=fields.name, token_sha256=_sha256(plain), scope=fields.scope)
    token.expires_at = utc_now() + timedelta(days=days) if days else None
    session.add(token)
    session.flush()
    return token, plain


def delete_token(session: Session, account_id: int | None, token_id: int) -> ApiToken:
    """One of an account's, or anybody's for None."""
    token = session.get(ApiToken, token_id) if 0 < token_id <= LARGEST_ID else None
    if token is None or account_id not in (None, token.user_id):
        raise NotFound(f"There is no token {token_id}.")
    session.delete(token)
    return token


# --- at each request ----------------------------------------------------------------------------------------

TOKEN = (ApiToken.id.label("token_id"), ApiToken.name, ApiToken.scope, ApiToken.expires_at, ApiToken.last_used_on)
BY_TOKEN = Kept(select(*ASKING, *TOKEN).join_from(ApiToken, User).where(ApiToken.token_sha256 == bindparam("sha256")))


def find_by_token(database: Database, plain: str) -> Any:
    """ASKING of the token's account, and TOKEN, also of one that has expired; remembered until one is changed."""
    return database.known_of_accounts(BY_TOKEN, sha256=_sha256(plain))


def note_use(session: Session, token_id: int, day: date) -> None:
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_on=day))


def _sha256(plain: str) -> str:
    # A token is 256 random bits, so nobody can guess it from a fast hash.
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()
