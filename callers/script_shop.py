"""The shop of a call script: what is in its database before the call, and what must be there after it. Pure.

    shop:                               # starts the demo shop behind the flow; `shop: {}` is as it is
      booked: [{client: Paolo Verdoni, services: taglio, day: +1, time: "09:00", staff: Giulia}]
      full: [+2]                        # nothing is free on these days
      closed: {+3: Festa del patrono}   # holidays
      stands_still: true                # the booking service answers nothing during the call
      messages_fail: true               # nor does the provider of messages
    expect:
      booked: [...]                     # all appointments afterwards, `full` left out; without it: those of before
      waiting: [{client: Paolo Verdoni, day: +1}]       # all of the waitlist
      clients: [Anna Verdini]           # all who are new
      messages: 1                       # how many were sent

A client is told by name, or by telephone where two have one name; a day by its distance (+1 is tomorrow).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml


@dataclass(frozen=True, order=True)
class Booked:
    """An appointment. `day`: days after the call's; `services`: their names, with ", " between."""

    client: str
    services: str
    day: int
    time: str
    staff: str


@dataclass(frozen=True, order=True)
class Waitlisted:
    """An entry of the waitlist."""

    client: str
    day: int


@dataclass(frozen=True)
class ShopBefore:
    """What is there before the call."""

    booked: tuple[Booked, ...] = ()
    full: tuple[int, ...] = ()
    closed: tuple[tuple[int, str], ...] = ()
    stands_still: bool = False
    messages_fail: bool = False


@dataclass(frozen=True)
class ShopAfter:
    """What must be there after it."""

    booked: tuple[Booked, ...] = ()
    waiting: tuple[Waitlisted, ...] = ()
    clients: tuple[str, ...] = ()
    messages: int = 0


class BadShop(ValueError):
    """What is no shop: the node, and why."""

    def __init__(self, node: yaml.Node, reason: str) -> None:
        super().__init__(reason)
        self.node = node


AFTER: tuple[str, ...] = ("booked", "waiting", "clients", "messages")
"""The keys of `expect` that are of the shop."""


def read_before(node: yaml.Node) -> ShopBefore:
    """Raises BadShop."""
    entries = _mapping(node, "booked", "full", "closed", "stands_still", "messages_fail")
    closed = entries.get("closed")
    days = closed.value if isinstance(closed, yaml.MappingNode) else []
    if closed is not None and not days:
        raise BadShop(closed, "closed is a mapping of days and names")
    return ShopBefore(
        tuple(_booked(one) for one in _list(entries.get("booked"))),
        tuple(_day(one) for one in _list(entries.get("full"))),
        tuple((_day(day), _text(name)) for day, name in days),
        _flag(entries.get("stands_still")),
        _flag(entries.get("messages_fail")),
    )


def read_after(entries: Mapping[str, yaml.Node], before: ShopBefore) -> ShopAfter:
    """What the keys of `expect` say, or what was there. Raises BadShop."""
    booked = before.booked
    if "booked" in entries:
        booked = tuple(_booked(one) for one in _list(entries["booked"]))
    waiting = []
    for one in _list(entries.get("waiting")):
        parts = _mapping(one, *Waitlisted.__dataclass_fields__, whole=True)
        waiting.append(Waitlisted(_text(parts["client"]), _day(parts["day"])))
    clients = tuple(_text(one) for one in _list(entries.get("clients")))
    messages = entries.get("messages")
    count = _text(messages) if messages is not None else "0"
    if messages is not None and not count.isdigit():
        raise BadShop(messages, "messages is a number")
    return ShopAfter(booked, tuple(waiting), clients, int(count))


def _booked(node: yaml.Node) -> Booked:
    parts = _mapping(node, *Booked.__dataclass_fields__, whole=True)
    time = _text(parts["time"])
    if not re.fullmatch(r"[0-2]\d:[0-5]\d", time):
        raise BadShop(parts["time"], 'a time is written "09:00"')
    services = ", ".join(sorted(_text(parts["services"]).split(", ")))
    return Booked(_text(parts["client"]), services, _day(parts["day"]), time, _text(parts["staff"]))


def _mapping(node: yaml.Node, *known: str, whole: bool = False) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise BadShop(node, f"must be a mapping of {', '.join(known)}")
    found = {str(key.value): value for key, value in node.value}
    for key, _ in node.value:
        if key.value not in known:
            raise BadShop(key, f"unknown key {key.value!r}; known: {', '.join(known)}")
    if whole and (missing := [name for name in known if name not in found]):
        raise BadShop(node, f"{', '.join(missing)} must be given")
    return found


def _list(node: yaml.Node | None) -> list[yaml.Node]:
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise BadShop(node, "must be a list")
    return list(node.value)


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
        raise BadShop(node, "must be some text")
    return str(node.value).strip()


def _day(node: yaml.Node) -> int:
    text = _text(node)
    if not re.fullmatch(r"\+\d{1,3}", text):
        raise BadShop(node, "a day is written +1: so many days after the call's")
    return int(text)


def _flag(node: yaml.Node | None) -> bool:
    text = "false" if node is None else _text(node)
    if node is not None and text not in ("true", "false"):
        raise BadShop(node, "is true or false")
    return text == "true"
