"""Good input made bad: JSON values, texts and bytes, changed at random. Pure: the randomness is an argument."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

ODD_TEXTS = (
    "", " ", "\x00", "\n", "a\nb", "\x1b[2J", "\ud800", "é" * 3, "\u202e", "../../etc/passwd", "..", "/", "%2e%2e",
    "a" * 300, "x" * 70_000, "${CHANNEL(name)}", "' OR 1=1 --", "*", "sn-", "em-", "br-", "True", "nan", "1e999", "-1",
    "\u0663", "2026-99-99",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 10**400, 1.5, float("nan"), float("inf"), -float("inf"), [], {}, [[]],
    [None], {"a": {"b": []}}, ["x"] * 50, *ODD_TEXTS,
)  # fmt: skip
ODD_PIECES = (
    "&a ", "*a", "<<: *a", "!!python/object/apply:os.system [id]", "!!binary x", "- ", ": ", "{", "}", "[", "]", "|",
    ">", "\t", "\x00", "\ufeff", "---\n", "...\n", "?", "#", "'", '"', "2026-99-99", "0x", "0b", "!!int x", "1:99",
    "null", "~", "yes", "\u2028", "\x85", "\ud800", "a: &a [*a]\n", "[" * 200, "{a: " * 100, "- " * 300, "(",
    "(a+)+$", "\\",
)  # fmt: skip


def mutated_json(random: Random, value: Any, changes: int = 1) -> Any:
    """A copy of `value` in which some places are something else, gone, or there twice."""
    found = copy.deepcopy(value)
    for _ in range(changes):
        places = list(_places(found))
        if not places:
            return random.choice(ODD_VALUES)
        container, key = random.choice(places)
        match random.randrange(4):
            case 0:
                del container[key]
            case 1 if isinstance(container, dict):
                container[random.choice(["id", "type", "channel", "call_id", "x"])] = random.choice(ODD_VALUES)
            case 2 if isinstance(container[key], int | float) and not isinstance(container[key], bool):
                container[key] = random.choice([-container[key], container[key] * 10**9, random.random(), 2**64])
            case _:
                container[key] = copy.deepcopy(random.choice(ODD_VALUES))
    return found


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from _places(value[index])


def as_text(random: Random, value: Any) -> str:
    """JSON text of a value, sometimes cut off or otherwise broken."""
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    match random.randrange(12):
        case 0:
            return text[: random.randrange(len(text) + 1)]
        case 1:
            return mutated_text(random, text)
        case 2:
            return random.choice(["", "null", "[]", "{}", "[" * 100_000, '{"a":' * 5_000, "\ufeff" + text, text + text])
    return text


def mutated_text(random: Random, text: str, changes: int = 1) -> str:
    """A text with characters, lines or odd pieces put in, taken out, doubled or swapped."""
    for _ in range(changes):
        at = random.randrange(len(text) + 1)
        upto = min(len(text), at + random.choice([1, 1, 2, 8, 60]))
        lines = text.splitlines(keepends=True)
        match random.randrange(9):
            case 0:
                text = text[:at] + text[upto:]
            case 1:
                text = text[:at] + text[at:upto] * 2 + text[upto:]
            case 2 | 3:
                text = text[:at] + random.choice(ODD_PIECES) + text[at:]
            case 4:
                text = text[:at] + random.choice(ODD_TEXTS) + text[upto:]
            case 5:
                text = text[:at]
            case 6 if lines:
                del lines[random.randrange(len(lines))]
                text = "".join(lines)
            case 7 if len(lines) > 1:
                one, other = random.randrange(len(lines)), random.randrange(len(lines))
                lines[one], lines[other] = lines[other], lines[one]
                text = "".join(lines)
            case 8 if lines:
                line = random.randrange(len(lines))
                lines[line] = " " * random.randrange(9) + lines[line].lstrip()
                text = "".join(lines)
    return text


def mutated_bytes(random: Random, data: bytes, changes: int = 1) -> bytes:
    """Bytes with bits flipped, cut off, drawn out or replaced."""
    found = bytearray(data)
    for _ in range(changes):
        at = random.randrange(len(found) + 1)
        match random.randrange(6):
            case 0 | 1 if found:
                found[at - 1] ^= 1 << random.randrange(8)
            case 2:
                del found[at:]
            case 3:
                found[at:at] = random.randbytes(random.choice([1, 2, 4, 40]))
            case 4 if found:
                found[at - 1] = random.choice([0, 1, 0x7F, 0x80, 0xFF])
            case 5:
                del found[at : at + random.choice([1, 2, 4, 12])]
    return bytes(found)
