"""The language of conditions: a text becomes a small tree of comparisons, or is refused with a reason. Pure.

    order.status == "late" and (order.total >= 100 EUR or client.since is not known)

There are names, literals, comparisons, `in`, `begins`, `is known`, `and`, `or`, `not`, + and -. There is nothing that
calls, loops, indexes or reaches beyond the names that a flow declares; what a text may cost is bounded by its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TypeAlias

from dialogue.values.value_types import CURRENCIES, Value, ValueKind

MOST_TEXT = 400  # characters
MOST_DEPTH = 12
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
UNITS = {"min": 60, "minutes": 60, "h": 3_600, "hours": 3_600, "days": 86_400, "day": 86_400, "s": 1}
WORDS = frozenset({"and", "or", "not", "is", "known", "in", "begins", "yes", "no"})


class BadCondition(ValueError):
    """A condition that is refused; the message says why, and where in the text."""


@dataclass(frozen=True)
class Constant:
    """A value that stands in the condition. `unit` is the currency of money."""

    kind: ValueKind
    value: Value
    unit: str = ""


@dataclass(frozen=True)
class Name:
    """A variable: `zip_code`, `order.status`."""

    name: str


@dataclass(frozen=True)
class IsKnown:
    """`x is known`."""

    name: str


@dataclass(frozen=True)
class Sum:
    """left + right, or left - right."""

    operator: str
    left: Condition
    right: Condition


@dataclass(frozen=True)
class Comparison:
    """Two values compared; `begins` compares the beginning of a text."""

    operator: str
    left: Condition
    right: Condition


@dataclass(frozen=True)
class OneOf:
    """left in (a, b, c)."""

    left: Condition
    of: tuple[Constant, ...]


@dataclass(frozen=True)
class Not:
    """The contrary."""

    of: Condition


@dataclass(frozen=True)
class Junction:
    """All (`and`) or any (`or`) of several, from left to right, no further than it takes."""

    operator: str
    of: tuple[Condition, ...]


@dataclass(frozen=True)
class When:
    """A condition with the text that it was read from."""

    text: str
    condition: Condition


Condition: TypeAlias = Constant | Name | IsKnown | Sum | Comparison | OneOf | Not | Junction

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<date>\d{4}-\d\d-\d\d)
    | (?P<time>\d{1,2}:\d\d)
    | (?P<number>\d{1,12}(?:\.\d{1,6})?)
    | (?P<string>"[^"\\]{0,200}"|'[^'\\]{0,200}')
    | (?P<name>[A-Za-z_][A-Za-z0-9_]{0,60}(?:\.[a-z_][a-z0-9_]{0,60}){0,2})
    | (?P<operator>==|!=|<=|>=|<|>|\+|-|\(|\)|,)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse_condition(text: str) -> Condition:
    """The tree of a condition. Raises BadCondition."""
    if len(text) > MOST_TEXT:
        raise BadCondition(f"a condition has at most {MOST_TEXT} characters")
    parser = _Parser(list(_tokens(text)), len(text))
    tree = parser.any_of(0)
    parser.end()
    return tree


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise BadCondition(f"what is {text[at:].split()[0][:20]!r} at character {at + 1}?")
        yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
        at = found.end()


class _Parser:
    """Recursive descent, each level one rule; `depth` bounds parentheses and `not`."""

    def __init__(self, tokens: list[_Token], length: int) -> None:
        self._tokens = tokens
        self._length = length
        self._at = 0

    def end(self) -> None:
        token = self._peek()
        if token is not None:
            raise BadCondition(f"{token.text!r} at character {token.at + 1} belongs to nothing")

    def any_of(self, depth: int) -> Condition:
        if depth > MOST_DEPTH:
            raise BadCondition("too deep: fewer parentheses")
        return self._junction("or", lambda: self._junction("and", lambda: self._negation(depth)))

    def _junction(self, word: str, part: object) -> Condition:
        assert callable(part)
        parts = [part()]
        while self._takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _negation(self, depth: int) -> Condition:
        if self._takes("not"):
            if depth > MOST_DEPTH:
                raise BadCondition("too deep: fewer `not`")
            return Not(self._negation(depth + 1))
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Condition:
        left = self._sum(depth)
        token = self._peek()
        if token is None:
            return left
        if token.text in COMPARISONS or token.text == "begins":
            self._next()
            return Comparison(token.text, left, self._sum(depth))
        if self._takes("is"):
            is_not = self._takes("not")
            self._expect("known")
            if not isinstance(left, Name):
                raise BadCondition("only a variable is known, or not")
            return Not(IsKnown(left.name)) if is_not else IsKnown(left.name)
        if self._takes("in"):
            return OneOf(left, self._constants())
        return left

    def _sum(self, depth: int) -> Condition:
        left = self._part(depth)
        while (token := self._peek()) is not None and token.text in ("+", "-") and token.kind == "operator":
            self._next()
            left = Sum(token.text, left, self._part(depth))
        return left

    def _part(self, depth: int) -> Condition:
        token = self._next()
        if token.text == "(" and token.kind == "operator":
            inner = self.any_of(depth + 1)
            self._expect(")")
            return inner
        if token.kind == "name" and token.text not in WORDS:
            return Name(token.text)
        return self._constant(token)

    def _constants(self) -> tuple[Constant, ...]:
        self._expect("(")
        found = [self._constant(self._next())]
        while self._takes(","):
            found.append(self._constant(self._next()))
        self._expect(")")
        return tuple(found)

    def _constant(self, token: _Token) -> Constant:
        try:
            match token.kind:
                case "string":
                    return Constant("text", token.text[1:-1])
                case "date":
                    return Constant("date", date.fromisoformat(token.text))
                case "time":
                    return Constant("time", time.fromisoformat(token.text.zfill(5)))
                case "number":
                    return self._quantity(token.text)
                case "name" if token.text in ("yes", "no"):
                    return Constant("yes_no", token.text == "yes")
        except ValueError as error:
            raise BadCondition(f"there is no {token.kind} {token.text}") from error
        raise BadCondition(f"{token.text!r} at character {token.at + 1}: a name or a value was expected")

    def _quantity(self, number: str) -> Constant:
        """A number, with the unit behind it."""
        unit = self._peek()
        if unit is not None and unit.kind == "name" and unit.text in CURRENCIES:
            self._next()
            return Constant("money", Decimal(number), unit.text)
        if unit is not None and unit.kind == "name" and unit.text in UNITS and "." not in number:
            self._next()
            if int(number) > 1_000_000:
                raise BadCondition("a duration is that long")
            return Constant("duration", timedelta(seconds=int(number) * UNITS[unit.text]))
        return Constant("decimal", Decimal(number)) if "." in number else Constant("integer", int(number))

    # --- tokens ---

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> _Token:
        token = self._peek()
        if token is None:
            raise BadCondition("it breaks off: a name or a value was expected")
        self._at += 1
        return token

    def _takes(self, text: str) -> bool:
        token = self._peek()
        if token is None or token.text != text or token.kind == "string":
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            token = self._peek()
            there = f"{token.text!r} at character {token.at + 1}" if token else "the end"
            raise BadCondition(f"{text!r} was expected, not {there}")
