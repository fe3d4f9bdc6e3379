"""What can be done with accounts and API tokens."""

import hashlib
import secrets
import threading
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from app.database.remembered import remembered
from app.domain.models import ApiToken, User
from app.domain.schemas import LARGEST_ID, NewAccount, NewToken
from app.errors import Conflict, Invalid, NotFound
from app.setting_values import is_encodable

# OWASP's second choice for argon2id (19 MiB, 2 passes, 1 lane): a container with 512 MB can afford it.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# One hash at a time: a burst of sign-ins must not take the memory and the processor from everything else.
_HASHING = threading.Lock()
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$KdGS9nHfxKgxyQ2tDDRBgA$KCrdP34KyWlHMGs7EUAC38qS5DmUUag9q70bt/Yw3mI"


def hash_password(password: str) -> str:
    with _HASHING:
        return _HASHER.hash(password)


def password_fits(user: User | None, password: str) -> bool:
    """Takes as long for an account that does not exist, so that the time does not tell which do."""
    with _HASHING:
        try:
            return _HASHER.verify(user.password_hash if user else _NOBODY, password) and user is not None
        except VerificationError:
            return False


# --- accounts ---------------------------------------------------------------------------------------------


def count_accounts(session: Session) -> int:
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


def add_account(session: Session, fields: NewAccount) -> User:
    """Raises Conflict where the address has an account already."""
    if find_account(session, fields.email):
        raise Conflict(
            f"{fields.email} has an account already.",
            fields={"email": "This address has an account already."},
        )
    account = User(
        email=fields.email,
        password_hash=hash_password(fields.password.get_secret_value()),
        role=fields.role,
    )
    session.add(account)
    session.flush()
    return account


def add_first_account(session: Session, fields: NewAccount) -> User:
    """The first account is an admin. Raises Conflict once there is one."""
    if count_accounts(session):
        raise Conflict("There is an account already.", "Sign in, or ask an admin for an account.")
    return add_account(session, fields.model_copy(update={"role": "admin"}))


def set_password(account: User, password: str) -> None:
    """Also signs the account out everywhere."""
    account.password_hash = hash_password(password)
    account.session_number += 1


def change_password(session: Session, account_id: int, current: str, password: str) -> User:
    """Raises Invalid where `current` is not the account's password."""
    account = get_account(session, account_id)
    if not password_fits(account, current):
        raise Invalid("The password was not changed.", fields={"current": "This is not your password."})
    set_password(account, password)
    return account


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

ASKING = (User.id, User.email, User.role, User.session_number)
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
