"""Turns that others tell of, each once, and what a conversation leaves behind for the next call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds what is remembered of a session, and which report a row of the log is of."""
    op.add_column("voice_sessions", sa.Column("memory", sa.Text))
    op.add_column("voice_audit_log", sa.Column("report_id", sa.Text))
    op.create_index("voice_audit_log_report_id", "voice_audit_log", ["report_id"], unique=True)


def downgrade() -> None:
    """Removes both."""
    op.drop_index("voice_audit_log_report_id", "voice_audit_log")
    op.drop_column("voice_audit_log", "report_id")
    op.drop_column("voice_sessions", "memory")
