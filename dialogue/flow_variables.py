"""Reads what a flow remembers besides its slots: constants, facts that are passed in, variables that steps set. Pure.

constants: {shop: Atelier du Nord, free_from: {type: money, currency: EUR, value: 50}}
facts:     {campaign: text, customer: {type: digits, default: "0"}}      # call.campaign, call.customer
variables: {reason: {type: choice, choices: {late: [en retard], lost: [perdue]}}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from yaml.nodes import MappingNode, Node, ScalarNode

from dialogue.flow import Origin, Variable
from dialogue.flow_names import Names
from dialogue.flow_yaml import likely
from dialogue.values.value_types import CURRENCIES, VALUE_KINDS, BadValue, ValueKind, ValueType, stored
from dialogue.variables import OWNERS

TABLES_OF_VARIABLES: tuple[tuple[str, Origin], ...] = (
    ("constants", "constant"),
    ("facts", "fact"),
    ("variables", "set"),
)
TYPE_KEYS = ("type", "choices", "currency", "default", "value")
A_NAME = re.compile(r"[a-z_][a-z0-9_]{0,60}")


class VariableTables:
    """Reads tables of variables into `names`."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.reader = names.reader

    def read(self, node: Node, what: str, origin: Origin) -> None:
        """One table; each name stands for one thing in the whole file."""
        for name, entry in self.reader.mapping(node, what).items():
            full = f"call.{name}" if origin == "fact" else name
            if not A_NAME.fullmatch(name) or name in OWNERS:
                self.reader.fault(entry, f"{name} cannot be a variable: small letters, digits and _, and not {OWNERS}")
            elif full in self.names.variables or full in self.names.slots:
                self.reader.fault(entry, f"{full} is there already")
            else:
                self.names.variables[full] = self.variable(name, entry, origin)

    def variable(self, name: str, node: Node, origin: Origin) -> Variable:
        """One variable. A constant may be a bare text."""
        if isinstance(node, ScalarNode) and origin == "constant":
            return Variable(ValueType("text"), origin, self.reader.text(node, name), always=True)
        if origin == "set" and self._is_list(node):
            return Variable(self.list_type(name, node, self.reader.mapping(node, name, ("type", "fields"))), origin)
        kind = self.type(name, node)
        given = "value" if origin == "constant" else "default"
        entries = {} if isinstance(node, ScalarNode) else self.reader.mapping(node, name)
        if origin == "constant" and "value" not in entries:
            self.reader.fault(node, f"constant {name} needs value")
        for key in {"value", "default"} - {given}:
            if key in entries:
                self.reader.fault(entries[key], f"{name} has no key {key}: it is a {origin}")
        default = self.value(name, entries[given], kind) if given in entries else ""
        return Variable(kind, origin, default, always=bool(default))

    def _is_list(self, node: Node) -> bool:
        entries = self.reader.mapping(node, "variable") if isinstance(node, MappingNode) else {}
        return "type" in entries and self.reader.text(entries["type"], "type") == "list"

    def list_type(self, name: str, node: Node, entries: Mapping[str, Node]) -> ValueType:
        """A list with the fields of its records."""
        if "fields" not in entries:
            self.reader.fault(node, f"{name} is a list and needs fields: what each of its records has")
            return ValueType("list")
        fields = self.reader.mapping(entries["fields"], f"fields of {name}")
        return ValueType("list", fields={one: self.type(one, entry) for one, entry in fields.items()})

    def value(self, name: str, node: Node, kind: ValueType) -> str:
        """A value of a type, as it is kept."""
        try:
            return stored(kind, self.reader.text(node, name), self.names.where)
        except BadValue as error:
            self.reader.fault(node, f"{name} {error}")
            return ""

    def type(self, name: str, node: Node, more: tuple[str, ...] = ()) -> ValueType:
        """A type: its name, or a mapping with what belongs to it; `more` keys are read by others."""
        reader = self.reader
        entries = {"type": node} if isinstance(node, ScalarNode) else reader.mapping(node, name, (*TYPE_KEYS, *more))
        given = reader.text(entries["type"], "type") if "type" in entries else ""
        scalar_kinds: tuple[ValueKind, ...] = tuple(kind for kind in VALUE_KINDS if kind != "list")
        kind = next((kind for kind in scalar_kinds if kind == given), None)
        if kind is None:
            known = ", ".join(scalar_kinds)
            reader.fault(node, f"{name} has type {given or 'none'}{likely(given, scalar_kinds)}; there are {known}")
            return ValueType("text")
        choices = reader.choices(entries, node, name, kind == "choice")
        currency = reader.text(entries["currency"], "currency") if "currency" in entries else ""
        if (kind == "money") != (currency in CURRENCIES):
            reader.fault(node, f"{name}: money needs a currency ({', '.join(CURRENCIES)}), and nothing else has one")
        return ValueType(kind, choices, currency)
