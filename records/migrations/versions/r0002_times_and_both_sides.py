"""Points in time instead of numbers, what the bot said, where a call came from, and the versions of flows.

Both tables are made anew and filled from the old ones: SQLite changes neither types nor keys in place. Turns whose call
was never written (nothing held the foreign key) get a call, so that nothing is lost.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True)

CALL_TIMES = ("started_at", "first_prompt_at", "ended_at")
TURN_TIMES = (
    *("asked_at", "speech_started_at", "speech_ended_at", "endpoint_at", "posted_at", "transcript_at", "intent_at"),
    *("play_requested_at", "playback_started_at"),
)
# column -> its length before; 0: none
CALL_TEXTS = {
    **{"id": 0, "cell": 64, "caller_number": 64, "called_number": 64, "flow": 128, "flow_version": 64},
    **{"flow_edited_at": 64, "outcome": 64, "end_reason": 64, "recording": 0},
}
TURN_TEXTS = {"call_id": 0, "state": 128, "next_state": 128, "text": 0, "intent": 128, "committed": 32}
TURN_JSON = ("prompts", "heard", "slots", "notes", "answer_prompts")


def upgrade() -> None:
    """Every row is kept."""
    _set_aside()
    op.create_table(
        "calls",
        *_texts("id", "cell", "channel_id", "direction", "caller_number", "called_number", "flow", "flow_version"),
        *_texts("flow_edited_at", "timezone"),
        sa.Column("started_at", TIME, nullable=False),
        *(sa.Column(name, TIME) for name in CALL_TIMES[1:]),
        *_texts("outcome", "end_reason", "recording"),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("lead", "variables")),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("calls_by_start", "calls", ["started_at"])
    op.create_table(
        "turns",
        *_texts("call_id"),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("number", "turn")),
        *_texts("state", "next_state"),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("prompts", "said", "heard")),
        *_texts("text", "intent"),
        sa.Column("score", sa.Float, nullable=False),
        *_texts("committed"),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("slots", "notes", "answer_prompts")),
        *(sa.Column(name, TIME) for name in TURN_TIMES),
        sa.PrimaryKeyConstraint("call_id", "number", name="pk_turns"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_turns_call_id"),
    )
    op.create_table(
        "flow_versions",
        *_texts("hash", "flow", "text", "author"),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_flow_versions"),
    )
    op.create_index("flow_versions_by_flow", "flow_versions", ["flow", "created_at"])
    empty = {"channel_id": "''", "direction": "'inbound'", "timezone": "''", "variables": _json("'{}'")}
    values = {name: name for name in CALL_TEXTS} | {name: _to_time(name) for name in CALL_TIMES}
    _copy("calls", values | {"lead": "lead"} | empty)
    known = ", ".join(TURN_TIMES)
    begun = f"COALESCE({known}, {_seconds_now()})"
    lost = dict.fromkeys(CALL_TEXTS, "''") | {"id": "call_id", "started_at": _to_time(f"MIN({begun})")}
    lost |= {"lead": _json("'{}'")} | empty
    _copy("calls", lost, "turns_before", "WHERE call_id NOT IN (SELECT id FROM calls_before) GROUP BY call_id")
    values = {name: name for name in (*TURN_TEXTS, "number", "turn", "score")}
    values |= {name: _to_time(name) for name in TURN_TIMES} | {name: name for name in TURN_JSON}
    _copy("turns", values | {"said": _json("'[]'")})
    _drop_what_was_set_aside()


def downgrade() -> None:
    """Every call and turn is kept; what the tables had no place for (versions of flows too) goes."""
    _set_aside()
    op.create_table(
        "calls",
        *(_limited(name, size or 128) for name, size in CALL_TEXTS.items() if name != "recording"),
        sa.Column("recording", sa.Text, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        *(sa.Column(name, sa.Float) for name in CALL_TIMES[1:]),
        sa.Column("lead", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("calls_by_start", "calls", ["started_at"])
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(128), sa.ForeignKey("calls.id"), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("number", "turn")),
        *(_limited(name, size) for name, size in TURN_TEXTS.items() if size),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        *(sa.Column(name, sa.JSON, nullable=False) for name in TURN_JSON),
        *(sa.Column(name, sa.Float) for name in TURN_TIMES),
        sa.PrimaryKeyConstraint("call_id", "number"),
    )
    values = {name: _cut(name, size) for name, size in CALL_TEXTS.items()}
    _copy("calls", values | {name: _to_seconds(name) for name in CALL_TIMES} | {"lead": "lead"})
    values = {name: _cut(name, size) for name, size in TURN_TEXTS.items()}
    values |= {name: name for name in ("number", "turn", "score")} | {name: _to_seconds(name) for name in TURN_TIMES}
    _copy("turns", values | {name: name for name in TURN_JSON})
    _drop_what_was_set_aside()
    op.drop_table("flow_versions")


def _set_aside() -> None:
    op.drop_index("calls_by_start", "calls")
    op.rename_table("calls", "calls_before")
    op.rename_table("turns", "turns_before")
    if _is_postgresql():  # names of keys are the schema's, not the table's
        for table in ("calls", "turns"):
            inspector = sa.inspect(op.get_bind())
            name = inspector.get_pk_constraint(f"{table}_before")["name"]
            op.execute(f'ALTER TABLE {table}_before RENAME CONSTRAINT "{name}" TO {table}_before_key')


def _drop_what_was_set_aside() -> None:
    op.drop_table("turns_before")
    op.drop_table("calls_before")


def _copy(table: str, values: dict[str, str], source: str = "", which: str = "") -> None:
    """`values`: column -> SQL expression over the table that was set aside."""
    columns, expressions = ", ".join(values), ", ".join(values.values())
    op.execute(f"INSERT INTO {table} ({columns}) SELECT {expressions} FROM {source or table + '_before'} {which}")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _limited(name: str, size: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=False)


def _cut(name: str, size: int) -> str:
    return f"substr({name}, 1, {size})" if size else name


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _json(literal: str) -> str:
    return f"CAST({literal} AS json)" if _is_postgresql() else literal


def _seconds_now() -> str:
    return "EXTRACT(EPOCH FROM now())" if _is_postgresql() else "CAST(strftime('%s', 'now') AS REAL)"


def _to_time(seconds: str) -> str:
    """From seconds since the epoch, to the microsecond; SQLite's own functions know milliseconds only."""
    if _is_postgresql():
        return f"to_timestamp({seconds})"
    micros = f"CAST(ROUND(({seconds}) * 1000000) AS INTEGER)"
    # of an expression with NULL SQLite makes NULL, but of printf it does not
    return (
        f"CASE WHEN ({seconds}) IS NULL THEN NULL ELSE strftime('%Y-%m-%d %H:%M:%S', {micros} / 1000000, 'unixepoch') "
        f"|| printf('.%06d', {micros} % 1000000) END"
    )


def _to_seconds(time: str) -> str:
    if _is_postgresql():
        return f"CAST(EXTRACT(EPOCH FROM {time}) AS double precision)"
    # '%s' of what lies after year 1
    return f"CAST(strftime('%s', substr({time}, 1, 19)) AS REAL) + CAST('0' || substr({time}, 20) AS REAL)"
