"""Alembic runs this. The connection comes from app.database.migrations, already inside a transaction."""

from alembic import context

from app.database.base import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
