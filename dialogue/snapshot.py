"""A dialogue as JSON text and back, for the next bot manager. Pure: text in, dialogue out, or BadSnapshot.

The text carries the number of its schema. One of an earlier release is brought up to date, step by step; of one that a
newer release wrote, fields that we do not know are passed over, and a phase that we do not know is kept: the table of
the dialogue then hands the caller over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from dialogue.voice.state import Dialogue

SCHEMA = 2
_encoder = msgspec.json.Encoder()


class BadSnapshot(ValueError):
    """A stored dialogue that cannot be read."""


def to_json(dialogue: Dialogue) -> str:
    """The snapshot of a dialogue."""
    return f'{{"schema":{SCHEMA},"dialogue":{_encoder.encode(dialogue).decode()}}}'


def from_json(text: str | bytes) -> Dialogue:
    """The dialogue of a snapshot. Raises BadSnapshot; the text says which field is wrong, and not what was in it."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadSnapshot(f"no JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadSnapshot("not a JSON object")
    schema = body.get("schema", 1)
    if type(schema) is not int or schema < 1:
        raise BadSnapshot("schema must be a number from 1 on")
    for number in range(schema, SCHEMA):
        try:
            body = MIGRATIONS[number](body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadSnapshot(f"schema {number}: {error!r}") from error
    try:
        return msgspec.convert(body.get("dialogue"), Dialogue)
    except (msgspec.ValidationError, RecursionError, UnicodeError) as error:
        raise BadSnapshot(_without_content(str(error))) from error


def _from_1(body: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 was flat: conversation and turn-taking in one, prompts by name, `rungs` for both."""
    return {"schema": 2, "dialogue": _dialogue_of_1(body)}


def _dialogue_of_1(old: dict[str, Any]) -> dict[str, Any]:
    rungs = dict(old.get("rungs", {}))
    before = old.get("before")
    phase = old.get("phase", "new")
    fills = bool(rungs.get("dead_air")) and phase == "speaking"
    if phase == "speaking":
        phase = "parting" if old.get("ending") else "filling" if fills else "speaking"
    early = None
    if before is not None:
        early = {"conversation": _conversation_of_1(before), "utterance": before.get("utterance", 0)}
    return {
        "conversation": _conversation_of_1(old),
        "phase": phase,
        **{
            name: old[name]
            for name in (
                "playbacks",
                "serial",
                "timer_ms",
                "wait_ms",
                "digits",
                "resumptions",
                "utterance",
                "utterance_text",
            )
            if name in old
        },
        "filled": bool(rungs.get("dead_air")),
        "unheard": rungs.get("unheard", 0),
        "ending_tries": rungs.get("ending", 0),
        "playback": _playback_of_1(old.get("playback"), fills),
        "interrupted": _playback_of_1(old.get("interrupted"), False),
        "early": early,
    }


def _conversation_of_1(old: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "call_id", "flow", "flow_version", "state", "turn", "asked", "counters", "slots", "tentative", "read_backs",
        "ending", "outcome", "concluded",
    )  # fmt: skip
    steps = {name: step for name, step in old.get("rungs", {}).items() if name in ("no_input", "no_match", "trouble")}
    return {
        **{name: old[name] for name in kept if name in old},
        "steps": steps,
        "last_said": [{"kind": "prompt", "name": name} for name in old.get("last_said", ())],
    }


def _playback_of_1(old: dict[str, Any] | None, fills: bool) -> dict[str, Any] | None:
    if old is None:
        return None
    items = [{"kind": "prompt", "name": name} for name in old["prompts"]]
    return {**{name: old[name] for name in ("playback_id", "offset_ms", "began_at")}, "items": items, "fills": fills}


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1}
"""Schema number -> how to make a body of the next one of it."""


def _without_content(error: str) -> str:
    """A reason without the value that it quotes in 'single quotes': that may be what a caller said."""
    return re.sub(r"'[^']*'?", "...", error)[:200]
