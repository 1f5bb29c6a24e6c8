"""Reads the tables of a flow file: slots, answers to FAQs, language, region, time zone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from yaml.nodes import Node, ScalarNode, SequenceNode

import forms
from dialogue.flow import Slot, Wording
from dialogue.flow_names import Names
from dialogue.flow_yaml import likely
from dialogue.offers import OPTIONS
from dialogue.slots import MOST_DIGITS, MOST_INTEGER, MOST_MONEY, MOST_NOTE, SLOT_TYPES, SlotType
from dialogue.slots.lexicon import LEXICONS, lexicon_of
from dialogue.slots.regions import KNOWN_REGIONS, currency_of
from dialogue.values.templates import BadTemplate, fields_of
from dialogue.values.value_types import CURRENCIES

SLOT_KEYS = (
    "type", "choices", "say_as", "length", "corrected", "range", "from", "by", "offer", "needs", "several",
    "currency",
)  # fmt: skip


class Tables:
    """Reads tables; names that they hold are checked against `names`."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.reader = names.reader
        self.lists: list[tuple[str, Node, str, tuple[str, ...]]] = []
        """Slots that are chosen from a list: slot, where it stands, list, fields that are said."""

    def slot(self, name: str, node: Node) -> Slot:
        reader = self.reader
        entries = {"type": node} if isinstance(node, ScalarNode) else reader.mapping(
            node, f"slot {name}", SLOT_KEYS
        )  # fmt: skip
        kind = reader.text(entries["type"], "type") if "type" in entries else ""
        if kind not in SLOT_TYPES:
            reader.fault(node, f"slot {name} has type {kind or 'none'}; there are {', '.join(SLOT_TYPES)}")
            return Slot(name, "digits")
        slot_type: SlotType = next(known for known in SLOT_TYPES if known == kind)
        is_listed = slot_type == "choice" and "from" in entries
        choices = reader.choices(entries, node, f"slot {name}", slot_type == "choice" and not is_listed)
        say_as = {}
        if "say_as" in entries:
            for value, prompt in reader.mapping(entries["say_as"], "say_as").items():
                if choices and value not in choices:
                    reader.fault(prompt, f"slot {name} has no choice {value}{likely(value, choices)}")
                say_as[value] = next(iter(self.names.say(prompt, "say_as")), "")
        length = (1, MOST_NOTE if slot_type == "note" else MOST_DIGITS)
        if "length" in entries and slot_type == "note":
            length = (1, reader.whole(entries["length"], "length", 1, MOST_NOTE))
        elif "length" in entries:
            length = self.length(entries["length"])
        if "length" in entries and slot_type not in ("digits", "note"):
            reader.fault(entries["length"], f"slot {name}: length belongs to the types digits and note")
        corrected = self.names.state_name(entries["corrected"], "corrected") if "corrected" in entries else ""
        most = MOST_MONEY if slot_type == "money" else MOST_INTEGER
        ends = (0, most)
        if "range" in entries:
            listed_ends = [reader.whole(end, "range", 0, most) for end in reader.items(entries["range"])]
            ends = (listed_ends[0], listed_ends[-1])
            if slot_type not in ("integer", "money") or len(listed_ends) != 2 or ends[0] > ends[1]:
                reader.fault(entries["range"], f"slot {name}: range is [least, most] of the types integer and money")
        currency = self.currency(name, entries, slot_type)
        slot = Slot(name, slot_type, choices, say_as, length, corrected, ends, currency=currency)
        return self.listed(slot, node, entries)

    def currency(self, name: str, entries: Mapping[str, Node], slot_type: SlotType) -> str:
        """That of a slot of money: the one it names, or the region's; empty for other types."""
        given = self.reader.text(entries["currency"], "currency") if "currency" in entries else ""
        if given and (slot_type != "money" or given not in CURRENCIES):
            self.reader.fault(
                entries["currency"], f"slot {name}: currency ({', '.join(CURRENCIES)}) belongs to the type money"
            )
            given = ""
        return given or currency_of(self.names.where.region) if slot_type == "money" else ""

    def listed(self, slot: Slot, node: Node, entries: Mapping[str, Node]) -> Slot:
        """A slot that is chosen from a list: which, how one is said, and by what it may be named."""
        reader = self.reader
        for key in ("by", "offer", "needs", "several"):
            if key in entries and "from" not in entries:
                reader.fault(entries[key], f"slot {slot.name}: {key} belongs to a choice from a list")
        if "from" not in entries:
            return slot
        if slot.type != "choice":
            reader.fault(entries["from"], f"slot {slot.name}: from belongs to the type choice")
        if "say_as" in entries:
            reader.fault(entries["say_as"], f"slot {slot.name} is said as it is offered: no say_as")
        if "offer" not in entries:
            reader.fault(node, f'slot {slot.name} needs offer: how one of the list is said, as "{{start}}"')
            return slot
        offer = reader.text(entries["offer"], "offer")
        try:
            said = tuple(dict.fromkeys(field.name for field in fields_of(offer)))
        except BadTemplate as error:
            reader.fault(entries["offer"], str(error))
            said = ()
        by = reader.texts(entries["by"], "by") if "by" in entries else ()
        source = reader.text(entries["from"], "from")
        self.lists.append((slot.name, entries["from"], source, said))
        needs = reader.texts(entries["needs"], "needs") if "needs" in entries else ()
        several = reader.flag(entries["several"], "several") if "several" in entries else False
        by_all = tuple(dict.fromkeys((*by, *said)))
        return replace(slot, source=source, by=by_all, offer=offer, needs=needs, several=several)

    def check_listed(self) -> None:
        """Whether the lists that slots are chosen from are there, with the fields that are said."""
        names = self.names
        for name, node, source, said in self.lists:
            variable, slot = names.variables.get(source), names.slots[name]
            lists = [other for other, one in names.variables.items() if one.type.kind == "list"]
            if variable is None or variable.type.kind != "list":
                self.reader.fault(node, f"slot {name}: no list {source}{likely(source, lists)}: an action gives one")
                names.slots[name] = replace(slot, source="")
                continue
            fields = variable.type.fields
            if not said:
                self.reader.fault(node, f"slot {name}: offer says no field of {source}")
            for field in (*slot.by, *slot.needs):
                if field not in fields:
                    self.reader.fault(node, f"slot {name}: {source} has no field {field}{likely(field, fields)}")
            for field in {OPTIONS, "count"} & set(fields):
                self.reader.fault(node, f"slot {name}: a field of {source} cannot be called {field}")
            for other in names.variables:
                if other.startswith(f"{name}."):
                    self.reader.fault(node, f"slot {name}: {other} is there already")

    def length(self, node: Node) -> tuple[int, int]:
        """How many digits: one number, or the fewest and the most."""
        reader = self.reader
        ends = reader.items(node) if isinstance(node, SequenceNode) else (node,)
        sizes = [reader.whole(end, "length", 1, MOST_DIGITS) for end in ends]
        if not 1 <= len(sizes) <= 2 or sizes[0] > sizes[-1]:
            reader.fault(node, "length must be a number of digits, or [fewest, most]")
            return 1, MOST_DIGITS
        return sizes[0], sizes[-1]

    def faqs(self, node: Node) -> dict[str, Wording]:
        reader = self.reader
        found = {}
        for name, say in reader.mapping(node, "faqs").items():
            if name not in self.names.known.faqs and not self.names.known.any_intent:
                reader.fault(say, f"unknown FAQ {name}{likely(name, self.names.known.faqs)}")
            found[name] = self.names.say(say, name)
        missing = sorted(self.names.known.faqs - set(found), key=lambda name: (len(name), name))
        if missing:
            reader.fault(node, f"no answer for {', '.join(missing)}")
        return found

    def dead_air(self, node: Node) -> tuple[int, Wording]:
        entries = self.reader.mapping(node, "dead_air", ("after_ms", "say"))
        after = self.reader.whole(entries["after_ms"], "after_ms", 500, 3_000) if "after_ms" in entries else 1_800
        return after, self.names.say(entries["say"], "dead_air say") if "say" in entries else ()

    def language(self, node: Node) -> str:
        """One that slots and yes and no are understood in, and that of the folder, where prompts and intents are."""
        name = self.reader.form(node, "language", forms.is_language, "no language code such as fr or fr-FR")
        folder = self.names.known.language
        if folder and name != folder:
            self.reader.fault(node, f"language {name} in the folder {folder}: other prompts and intents")
        try:
            lexicon_of(name)
        except ValueError:
            languages = ", ".join(sorted(LEXICONS))
            self.reader.fault(node, f"language {name} is not understood; there are {languages}")
        return name

    def region(self, node: Node) -> str:
        """A country whose telephone numbers are known."""
        name = self.reader.text(node, "region").upper()
        if name not in KNOWN_REGIONS:
            self.reader.fault(node, f"unknown region {name}: a country's two letters are needed, as in FR, IT, GB")
        return name

    def timezone(self, node: Node) -> str:
        name = self.reader.text(node, "timezone")
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            self.reader.fault(node, f"unknown timezone {name}")
        return name
