"""Alembic migrations of the call records, inside the package: `records.database` runs them when it opens a database."""
