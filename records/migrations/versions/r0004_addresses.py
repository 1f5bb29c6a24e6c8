"""Webhooks that have an address of their own: where a flow tells of its turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the address and its headers; those before go where all went."""
    op.add_column("webhooks", sa.Column("url", sa.Text, nullable=False, server_default=""))
    op.add_column("webhooks", sa.Column("headers", sa.JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Removes both, with what an older version would send elsewhere."""
    op.execute("DELETE FROM webhooks WHERE url <> ''")
    op.drop_column("webhooks", "headers")
    op.drop_column("webhooks", "url")
