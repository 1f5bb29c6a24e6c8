"""The tables of the business data as they first were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes all of them."""
    op.create_table(
        "clienti",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nome", sa.Text, nullable=False),
        sa.Column("cognome", sa.Text, nullable=False),
        sa.Column("telefono", sa.Text, nullable=False, unique=True),
        sa.Column("data_nascita", sa.Date),
        sa.Column("is_vip", sa.Boolean, nullable=False),
        sa.Column("voice_consent", sa.Boolean, nullable=False),
        sa.Column("voice_consent_at", sa.DateTime(timezone=True)),
        sa.Column("voice_consent_wording", sa.Text, nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "giorni_festivi",
        sa.Column("data", sa.Date, primary_key=True),
        sa.Column("nome", sa.Text, nullable=False),
        sa.Column("ogni_anno", sa.Boolean, nullable=False),
    )
    op.create_table(
        "holds",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("data", sa.Date, nullable=False),
        sa.Column("ora", sa.Time, nullable=False),
        sa.Column("durata_minuti", sa.Integer, nullable=False),
        sa.Column("operatore_id", sa.Integer),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("holds_data", "holds", ["data"])
    op.create_table(
        "messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("appuntamento_id", sa.Integer),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("provider_id", sa.Text, nullable=False),
    )
    op.create_index("messages_by_turn", "messages", ["status", "next_try_at"])
    op.create_table(
        "operatori",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nome", sa.Text, nullable=False),
        sa.Column("servizi", sa.JSON),
        sa.Column("attivo", sa.Boolean, nullable=False),
    )
    op.create_table(
        "orari_lavoro",
        sa.Column("giorno", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("aperto", sa.Boolean, nullable=False),
        sa.Column("apertura", sa.Time, nullable=False),
        sa.Column("chiusura", sa.Time, nullable=False),
        sa.Column("pausa_inizio", sa.Time),
        sa.Column("pausa_fine", sa.Time),
    )
    op.create_table(
        "servizi",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nome", sa.Text, nullable=False, unique=True),
        sa.Column("durata_minuti", sa.Integer, nullable=False),
        sa.Column("prezzo", sa.Integer),
        sa.Column("sinonimi", sa.JSON, nullable=False),
        sa.Column("attivo", sa.Boolean, nullable=False),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "voice_agent_stats",
        sa.Column("giorno", sa.Date, primary_key=True),
        sa.Column("flow", sa.Text, primary_key=True),
        sa.Column("sessions", sa.Integer, nullable=False),
        sa.Column("completed", sa.Integer, nullable=False),
        sa.Column("handed_over", sa.Integer, nullable=False),
        sa.Column("abandoned", sa.Integer, nullable=False),
        sa.Column("bookings", sa.Integer, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("cancellations", sa.Integer, nullable=False),
        sa.Column("waitlist_entries", sa.Integer, nullable=False),
        sa.Column("failed_turns", sa.Integer, nullable=False),
        sa.Column("mean_latency_ms", sa.Float),
        sa.Column("p95_latency_ms", sa.Float),
        sa.Column("intents", sa.JSON, nullable=False),
    )
    op.create_table(
        "voice_audit_log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_input", sa.Text, nullable=False),
        sa.Column("user_input_hash", sa.Text, nullable=False),
        sa.Column("detected_intent", sa.Text),
        sa.Column("intent_confidence", sa.Float),
        sa.Column("special_command", sa.Text),
        sa.Column("slots_extracted", sa.JSON, nullable=False),
        sa.Column("system_response", sa.Text, nullable=False),
        sa.Column("action_taken", sa.Text),
        sa.Column("action_result", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("ip_address", sa.Text),
    )
    op.create_index("voice_audit_log_session_id", "voice_audit_log", ["session_id"])
    op.create_index("voice_audit_log_timestamp", "voice_audit_log", ["timestamp"])
    op.create_table(
        "appuntamenti",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("cliente_id", sa.Integer, sa.ForeignKey("clienti.id"), nullable=False),
        sa.Column("servizi", sa.JSON, nullable=False),
        sa.Column("data", sa.Date, nullable=False),
        sa.Column("ora", sa.Time, nullable=False),
        sa.Column("durata_minuti", sa.Integer, nullable=False),
        sa.Column("operatore_id", sa.Integer, sa.ForeignKey("operatori.id")),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("confirmation_code", sa.Text, nullable=False, unique=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("request_key", sa.Text, unique=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("whatsapp_confirmed", sa.Boolean, nullable=False),
        sa.Column("whatsapp_confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("appuntamenti_by_client", "appuntamenti", ["cliente_id", "data"])
    op.create_index("appuntamenti_by_day", "appuntamenti", ["data", "ora"])
    op.create_index(
        "appuntamenti_one_start",
        "appuntamenti",
        ["operatore_id", "data", "ora"],
        unique=True,
        sqlite_where=sa.text("status = 'BOOKED'"),
        postgresql_where=sa.text("status = 'BOOKED'"),
    )
    op.create_index("appuntamenti_session_id", "appuntamenti", ["session_id"])
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("cliente_id", sa.Integer, sa.ForeignKey("clienti.id")),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("wording", sa.Text, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "voice_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("cliente_id", sa.Integer, sa.ForeignKey("clienti.id")),
        sa.Column("caller_number", sa.Text, nullable=False),
        sa.Column("current_intent", sa.Text),
        sa.Column("current_step", sa.Text),
        sa.Column("slots", sa.JSON, nullable=False),
        sa.Column("pending_disambiguation", sa.JSON),
        sa.Column("pending_alternatives", sa.JSON),
        sa.Column("history", sa.JSON, nullable=False),
        sa.Column("failed_understanding_count", sa.Integer, nullable=False),
        sa.Column("total_turns", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handoff_requested", sa.Boolean, nullable=False),
        sa.Column("completed", sa.Boolean, nullable=False),
    )
    op.create_index("voice_sessions_caller_number", "voice_sessions", ["caller_number"])
    op.create_index("voice_sessions_expires_at", "voice_sessions", ["expires_at"])
    op.create_table(
        "waitlist",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("cliente_id", sa.Integer, sa.ForeignKey("clienti.id"), nullable=False),
        sa.Column("servizio_id", sa.Integer, nullable=False),
        sa.Column("servizi", sa.JSON, nullable=False),
        sa.Column("durata_minuti", sa.Integer, nullable=False),
        sa.Column("data_preferita", sa.Date, nullable=False),
        sa.Column("ora_preferita", sa.Time),
        sa.Column("operatore_preferito_id", sa.Integer),
        sa.Column("priorita", sa.Text, nullable=False),
        sa.Column("priorita_score", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("hold_until", sa.DateTime(timezone=True)),
        sqlite_autoincrement=True,
    )
    op.create_index("waitlist_by_day", "waitlist", ["data_preferita", "status"])


def downgrade() -> None:
    """Removes all of them."""
    for name in (
        "waitlist",
        "voice_sessions",
        "consents",
        "appuntamenti",
        "voice_audit_log",
        "voice_agent_stats",
        "settings",
        "servizi",
        "orari_lavoro",
        "operatori",
        "messages",
        "holds",
        "giorni_festivi",
        "clienti",
    ):
        op.drop_table(name)
