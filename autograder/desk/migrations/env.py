"""Alembic's entry: migrates over the connection that `autograder.desk.migrate` gives, or that of `--database`."""

from alembic import context

from autograder.desk.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table="desk_version",
    transactional_ddl=False,
)
context.run_migrations()
