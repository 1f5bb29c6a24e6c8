"""Texts with variables in them: "Bonjour {client.first_name}, votre commande arrive {order.date}." Pure.

A template is parsed once, where the flow file is read; what is put into it later is data and is never parsed. Braces
that are meant as such are doubled. `{name:form}` says a value in another way: `spelled`, letter by letter; `digits`; of
a name `first` and `last`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

MOST_TEMPLATE = 1_000  # characters
PARTS_OF_NAMES = ("first", "last")
FORMS = ("spelled", "digits", "written", *PARTS_OF_NAMES)
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,60}(?:\.[a-z_][a-z0-9_]{0,60}){0,2})(?::([a-z]{1,20}))?")


class BadTemplate(ValueError):
    """A template that is refused; the message says why."""


@dataclass(frozen=True)
class Field:
    """The place of a variable; `form` is how it is said, empty for the usual way."""

    name: str
    form: str = ""


Template: TypeAlias = tuple[str | Field, ...]


@lru_cache(maxsize=2_000)
def parse_template(text: str) -> Template:
    """The parts of a template. Raises BadTemplate."""
    if len(text) > MOST_TEMPLATE:
        raise BadTemplate(f"a text has at most {MOST_TEMPLATE} characters")
    parts: list[str | Field] = []
    at = 0
    while at < len(text):
        brace = _next_brace(text, at)
        if text[at:brace]:
            parts.append(text[at:brace])
        if brace == len(text):
            break
        if text[brace : brace + 2] in ("{{", "}}"):
            parts.append(text[brace])
            at = brace + 2
            continue
        if text[brace] == "}":
            raise BadTemplate("a } without its {: write }} for the character")
        end = text.find("}", brace)
        if end < 0:
            raise BadTemplate("a { without its }: write {{ for the character")
        parts.append(_field(text[brace + 1 : end]))
        at = end + 1
    return tuple(parts)


def _next_brace(text: str, at: int) -> int:
    found = [place for brace in "{}" if (place := text.find(brace, at)) >= 0]
    return min(found, default=len(text))


def _field(inside: str) -> Field:
    found = _FIELD.fullmatch(inside.strip())
    if found is None:
        raise BadTemplate(f"{{{inside[:40]}}} is no variable: a name, or name:form")
    name, form = found[1], found[2] or ""
    if form and form not in FORMS:
        raise BadTemplate(f"{{{inside[:40]}}}: there is no form {form}; there are {', '.join(FORMS)}")
    return Field(name, form)


def fields_of(text: str) -> tuple[Field, ...]:
    """The variables of a template. Raises BadTemplate."""
    return tuple(part for part in parse_template(text) if isinstance(part, Field))


def fill(text: str, say: Callable[[Field], str]) -> str:
    """A template with its variables said. What `say` gives is put in as it is."""
    return "".join(part if isinstance(part, str) else say(part) for part in parse_template(text))


def variable_alone(text: str) -> str | None:
    """The variable of a text that is nothing else; None for any other text."""
    try:
        parts = parse_template(text)
    except BadTemplate:
        return None
    return parts[0].name if len(parts) == 1 and isinstance(parts[0], Field) and not parts[0].form else None
