"""Who is signed in types the password once more, for what a stranger at an open screen must not do."""

from app.domain import accounts
from app.domain.passwords import password_fits
from app.web.context import database, web_app


def require_own_password(account_id: int, typed: str) -> str:
    """The hash that `typed` fits, of the account that is signed in. Not to be called in a writing transaction.

    Each try counts, the right ones too: they take as long. Raises Invalid, and TooMany.
    """
    web_app().throttle.count(f"account {account_id}", f"account {account_id}")
    with database().read() as session:
        kept = accounts.get_account(session, account_id).password_hash
    if not password_fits(kept, typed):
        raise accounts.not_your_password()
    return kept
