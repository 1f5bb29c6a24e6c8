"""The tables of the first released version, as its code had them: databases out there are what `create_all` made.

Never changed. `ROWS` are rows as that version wrote them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, Engine, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, insert

METADATA = MetaData()

CALLS = Table(
    "calls",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("cell", String(64), nullable=False),
    Column("caller_number", String(64), nullable=False),
    Column("called_number", String(64), nullable=False),
    Column("flow", String(128), nullable=False),
    Column("flow_version", String(64), nullable=False),
    Column("flow_edited_at", String(64), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("first_prompt_at", Float),
    Column("ended_at", Float),
    Column("outcome", String(64), nullable=False),
    Column("end_reason", String(64), nullable=False),
    Column("recording", Text, nullable=False),
    Column("lead", JSON, nullable=False),
    Index("calls_by_start", "started_at"),
)
TURNS = Table(
    "turns",
    METADATA,
    Column("call_id", String(128), ForeignKey("calls.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("state", String(128), nullable=False),
    Column("next_state", String(128), nullable=False),
    Column("prompts", JSON, nullable=False),
    Column("heard", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("intent", String(128), nullable=False),
    Column("score", Float, nullable=False),
    Column("committed", String(32), nullable=False),
    Column("slots", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("answer_prompts", JSON, nullable=False),
    Column("asked_at", Float),
    Column("speech_started_at", Float),
    Column("speech_ended_at", Float),
    Column("endpoint_at", Float),
    Column("posted_at", Float),
    Column("transcript_at", Float),
    Column("intent_at", Float),
    Column("play_requested_at", Float),
    Column("playback_started_at", Float),
)

ROWS: dict[Table, list[dict[str, Any]]] = {
    CALLS: [
        {
            "id": f"pronto-{1_790_000_000 + number}.{number}",
            "cell": "local",
            "caller_number": "+33612345678",
            "called_number": "+33100000001",
            "flow": "fr/heating",
            "flow_version": "3f2a",
            "flow_edited_at": "2026-11-20T10:00:00+00:00",
            "started_at": 1_790_000_000.123456 + number,
            "first_prompt_at": None if number == 2 else 1_790_000_000.3 + number,
            "ended_at": None if number == 2 else 1_790_000_031.000001 + number,
            "outcome": "" if number == 2 else "qualified",
            "end_reason": "" if number == 2 else "bot_hung_up",
            "recording": "" if number == 2 else f"/recordings/{number}.wav",
            "lead": {} if number == 2 else {"zip_code": "75011", "name": "Zoé"},
        }
        for number in range(3)
    ],
    TURNS: [
        {
            "call_id": f"pronto-{1_790_000_000 + number}.{number}",
            "number": turn,
            "turn": turn,
            "state": "ask_zip",
            "next_state": "bye",
            "prompts": ["ask_zip"],
            "heard": [{"at": 1_790_000_003.71, "text": "d'accord", "confidence": 0.95}],
            "text": "d'accord",
            "intent": "yes",
            "score": 0.97,
            "committed": "endpoint",
            "slots": {"zip_code": "75011"},
            "notes": [],
            "answer_prompts": ["digit_7", "digit_5"],
            "asked_at": 1_790_000_000.5,
            "speech_started_at": 1_790_000_002.0,
            "speech_ended_at": 1_790_000_003.0,
            "endpoint_at": 1_790_000_003.7,
            "posted_at": 1_790_000_003.2,
            "transcript_at": 1_790_000_003.71,
            "intent_at": 1_790_000_003.72,
            "play_requested_at": None,
            "playback_started_at": None,
        }
        for number in range(2)
        for turn in (1, 2)
    ],
}


def make(engine: Engine) -> None:
    """A database of that version with rows in it."""
    METADATA.create_all(engine)
    with engine.begin() as connection:
        for table, rows in ROWS.items():
            connection.execute(insert(table), rows)
