"""What can be done with accounts and API tokens."""

import hashlib
import secrets
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session

from app.database.remembered import remembered
from app.domain.models import ApiToken, User, new_session_key
from app.domain.passwords import PasswordHash
from app.domain.schemas import LARGEST_ID, NewAccount, NewToken
from app.errors import Conflict, Invalid, NotFound
from app.setting_values import is_encodable

# --- accounts ---------------------------------------------------------------------------------------------


def count_accounts(session: Session | Connection) -> int:
    return session.scalar(select(func.count()).select_from(User)) or 0


def list_accounts(session: Session, *, after: str = "", limit: int | None = None) -> list[User]:
    """By their addresses, from behind one on."""
    return list(session.scalars(select(User).where(User.email > after).order_by(User.email).limit(limit)))


def find_account(session: Session, email: str) -> User | None:
    if not is_encodable(email):
        return None  # SQLite could not even be asked
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def get_account(session: Session, account_id: int) -> User:
    account = session.get(User, account_id) if 0 < account_id <= LARGEST_ID else None
    if account is None:
        raise NotFound(f"There is no account {account_id}.")
    return account


def add_account(session: Session, fields: NewAccount, password: PasswordHash) -> User:
    """Raises Conflict where the address has an account already."""
    if find_account(session, fields.email):
        raise Conflict(
            f"{fields.email} has an account already.",
            fields={"email": "This address has an account already."},
        )
    account = User(email=fields.email, password_hash=password, role=fields.role)
    session.add(account)
    session.flush()
    return account


def add_first_account(session: Session, fields: NewAccount, password: PasswordHash) -> User:
    """The first account is an admin. Raises Conflict once there is one."""
    if count_accounts(session):
        raise Conflict("There is an account already.", "Sign in, or ask an admin for an account.")
    return add_account(session, fields.model_copy(update={"role": "admin"}), password)


def set_password(account: User, password: PasswordHash) -> None:
    """Also signs the account out everywhere."""
    account.password_hash = password
    account.session_key = new_session_key()


def change_password(session: Session, account_id: int, current: str, password: PasswordHash) -> User:
    """`current`: the hash that the account had. Raises Invalid where it has another one by now."""
    account = get_account(session, account_id)
    if account.password_hash != current:
        raise not_your_password()
    set_password(account, password)
    return account


def end_sessions(session: Session, account_id: int) -> None:
    """Signs an account out everywhere: no cookie of before is believed again."""
    session.execute(update(User).where(User.id == account_id).values(session_key=new_session_key()))


def not_your_password() -> Invalid:
    return Invalid("Nothing was changed.", fields={"current": "This is not your password."})


def set_role(session: Session, account_id: int, role: str) -> User:
    account = get_account(session, account_id)
    if role != "admin":
        _refuse_last_admin(session, account)
    account.role = role
    return account


def delete_account(session: Session, account_id: int) -> User:
    """Its work items stay; its tokens go."""
    account = get_account(session, account_id)
    _refuse_last_admin(session, account)
    session.delete(account)
    return account


def _refuse_last_admin(session: Session, account: User) -> None:
    others = select(func.count()).where(User.role == "admin", User.id != account.id)
    if account.role == "admin" and not session.scalar(others):
        raise Conflict(f"{account.email} is the last admin.", "Make another account an admin first.")


# --- API tokens -------------------------------------------------------------------------------------------


def list_tokens(
    session: Session, account_id: int, *, after: tuple[str, int] = ("", 0), limit: int | None = None
) -> list[ApiToken]:
    """By their names, from behind one with its id on."""
    order = (ApiToken.name, ApiToken.id)
    own = select(ApiToken).where(ApiToken.user_id == account_id, tuple_(*order) > tuple_(*after))
    return list(session.scalars(own.order_by(*order).limit(limit)))


def add_token(session: Session, account_id: int, fields: NewToken) -> tuple[ApiToken, str]:
    """The token's row, and the token itself, which is shown once and kept nowhere."""
    account = get_account(session, account_id)
    if fields.scope == "admin" and account.role != "admin":
        raise Invalid("The token was not made.", fields={"scope": "Only an admin can make an admin token."})
    plain = "ta_" + secrets.token_urlsafe(32)
    token = ApiToken(user_id=account.id, name=fields.name, token_sha256=_sha256(plain), scope=fields.scope)
    session.add(token)
    session.flush()
    return token, plain


def delete_token(session: Session, account_id: int, token_id: int) -> ApiToken:
    token = session.get(ApiToken, token_id) if 0 < token_id <= LARGEST_ID else None
    if token is None or token.user_id != account_id:
        raise NotFound(f"You have no token {token_id}.")
    session.delete(token)
    return token


# --- who asks, at each request ----------------------------------------------------------------------------

ASKING = (User.id, User.email, User.role, User.session_key)
BY_ID = select(*ASKING).where(User.id == bindparam("id"))
BY_TOKEN = select(*ASKING, ApiToken.scope).join_from(ApiToken, User).where(ApiToken.token_sha256 == bindparam("sha256"))


def find_by_id(connection: Connection, account_id: int) -> Any:
    """What is ASKING of the account; remembered until something is written, a new password say."""
    return remembered(
        connection, ("account", account_id), lambda: connection.execute(BY_ID, {"id": account_id}).first()
    )


def find_by_token(connection: Connection, plain: str) -> Any:
    """ASKING of the token's account, and the token's `scope`; remembered like that."""
    sha256 = _sha256(plain)
    return remembered(connection, ("token", sha256), lambda: connection.execute(BY_TOKEN, {"sha256": sha256}).first())


def _sha256(plain: str) -> str:
    # A token is 256 random bits, so nobody can guess it from a fast hash.
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()
