"""What can be done with accounts."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from app.database.engine import Database
from app.database.kept import Kept
from app.domain.models import ApiToken, User, new_session_key
from app.domain.passwords import PasswordHash
from app.domain.schemas import LARGEST_ID, NewAccount
from app.errors import Conflict, Forbidden, NotFound
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


def reset_password(session: Session, account: User, password: PasswordHash) -> int:
    """Somebody forgot it, or it became known: the account's API tokens end as well. Gives how many."""
    set_password(account, password)
    ended = delete(ApiToken).where(ApiToken.user_id == account.id).returning(ApiToken.id)
    return len(session.scalars(ended).all())


def change_password(session: Session, account_id: int, current: str, password: PasswordHash) -> User:
    """`current`: the hash that the account had. Raises Forbidden where it has another one by now. Its tokens stay."""
    account = get_account(session, account_id)
    if account.password_hash != current:
        raise not_your_password("current")
    set_password(account, password)
    return account


def end_sessions(session: Session, account_id: int) -> None:
    """Signs an account out everywhere: no cookie of before is believed again."""
    session.execute(update(User).where(User.id == account_id).values(session_key=new_session_key()))


def not_your_password(field: str) -> Forbidden:
    """`field`: in which it was typed."""
    return Forbidden("Nothing was changed.", fields={field: "This is not your password."})


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


# --- who asks, at each request ----------------------------------------------------------------------------

ASKING = (User.id, User.email, User.role, User.session_key)
BY_ID = Kept(select(*ASKING).where(User.id == bindparam("id")))


def find_by_id(database: Database, account_id: int) -> Any:
    """What is ASKING of the account; remembered until one is changed, by a new password say."""
    return database.known_of_accounts(BY_ID, id=account_id)
