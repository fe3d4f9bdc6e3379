"""Who is signed in types the password once more, for what a stranger at an open screen must not do."""

from app.domain import accounts
from app.domain.passwords import password_fits
from app.web.context import database, web_app
from app.web.throttle import Try
from app.web.throttled_request import refuse_throttled


def require_own_password(account_id: int, typed: str, field: str = "current") -> str:
    """The hash that `typed` fits, of the account that is signed in. Not to be called in a writing transaction.

    `field`: where it was typed. Each try counts as a wrong one, since the right ones take as long. Raises Invalid and
    TooMany.
    """
    attempt = Try(f"own password of {account_id}", f"account {account_id}")
    refuse_throttled(attempt)
    web_app().throttle.wrong(attempt)
    with database().read() as session:
        kept = accounts.get_account(session, account_id).password_hash
    if not password_fits(kept, typed):
        raise accounts.not_your_password(field)
    return kept
