"""Alembic runs this. The connection comes from app.database.migrations, already inside a transaction."""

from typing import Any

from alembic import context
from sqlalchemy import Table, event

from app.database.base import Base
from app.database.search_index import is_no_part


def keep_autoincrement(table: Table, *_: Any, **__: Any) -> None:
    """For a table that is made anew: SQLAlchemy does not read from the old one that ids are never used again."""
    table.dialect_options["sqlite"]["autoincrement"] = True


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=is_no_part,
    render_as_batch=True,
    transactional_ddl=False,
)
event.listen(Table, "before_create", keep_autoincrement)
try:
    context.run_migrations()
finally:
    event.remove(Table, "before_create", keep_autoincrement)
