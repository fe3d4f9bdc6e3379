"""An account's sessions have a random key instead of a number, and API tokens an end and the day of their last use."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("users", sa.Column("session_key", sa.String(length=32), server_default="", nullable=False))
    _make_keys()
    op.drop_column("users", "session_number")
    op.add_column("api_tokens", sa.Column("expires_at", sa.DateTime(), nullable=True))
    op.add_column("api_tokens", sa.Column("last_used_on", sa.Date(), nullable=True))


def _make_keys() -> None:
    connection = op.get_bind()
    for account in connection.scalars(sa.text("SELECT id FROM users")).all():
        key = {"key": secrets.token_hex(16), "id": account}
        connection.execute(sa.text("UPDATE users SET session_key = :key WHERE id = :id"), key)
