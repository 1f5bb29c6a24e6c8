"""The sentences of a flow that are spoken as they stand in its file, so that they can be made before a call. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import forms
from dialogue.flow import Flow
from dialogue.values.templates import BadTemplate, Field, parse_template

SAID = frozenset({
    "say", "ask_again", "read_back", "filler", "faqs", "dead_air", "transfer_failed",
    "recap", "question", "wrong",
})  # fmt: skip
"""The fields that hold wordings."""
_SENTENCES = re.compile(r"(?<=[.!?…])\s+")


def fixed_texts(flow: Flow) -> tuple[str, ...]:
    """Each once: texts without variables, and of the others the whole sentences before, between and behind them."""
    found: dict[str, None] = {}
    for entry in _entries(flow, said=False):
        if not forms.is_prompt(entry) and not (entry.startswith("{") and " " not in entry):
            found |= dict.fromkeys(_fixed(entry))
    return tuple(found)


def _entries(value: Any, said: bool) -> Iterator[str]:
    if isinstance(value, str):
        if said:
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _entries(inner, said)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _entries(inner, said)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _entries(getattr(value, field.name), field.name in SAID)


def _fixed(text: str) -> Iterator[str]:
    try:
        parts = parse_template(text)
    except BadTemplate:  # it is no text
        return
    pieces: list[str | Field] = []
    for part in parts:  # doubled braces are parts of their own
        if isinstance(part, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += part
        else:
            pieces.append(part)
    for number, piece in enumerate(pieces):
        if not isinstance(piece, str):
            continue
        sentences = _SENTENCES.split(piece)
        if number:
            sentences = sentences[1:]  # it began with a variable
        if number + 1 < len(pieces):
            sentences = sentences[:-1]
        if whole := " ".join(sentences).strip():
            yield whole
