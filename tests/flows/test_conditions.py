"""Conditions: what they mean, what is refused with a reason, and that no text makes them do anything else."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from random import Random

import pytest

from dialogue.values.conditions import MOST_TEXT, BadCondition, parse_condition
from dialogue.values.judging import Unset, check, holds, known_if, needs
from dialogue.values.value_types import Value, ValueType

SCOPE = {
    "status": ValueType("choice", {"late": ("en retard",), "sent": ("expédiée",)}),
    "total": ValueType("money", currency="EUR"),
    "count": ValueType("integer"),
    "rate": ValueType("decimal"),
    "vip": ValueType("yes_no"),
    "order.date": ValueType("date"),
    "now.time": ValueType("time"),
    "zip": ValueType("postcode"),
    "wait": ValueType("duration"),
    "orders": ValueType("list", fields={"status": ValueType("text")}),
}
VALUES: dict[str, Value] = {
    "status": "late", "total": Decimal("100.00"), "count": 3, "rate": Decimal("1.5"), "vip": True,
    "order.date": date(2026, 12, 3), "now.time": time(14, 30), "zip": "75011", "wait": timedelta(minutes=90),
    "orders.count": 2,
}  # fmt: skip


def judge(text: str, values: dict[str, Value] | None = None) -> bool:
    condition = parse_condition(text)
    check(condition, SCOPE)
    return holds(condition, (VALUES if values is None else values).get)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ('status == "late"', True),
        ('"late" == status', True),
        ('status in ("sent", "late")', True),
        ('status != "late"', False),
        ("total >= 100 EUR", True),
        ("total - 0.01 EUR < 100 EUR", True),
        ("count + 1 == 4", True),
        ("count < rate", False),
        ("vip", True),
        ("not vip", False),
        ("vip == no", False),
        ("order.date > 2026-12-01 and order.date - 2026-12-01 == 2 days", True),
        ("order.date + 3 days >= 2026-12-07", False),
        ("now.time >= 9:00 and now.time < 18:00", True),
        ('zip begins "75"', True),
        ('zip begins "980" or vip', True),
        ("wait > 1 h", True),
        ("orders.count > 1", True),
        ("orders is known", False),
        ("order.date is not known", False),
        ("not (vip and count > 3) or not not vip", True),
    ],
)
def test_truth(text: str, truth: bool) -> None:
    assert judge(text) is truth


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "breaks off"),
        ("count", "must be true or false"),
        ("count and vip", "neither true nor false"),
        ("count == ", "breaks off"),
        ("nobody == 3", "unknown variable nobody"),
        ('status == "lost"', "none of its choices"),
        ("status > 3", "cannot be compared"),
        ('status < "late"', "not less or more"),
        ("total > 100", "cannot be compared"),
        ("total > 100 USD", "cannot be compared"),
        ("order.date == 2026-02-30", "there is no date"),
        ("now.time > 25:00", "there is no time"),
        ("order.date + 3 == order.date", "there is no date . integer"),
        ("orders == 3", "is a list"),
        ("vip vip", "belongs to nothing"),
        ("(vip", "was expected"),
        ("count is known known", "belongs to nothing"),
        ("3 is known", "only a variable is known"),
        ("(" * 13 + "vip" + ")" * 13, "too deep"),
        ("not " * 15 + "vip", "too deep"),
        ("vip and " * 60 + "vip", "at most"),
        # nothing calls, indexes or reaches further than the names that there are
        ("vip()", "belongs to nothing"),
        ("__import__('os').system('true')", "what is"),
        ("vip.__class__ == 3", "unknown variable"),
        ("zip[0] == '7'", "what is"),
        ("lambda: vip", "what is"),
        ("status == 'a' if vip else 'b'", "belongs to nothing"),
        ("{vip}", "what is"),
        ("vip; count", "what is"),
        ("count * 9 == 3", "what is"),
        ("count ** 9 == 3", "what is"),
        ("open('/etc/passwd')", "belongs to nothing"),
        ("secret.key == 'a'", "unknown variable secret.key"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadCondition, match=reason):
        check(parse_condition(text), SCOPE)


def test_an_unset_variable_has_no_truth_but_can_be_asked_about() -> None:
    with pytest.raises(Unset, match="count"):
        judge("count > 3", {})
    assert judge("count is not known or count > 3", {})


def test_what_must_be_known_and_what_a_truth_makes_known() -> None:
    condition = parse_condition("count is known and count > 3 and total > 5 EUR")
    assert needs(condition, frozenset()) == {"total"}
    assert known_if(condition, True) == {"count"}
    assert known_if(parse_condition("count is not known or vip"), False) == {"count"}
    assert needs(parse_condition("count is not known or count > 3"), frozenset()) == frozenset()


PIECES = (
    "status", "total", "count", "rate", "vip", "order.date", "now.time", "zip", "wait", "orders", "orders.count",
    "==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "(", ")", ",", "in", "is", "known", "begins", "+", "-", "3",
    "1.5", "100 EUR", "2 days", "1 h", "2026-12-03", "9:00", '"late"', "'75'", "yes", "no", "9999-12-31",
    "1000000 days",
    "call", "__class__", "\x00", "é", "{", "}", "\"", "'", ".", "*", "lambda", "eval", "１２", "999999999999",
)  # fmt: skip


def some_condition(chance: Random) -> str:
    """Pieces in any order, or a tree of the right shape: both sides of the parser are reached."""
    if chance.random() < 0.5:
        return " ".join(chance.choices(PIECES, k=chance.randint(1, 14)))
    names = PIECES[:11]
    parts = [
        f"{chance.choice(names)} {chance.choice(PIECES[11:17])} {chance.choice((*names, *PIECES[29:41]))}"
        if chance.random() < 0.8
        else f"{chance.choice(names)} is {chance.choice(('', 'not '))}known"
        for _ in range(chance.randint(1, 5))
    ]
    return f" {chance.choice(('and', 'or'))} ".join(parts)


def try_conditions(count: int, seed: int) -> tuple[int, int]:
    """How many of so many were accepted and refused. Whatever is accepted has a truth for any values of its types."""
    chance = Random(seed)
    accepted = 0
    for _ in range(count):
        text = some_condition(chance)
        try:
            condition = parse_condition(text)
            check(condition, SCOPE)
        except BadCondition:
            continue
        accepted += 1
        known = frozenset(name for name in VALUES if chance.random() < 0.8)
        try:
            holds(condition, {name: VALUES[name] for name in known}.get)
        except Unset as error:
            if str(error) not in needs(condition, known):
                raise AssertionError(f"{text}: {error} was not foreseen") from error
    return accepted, count - accepted


def test_no_condition_does_anything_but_be_true_false_or_refused() -> None:
    """A million of them: `python -m benchmarks.fuzz parsers --count 1000000`."""
    accepted, refused = try_conditions(20_000, seed=1)
    assert accepted > 500
    assert refused > 5_000


def test_a_condition_is_bounded() -> None:
    with pytest.raises(BadCondition, match="at most 400 characters"):
        parse_condition("count > 3" + " " * MOST_TEXT)
    with pytest.raises(BadCondition, match="fewer parentheses"):
        parse_condition("(" * 60 + "count > 3" + ")" * 60)
    with pytest.raises(BadCondition, match="fewer `not`"):
        parse_condition("not " * 60 + "vip")
    with pytest.raises(BadCondition):
        parse_condition("x" * (MOST_TEXT + 1))
