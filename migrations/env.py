"""What Alembic runs: our tables, on the connection that `migrations.migrate` opened, in its transaction."""

from alembic import context

from models.base import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
