"""What Alembic and a database know of a schema's revisions, for every database of ours.

Alembic itself is loaded where something is to be migrated: it takes as long as all the rest of a start, and at most
starts nothing is.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_FILE = re.compile(r"r(\d{4})_\w+\.py")


@dataclass(frozen=True)
class Schema:
    """One database's. `migrations`: the folder of Alembic's `env.py`, its revisions in files `versions/r0001_....py`;
    `table`: where a database says which it has; `lock`: the key of PostgreSQL's advisory lock."""

    migrations: Path
    table: str
    lock: int

    @property
    def known(self) -> list[str]:
        """The revisions of this version, the oldest first; each follows from the one before."""
        names = (_FILE.fullmatch(file.name) for file in (self.migrations / "versions").iterdir())
        return sorted(name[1] for name in names if name is not None)

    @property
    def head(self) -> str:
        """The newest of them."""
        return self.known[-1]

    def wait_for_others(self, connection: Connection) -> None:
        """SQLite has locked already; in PostgreSQL a lock of our own, until the end of the transaction."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self.lock})

    def found(self, connection: Connection) -> list[str]:
        """The revisions that a database says it has: none, or one, if nobody else has been at it."""
        if not inspect(connection).has_table(self.table):
            return []
        return list(connection.execute(text(f"SELECT version_num FROM {self.table}")).scalars())

    def stamp(self, connection: Connection, revision: str) -> None:
        """Notes a revision without migrating."""
        from alembic import command

        command.stamp(self._config(connection), revision)

    def upgrade(self, connection: Connection, revision: str = "head") -> None:
        """Migrates up, on this connection and in its transaction."""
        from alembic import command

        command.upgrade(self._config(connection), revision)

    def downgrade(self, connection: Connection, revision: str) -> None:
        """The same, down."""
        from alembic import command

        command.downgrade(self._config(connection), revision)

    def _config(self, connection: Connection) -> Config:
        from alembic.config import Config

        logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells its transaction mode every time
        config = Config()
        config.set_main_option("script_location", str(self.migrations).replace("%", "%%"))
        config.attributes |= {"connection": connection, "version_table": self.table}
        return config
