"""Reads YAML nodes as typed values and collects every fault with its line, instead of stopping at the first. Pure.

Scalars are read as written: `yes`, `no` and `on` are words here, never booleans.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from yaml_text import compose

TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file. `state` is empty outside of states; `line` counts from 1."""

    file: str
    line: int
    state: str
    reason: str

    def __str__(self) -> str:
        place = f"state {self.state}: " if self.state else ""
        return f"{self.file}:{self.line}: {place}{self.reason}"


def line_of(node: Node) -> int:
    """The line on which a node begins."""
    return int(node.start_mark.line) + 1


def line_of_key(node: Node) -> int:
    """The line of the key that a node stands behind: the one before, unless a mapping stands within {}."""
    return line_of(node) - (1 if isinstance(node, MappingNode) and not node.flow_style else 0)


def likely(name: str, known: Iterable[str]) -> str:
    """`, did you mean x?` when something known is close, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f", did you mean {close[0]}?" if close else ""


@dataclass
class Reader:
    """Reads the nodes of one file. `state` is the one being read; faults gather in `faults`."""

    file: str
    state: str = ""
    faults: list[Fault] = field(default_factory=list)

    def fault(self, node: Node | int, reason: str) -> None:
        """Notes what is wrong at a node or line."""
        line = node if isinstance(node, int) else line_of(node)
        self.faults.append(Fault(self.file, line, self.state, reason))

    def document(self, text: str) -> Node | None:
        """The root node, or None with a fault when the text is no YAML."""
        try:
            root = compose(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or str(error)
            self.fault(1 if mark is None else mark.line + 1, f"no YAML: {problem}")
            return None
        if root is None:
            self.fault(1, "the file is empty")
        return root

    def mapping(self, node: Node, what: str, known: Iterable[str] | None = None) -> dict[str, Node]:
        """The entries of a mapping by key; keys outside of `known` are faults and left out."""
        if not isinstance(node, MappingNode):
            self.fault(node, f"{what} must be a mapping (key: value)")
            return {}
        keys = None if known is None else list(known)
        found: dict[str, Node] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, ScalarNode):
                self.fault(key_node, f"a key of {what} must be a word")
                continue
            key = str(key_node.value)
            if key in found:
                self.fault(key_node, f"{what} has {key} twice")
            elif keys is not None and key not in keys:
                self.fault(key_node, f"{what} has no key {key}{likely(key, keys)}")
            else:
                found[key] = value
        return found

    def keys(self, node: Node) -> frozenset[str]:
        """The keys of a mapping; none of anything else."""
        return frozenset(str(key.value) for key, _ in node.value) if isinstance(node, MappingNode) else frozenset()

    def text(self, node: Node, what: str) -> str:
        """A non-empty scalar."""
        if not isinstance(node, ScalarNode) or not str(node.value).strip():
            self.fault(node, f"{what} must be a text")
            return ""
        return str(node.value)

    def form(self, node: Node, what: str, fits: Callable[[str], bool], otherwise: str) -> str:
        """A scalar of a form; `otherwise` says what it is when it has not."""
        text = self.text(node, what)
        if text and not fits(text):
            self.fault(node, f"{what} {text!r} is {otherwise}")
        return text

    def choices(
        self, entries: Mapping[str, Node], node: Node, what: str, is_choice: bool
    ) -> dict[str, tuple[str, ...]]:
        """What `choices` of a typed thing lists, value by value with its words; only the type choice has any."""
        choices: dict[str, tuple[str, ...]] = {}
        if "choices" in entries:
            listed = self.mapping(entries["choices"], "choices")
            choices = {value: self.texts(words, f"choice {value}") for value, words in listed.items()}
        if is_choice != bool(choices):
            self.fault(node, f"{what}: choices belong to the type choice")
        return choices

    def texts(self, node: Node, what: str) -> tuple[str, ...]:
        """One scalar, or a list of scalars."""
        if isinstance(node, SequenceNode):
            return tuple(text for item in node.value if (text := self.text(item, f"each entry of {what}")))
        return (text,) if (text := self.text(node, what)) else ()

    def items(self, node: Node) -> list[Node]:
        """The entries of a list; anything else is a list of one."""
        return list(node.value) if isinstance(node, SequenceNode) else [node]

    def whole(self, node: Node, what: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`; `low` when it is none."""
        return int(self._number(node, what, low, high, whole=True))

    def number(self, node: Node, what: str, low: float, high: float) -> float:
        """A number from `low` to `high`; `low` when it is none."""
        return self._number(node, what, low, high, whole=False)

    def flag(self, node: Node, what: str) -> bool:
        """True or false."""
        word = str(node.value).lower() if isinstance(node, ScalarNode) else ""
        if word not in TRUE + FALSE:
            self.fault(node, f"{what} must be true or false")
        return word in TRUE

    def _number(self, node: Node, what: str, low: float, high: float, whole: bool) -> float:
        written = str(node.value) if isinstance(node, ScalarNode) else ""
        try:
            value = int(written.replace("_", "")) if whole else float(written)
        except ValueError:
            self.fault(node, f"{what} must be a {'whole ' if whole else ''}number, not {written or 'this'}")
            return low
        if not low <= value <= high:
            self.fault(node, f"{what} must be from {low:g} to {high:g}, not {written}")
            return low
        return value
