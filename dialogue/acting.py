"""An action of a flow as a request, and the answer to it as values. Pure: whoever sends it is elsewhere.

What stands in a flow file is the request; values are put into it as data, never as parts of a URL, header or JSON that
would mean something else. What comes back is a stranger's: only what the flow says, of the type that it says, is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from dialogue.conversation import Conversation
from dialogue.effects import EffectDone, EffectKind
from dialogue.flow import OUTCOMES, Action, Flow, Given, Outcome
from dialogue.values.spoken import part_of_name
from dialogue.values.templates import PARTS_OF_NAMES, Field, fields_of, fill, parse_template
from dialogue.values.value_types import LIST_SIGN, MOST_ROWS, BadValue, Locale, ValueType, stored
from dialogue.variables import said, sayable_type, scope_of, text_of

SECRET = "secret."
"""What a header may name besides variables: a reference, which is resolved where the request is sent."""


class Unsendable(ValueError):
    """A request that cannot be made of what is known; the message names the variable, never its value."""


class Misread(ValueError):
    """An answer that is not what the flow says; the message names the field, never what was in it."""


def needed_texts(action: Action) -> Iterator[str]:
    """The templates of an action whose variables must be known."""
    yield from (action.url, action.purpose, action.note, action.message, action.to, action.question)
    yield from action.headers.values()
    yield from (text for key, text in action.query.items() if not key.endswith("?"))
    yield from _leaves(action.body)


def _leaves(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping):
        for key, value in body.items():
            if not key.endswith("?"):
                yield from _leaves(value)
    elif isinstance(body, tuple):
        for value in body:
            yield from _leaves(value)


# --- the request ------------------------------------------------------------------------------------------------------


def effect_of(
    flow: Flow, c: Conversation, now: datetime, action: Action, visit: int
) -> tuple[EffectKind, dict[str, Any]]:
    """What is to be asked of the world: the kind of the effect, and its arguments. Raises Unsendable."""
    if action.message:
        return "message", message_of(flow, c, now, action, visit)
    if action.knowledge:
        return "knowledge", question_of(flow, c, now, action)
    return "http", request_of(flow, c, now, action, visit)


def request_of(flow: Flow, c: Conversation, now: datetime, action: Action, visit: int) -> dict[str, Any]:
    """The arguments of the effect. Headers are lists of texts and of `{"secret": name}`. Raises Unsendable."""
    kept = _kept(flow, c, now)
    key = _key(c, action, visit, kept)
    query = {name.rstrip("?"): fill(text, kept) for name, text in action.query.items() if _is_there(name, text, kept)}
    body = None if action.body is None else json.dumps(_json(flow, c, now, action.body), ensure_ascii=False)
    return {
        "action": action.name,
        "method": action.method,
        "url": fill(action.url, lambda field: _in_path(field, kept)),
        "query": query,
        "headers": {name: _header(text, kept) for name, text in action.headers.items()},
        "body": body,
        "timeout_ms": action.timeout_ms,
        "retries": action.retries,
        "cache_s": action.cache_s,
        "key": key,
    }


def message_of(flow: Flow, c: Conversation, now: datetime, action: Action, visit: int) -> dict[str, Any]:
    """The arguments of the effect; values are written as they are said. Raises Unsendable."""
    kept = _kept(flow, c, now)
    return {
        "action": action.name,
        "call_id": c.call_id,
        "to": fill(action.to, kept),
        "text": _said(flow, c, now, action.message),
        "language": flow.language,
        "key": _key(c, action, visit, kept),
    }


def question_of(flow: Flow, c: Conversation, now: datetime, action: Action) -> dict[str, Any]:
    """The arguments of a look-up: a question as it is said, or what the caller said last. Raises Unsendable."""
    return {
        "action": action.name,
        "question": _said(flow, c, now, action.question) if action.question else c.heard,
        "language": flow.language,
        "file": action.knowledge,
        "timeout_ms": action.timeout_ms,
    }


def note_of(flow: Flow, c: Conversation, now: datetime, action: Action) -> str:
    """The text of a note, with values as they are said. Raises Unsendable."""
    return _said(flow, c, now, action.note)


def _key(c: Conversation, action: Action, visit: int, kept: Callable[[Field], str]) -> str:
    """The key under which something is done once."""
    purpose = fill(action.purpose, kept) if action.purpose else f"{action.name} {visit}"
    return hashlib.sha256("\n".join((c.call_id, c.state, purpose)).encode()).hexdigest()[:32]


def _said(flow: Flow, c: Conversation, now: datetime, text: str) -> str:

    def say(field: Field) -> str:
        words = said(flow, c, now, field)
        if words is None:
            raise Unsendable(field.name)
        return words

    return fill(text, say)


def _kept(flow: Flow, c: Conversation, now: datetime) -> Callable[[Field], str]:
    """Values as they are kept: what machines exchange."""

    def give(field: Field) -> str:
        text = text_of(flow, c, now, field.name)
        if text is not None and field.form in PARTS_OF_NAMES:
            text = part_of_name(text, field.form) or None
        if text is None:
            raise Unsendable(field.name)
        return text

    return give


def _in_path(field: Field, kept: Callable[[Field], str]) -> str:
    """A value within a URL: one segment, whatever it is made of."""
    text = kept(field)
    if text in ("", ".", ".."):
        raise Unsendable(field.name)
    return quote(text, safe="")


def _header(text: str, kept: Callable[[Field], str]) -> list[Any]:
    parts: list[Any] = []
    for part in parse_template(text):
        if isinstance(part, Field) and part.name.startswith(SECRET):
            parts.append({"secret": part.name.removeprefix(SECRET)})
        elif isinstance(part, Field):
            parts.append(quote(kept(part), safe=" +-_.,:/@()"))
        else:
            parts.append(part)
    return parts


def _is_there(key: str, text: str, kept: Callable[[Field], str]) -> bool:
    """Whether an entry is sent: one with a `?` only when all its variables are known."""
    if not key.endswith("?"):
        return True
    try:
        fill(text, kept)
    except Unsendable:
        return False
    return True


def _json(flow: Flow, c: Conversation, now: datetime, body: Any) -> Any:
    kept = _kept(flow, c, now)
    if isinstance(body, Mapping):
        return {
            key.rstrip("?"): _json(flow, c, now, value)
            for key, value in body.items()
            if not key.endswith("?") or all(_leaf_is_there(flow, c, text, kept) for text in _leaves(value))
        }
    if isinstance(body, tuple):
        return [_json(flow, c, now, value) for value in body]
    parts = parse_template(body)
    if len(parts) == 1 and isinstance(parts[0], Field):
        name = parts[0].name
        kind = sayable_type(scope_of(flow.slots, flow.variables), name) or ValueType("text")
        owner, _, last = name.rpartition(".")
        if kind.kind == "list" and owner in flow.slots:  # a field of each of several that were chosen
            return [_typed(kind.fields[last], row[last]) for row in c.lists.get(owner, ()) if last in row]
        if kind.kind == "list":
            return [_typed_row(kind, row) for row in c.lists.get(name, ())]
        return _typed(kind, kept(parts[0]))
    return fill(body, kept)


def _leaf_is_there(flow: Flow, c: Conversation, text: str, kept: Callable[[Field], str]) -> bool:
    fields = fields_of(text)
    if any(field.name in c.lists or field.name.rpartition(".")[0] in c.lists for field in fields):
        return True
    return _is_there("?", text, kept)


def _typed_row(kind: ValueType, row: Mapping[str, str]) -> dict[str, Any]:
    return {name: _typed(of, row[name]) for name, of in kind.fields.items() if name in row}


def _typed(kind: ValueType, text: str) -> Any:
    """A value as JSON has it."""
    match kind.kind:
        case "integer" | "duration":
            return int(text)
        case "decimal" | "money":
            return float(text)
        case "yes_no":
            return text == "yes"
    return text


# --- the answer -------------------------------------------------------------------------------------------------------


def answer_of(
    flow: Flow, action: Action, done: EffectDone
) -> tuple[Outcome, dict[str, str], dict[str, tuple[Mapping[str, str], ...]]]:
    """Outcome, values and lists of what came. Raises Misread where a value is missing or has not its type."""
    result = done.result or {}
    named = "timeout" if done.error == "timeout" else str(result.get("outcome", "error"))
    outcome: Outcome = next((known for known in OUTCOMES if known == named), "error")
    values: dict[str, str] = {}
    lists: dict[str, tuple[Mapping[str, str], ...]] = {}
    for given in action.gives:
        if given.outcome != outcome:
            continue
        found = _at(result.get("body"), given.path)
        if found is None or (found == "" and given.optional):
            if given.optional:
                continue
            raise Misread(".".join(given.path))
        if given.type.kind == "list":
            lists[given.name] = _rows(given, found, flow.where)
        else:
            values[given.name] = _value(given.type, found, flow.where, given.path)
    return outcome, values, lists


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if isinstance(body, list) and name.isdigit():
            body = body[int(name)] if int(name) < len(body) else None
        else:
            body = body.get(name) if isinstance(body, dict) else None
    return body


def _rows(given: Given, found: Any, where: Locale) -> tuple[Mapping[str, str], ...]:
    if not isinstance(found, list):
        raise Misread(".".join(given.path))
    rows = []
    for entry in found[:MOST_ROWS]:
        if not isinstance(entry, dict):
            raise Misread(".".join(given.path))
        named = {name: _as_one(entry.get(name), kind) for name, kind in given.type.fields.items()}
        present = {name: one for name, one in named.items() if one is not None and one != ""}
        rows.append({n: _value(given.type.fields[n], one, where, (*given.path, n)) for n, one in present.items()})
    return tuple(rows)


def _as_one(found: Any, kind: ValueType) -> Any:
    """A list of texts (synonyms) as one text, where a text is wanted."""
    if kind.kind != "text" or not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return found
    return LIST_SIGN.join(one.replace("|", " ") for one in found[:MOST_ROWS])


def _value(kind: ValueType, found: Any, where: Locale, path: tuple[str, ...]) -> str:
    try:
        return stored(kind, found, where)
    except BadValue as error:
        raise Misread(f"{'.'.join(path)} {error}") from error
