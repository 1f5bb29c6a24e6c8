"""Calls and turns as the first released version made them, with `create_all` and without a revision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes both tables."""
    op.create_table(
        "calls",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("cell", sa.String(64), nullable=False),
        sa.Column("caller_number", sa.String(64), nullable=False),
        sa.Column("called_number", sa.String(64), nullable=False),
        sa.Column("flow", sa.String(128), nullable=False),
        sa.Column("flow_version", sa.String(64), nullable=False),
        sa.Column("flow_edited_at", sa.String(64), nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("first_prompt_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("end_reason", sa.String(64), nullable=False),
        sa.Column("recording", sa.Text, nullable=False),
        sa.Column("lead", sa.JSON, nullable=False),
    )
    op.create_index("calls_by_start", "calls", ["started_at"])
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(128), sa.ForeignKey("calls.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("state", sa.String(128), nullable=False),
        sa.Column("next_state", sa.String(128), nullable=False),
        sa.Column("prompts", sa.JSON, nullable=False),
        sa.Column("heard", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("intent", sa.String(128), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("committed", sa.String(32), nullable=False),
        sa.Column("slots", sa.JSON, nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("answer_prompts", sa.JSON, nullable=False),
        sa.Column("asked_at", sa.Float),
        sa.Column("speech_started_at", sa.Float),
        sa.Column("speech_ended_at", sa.Float),
        sa.Column("endpoint_at", sa.Float),
        sa.Column("posted_at", sa.Float),
        sa.Column("transcript_at", sa.Float),
        sa.Column("intent_at", sa.Float),
        sa.Column("play_requested_at", sa.Float),
        sa.Column("playback_started_at", sa.Float),
    )


def downgrade() -> None:
    """Removes both tables, with what is in them."""
    op.drop_table("turns")
    op.drop_table("calls")
