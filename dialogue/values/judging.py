"""What a condition means: its types against those of the variables, what it needs to be known, and its truth. Pure.

A condition whose types are right cannot fail: every operation in it is total for the types that `check` let through.
Only a variable that is unset has no value; `needs` finds those before any call.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dialogue.values.conditions import (
    BadCondition,
    Comparison,
    Condition,
    Constant,
    IsKnown,
    Junction,
    Name,
    Not,
    OneOf,
    Sum,
)
from dialogue.values.value_types import NUMERIC, ORDERED, TEXT_LIKE, Value, ValueType

TRUTH = ValueType("yes_no")
FIRST, LAST = (2, 1, 1), (9998, 12, 31)  # of the calendar, with room for time zones
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Unset(LookupError):
    """A condition or text needs a variable that has no value; the message is its name."""


def check(condition: Condition, scope: Mapping[str, ValueType]) -> None:
    """Raises BadCondition unless every name is in `scope`, types go together and the whole is true or false."""
    if _type(condition, scope).kind != "yes_no":
        raise BadCondition("a condition must be true or false")


def names_in(condition: Condition) -> Iterator[str]:
    """Every variable of a condition."""
    match condition:
        case Name(name) | IsKnown(name):
            yield name
        case Sum(_, left, right) | Comparison(_, left, right):
            yield from names_in(left)
            yield from names_in(right)
        case OneOf(inner, _) | Not(inner):
            yield from names_in(inner)
        case Junction(_, parts):
            for part in parts:
                yield from names_in(part)


# --- types ------------------------------------------------------------------------------------------------------------


def _type(node: Condition, scope: Mapping[str, ValueType]) -> ValueType:
    match node:
        case Constant(kind, _, unit):
            return ValueType(kind, currency=unit)
        case Name(name):
            return _of_name(name, scope)
        case IsKnown(name):
            if name not in scope:
                raise BadCondition(f"unknown variable {name}")
            return TRUTH
        case Not(inner):
            _must_be_truth(inner, scope)
            return TRUTH
        case Junction(_, parts):
            for part in parts:
                _must_be_truth(part, scope)
            return TRUTH
        case OneOf(left, constants):
            wanted = _type(left, scope)
            for constant in constants:
                _must_compare("==", wanted, _type(constant, scope), constant)
            return TRUTH
        case Comparison(sign, left, right):
            _must_compare(sign, _type(left, scope), _type(right, scope), right)
            if isinstance(left, Constant) and isinstance(right, Name):  # the choice may stand on the left
                _must_compare(sign, _type(right, scope), _type(left, scope), left)
            return TRUTH
        case Sum(sign, left, right):
            return _sum_type(sign, _type(left, scope), _type(right, scope))


def _of_name(name: str, scope: Mapping[str, ValueType]) -> ValueType:
    if name in scope:
        if scope[name].kind == "list":
            raise BadCondition(f"{name} is a list: compare {name}.count")
        return scope[name]
    owner, _, last = name.rpartition(".")
    if last == "count" and owner in scope and scope[owner].kind == "list":
        return ValueType("integer")
    raise BadCondition(f"unknown variable {name}")


def _must_be_truth(node: Condition, scope: Mapping[str, ValueType]) -> None:
    kind = _type(node, scope)
    if kind.kind != "yes_no":
        raise BadCondition(f"a {kind} is neither true nor false: compare it with something")


def _must_compare(sign: str, left: ValueType, right: ValueType, what: Condition) -> None:
    if sign == "begins":
        if left.kind not in TEXT_LIKE or right.kind not in TEXT_LIKE:
            raise BadCondition(f"a {left} does not begin with a {right}")
        return
    if left.kind == "choice" and isinstance(what, Constant) and right.kind == "text" and what.value not in left.choices:
        raise BadCondition(f"{what.value!r} is none of its choices: {', '.join(left.choices)}")
    if not _go_together(left, right):
        raise BadCondition(f"a {left} cannot be compared with a {right}")
    if sign not in ("==", "!=") and left.kind not in ORDERED:
        raise BadCondition(f"a {left} is not less or more than another")


def _go_together(left: ValueType, right: ValueType) -> bool:
    kinds = {left.kind, right.kind}
    if kinds <= {"integer", "decimal"}:
        return True
    if len(kinds) == 2:
        return "text" in kinds and kinds <= TEXT_LIKE
    return left.currency == right.currency


def _sum_type(sign: str, left: ValueType, right: ValueType) -> ValueType:
    if left.kind in NUMERIC and _go_together(left, right):
        return left if left.kind == right.kind else ValueType("decimal")
    if left.kind == right.kind == "duration":
        return left
    if left.kind in ("date", "moment") and right.kind == "duration":
        return left
    if sign == "-" and left.kind == right.kind and left.kind in ("date", "moment"):
        return ValueType("duration")
    raise BadCondition(f"there is no {left} {sign} {right}")


# --- what must be known -----------------------------------------------------------------------------------------------


def needs(condition: Condition, known: frozenset[str]) -> frozenset[str]:
    """The variables whose value it may ask for although they may be unset, where `known` are not."""
    match condition:
        case Name(name):
            owner = name.removesuffix(".count")
            return frozenset() if name in known or owner in known else frozenset({name})
        case Sum(_, left, right) | Comparison(_, left, right):
            return needs(left, known) | needs(right, known)
        case OneOf(inner, _) | Not(inner):
            return needs(inner, known)
        case Junction(sign, parts):
            wanting: frozenset[str] = frozenset()
            for part in parts:
                wanting |= needs(part, known)
                known |= known_if(part, sign == "and")
            return wanting
    return frozenset()


def known_if(condition: Condition, truth: bool) -> frozenset[str]:
    """The variables that are known where the condition is true (or false)."""
    match condition:
        case IsKnown(name):
            return frozenset({name}) if truth else frozenset()
        case Not(inner):
            return known_if(inner, not truth)
        case Junction(sign, parts):
            of_parts = [known_if(part, truth) for part in parts]
            is_all = (sign == "and") == truth
            return frozenset().union(*of_parts) if is_all else frozenset.intersection(*of_parts)
    return frozenset()


# --- truth ------------------------------------------------------------------------------------------------------------


def holds(condition: Condition, look_up: Callable[[str], Value | None]) -> bool:
    """Whether a condition that was checked is true. `look_up` gives a variable's value, None while it is unset.

    Raises Unset where a value is needed that is not there.
    """
    return bool(_value(condition, look_up))


def _value(node: Condition, look_up: Callable[[str], Value | None]) -> Value:
    match node:
        case Constant(_, constant, _):
            return constant
        case Name(name):
            found = look_up(name)
            if found is None:
                raise Unset(name)
            return found
        case IsKnown(name):
            return look_up(name) is not None
        case Not(inner):
            return not _value(inner, look_up)
        case Junction("and", parts):
            return all(_value(part, look_up) for part in parts)
        case Junction(_, parts):
            return any(_value(part, look_up) for part in parts)
        case OneOf(left, constants):
            found = _value(left, look_up)
            return any(found == constant.value for constant in constants)
        case Comparison("begins", left, right):
            return str(_value(left, look_up)).startswith(str(_value(right, look_up)))
        case Comparison(sign, left, right):
            return _COMPARE[sign](_value(left, look_up), _value(right, look_up))
        case Sum(sign, left, right):
            return _sum(sign, _value(left, look_up), _value(right, look_up))


def _sum(sign: str, left: Value, right: Value) -> Value:
    """Dates end at the calendar's ends instead of failing there."""
    plus = sign == "+"
    match left, right:
        case timedelta(), timedelta():
            return left + right if plus else left - right
        case date(), timedelta():
            try:
                return left + right if plus else left - right
            except OverflowError:
                year, month, day = LAST if plus else FIRST
                return left.replace(year=year, month=month, day=day)
        case datetime(), datetime():
            return left - right
        case date(), date():
            return left - right
        case int() | Decimal(), int() | Decimal():
            return left + right if plus else left - right
    raise TypeError(f"{type(left).__name__} {sign} {type(right).__name__}")
