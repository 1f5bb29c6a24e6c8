"""Logs tell nobody what callers said, hold no secret, and no text in them can pass for a record of its own."""

from __future__ import annotations

import ast
import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError

from config import ROOT, SERVICES, BadSettings, key_of, load
from observability.logs import PERSONAL, JsonFormatter, TextFormatter
from protocol.codec import BadMessage, decode, encode
from protocol.messages import UtteranceTranscribed
from records.call import CallRecord
from records.engines import connect
from records.store import store
from tests.fuzz.samples import AT, CALL

SECRET = "s3cret-do-not-tell"
HARMLESS = set(
    "action app appointment away_s bound_s buffer_bytes call_id calls channel code command committed compute_type "
    "confidence count device effect encoder engine error events_held fault flow folder from intent item keys kind "
    "language left limit_mb model next_state outcome path reason resident_mb result retry_in_s rtp score "
    "sentence_hash service set silent_ms source state status strain stream turn turns type version voice voices "
    "waiting what".split()
)
"""Every field that our records have and that says nothing of a caller. A new field is put here or among PERSONAL."""


def logged_fields() -> dict[str, Path]:
    """Names of fields given through `extra={...}`, with a file that does."""
    found: dict[str, Path] = {}
    for path in ROOT.glob("*/**/*.py"):
        if path.relative_to(ROOT).parts[0] in ("tests", "benchmarks", "models", ".venv", ".pronto"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
                found |= {str(key.value): path for key in node.value.keys if isinstance(key, ast.Constant)}
    return found


def record(message: str = "something", exc_info: Any = None, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("pronto.test", logging.INFO, "x.py", 1, message, (), exc_info)
    vars(made).update(fields)
    return made


@pytest.mark.parametrize("formatter", [TextFormatter(False), JsonFormatter(False)])
@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_personal_fields_are_not_written_unless_asked_for(formatter: logging.Formatter, name: str) -> None:
    assert "+33612345678" not in formatter.format(record(**{name: "+33612345678"}))
    assert "+33612345678" in type(formatter)(True).format(record(**{name: "+33612345678"}))  # type: ignore[arg-type]


def test_every_field_of_every_record_was_judged() -> None:
    unjudged = {name: str(path) for name, path in logged_fields().items() if name not in HARMLESS | PERSONAL}
    assert unjudged == {}


@given(st.text(), st.text(), st.text())
def test_no_text_makes_a_second_record(message: str, value: str, fault: str) -> None:
    try:
        raise ValueError(fault)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    assert len(JsonFormatter(True).format(record(message, info, text=value)).split("\n")) == 1
    first, *others = TextFormatter(True).format(record(message, info, text=value)).split("\n")
    assert first.isprintable()
    assert all(line.startswith("    ") for line in others)


def test_a_forged_line_and_a_colour_do_not_reach_the_log() -> None:
    forged = "x\n2026-01-01T00:00:00.000Z - pronto.calls - INFO - call over\x1b[2J"
    for line in TextFormatter(True).format(record(forged, text=forged, reason=forged)).splitlines():
        assert not line.startswith("2026-01-01")
        assert "\x1b" not in line


def test_what_a_refused_message_held_is_not_told() -> None:
    body = json.loads(encode(UtteranceTranscribed(CALL, AT, 1, 1, "x", 0.9, AT, AT, AT, AT, 900)))
    said = ["mon numéro est le 06"]
    for field in set(body) - {"type"}:
        with pytest.raises(BadMessage) as caught:
            decode(json.dumps(body | {field: said}))
        assert "numéro" not in str(caught.value)


def test_an_error_of_the_database_does_not_tell_who_called(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'calls.sqlite'}")
    call = CallRecord("c1", "cell", "+33612345678", "", "f", "v", "", 1.0)
    with pytest.raises(SQLAlchemyError) as caught, engine.begin() as connection:
        store(connection, [call])  # there are no tables
    assert "+33612345678" not in str(caught.value)


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_is_shown(service: str) -> None:
    fields = dataclasses.fields(SERVICES[service])
    secrets = [field for field in fields if field.metadata["secret"]]
    assert {"PRONTO_TOKEN", "REDIS_URL"} <= {key_of(field) for field in secrets}
    for field in fields:
        named = any(word in field.name for word in ("password", "token", "secret", "database_url", "redis_url"))
        assert not named or field in secrets, field.name
    good = {"PRONTO_TOKEN": SECRET, "ARI_PASSWORD": SECRET, "REDIS_URL": f"redis://:{SECRET}@127.0.0.1/0"}
    assert SECRET not in repr(load(SERVICES[service], {**good, "DATABASE_URL": f"postgresql://u:{SECRET}@h/d"}))
    with pytest.raises(BadSettings) as caught:
        load(SERVICES[service], {"PRONTO_TOKEN": f"{SECRET} x", "REDIS_URL": f"nothing://{SECRET}"})
    assert SECRET not in str(caught.value)
