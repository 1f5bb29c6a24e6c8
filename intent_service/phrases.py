"""Turns `intents.yaml` and `faqs.yaml` into phrase sets, or says every fault with its file and line. Pure: text in.

A file has `language`, `intents`, and may have `words` (kinds of words, such as towns) and `polite` (words that change
no meaning). An intent has `description`, `phrases`, and may have `only` (a sentence made of nothing but these means the
intent), `has` (a sentence with one of these means the intent) and `strict: true` (it ends the call or cannot be taken
back, so more certainty is asked for).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from intent_service.normalise import LANGUAGES
from yaml_text import compose

NO_MATCH = "no_match"
_TOP_KEYS = {"language", "intents", "words", "polite"}
_INTENT_KEYS = {"description", "phrases", "only", "has", "strict"}
_MAX_PHRASE_CHARACTERS = 300


class BadPhrases(ValueError):
    """One line per fault: `file:line: where: reason`."""


@dataclass(frozen=True)
class Intent:
    """One intent as its author wrote it."""

    name: str
    description: str
    groups: tuple[tuple[str, ...], ...]
    """Phrases; those that say the same in nearly the same words are one group."""
    only: tuple[str, ...] = ()
    """Words and expressions; a sentence made of nothing else means this intent."""
    has: tuple[str, ...] = ()
    """Kinds of words; a sentence that holds one means this intent."""
    strict: bool = False
    """Whether a wrong recognition costs more than asking again."""
    line: int = 0

    @property
    def phrases(self) -> tuple[str, ...]:
        """All phrases."""
        return tuple(phrase for group in self.groups for phrase in group)


@dataclass(frozen=True)
class PhraseSet:
    """The intents of one file."""

    language: str
    intents: tuple[Intent, ...]
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind of word -> the words of that kind."""
    polite: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The intents' names in the file's order."""
        return tuple(intent.name for intent in self.intents)


def read_phrase_set(text: str, file: str) -> PhraseSet:
    """The phrase set in a YAML text. Raises BadPhrases with every fault; `file` is the name put into them."""
    reader = _Reader(file)
    root = reader.compose(text)
    top = reader.mapping(root, "the file", _TOP_KEYS) if root else {}
    language = reader.text(top["language"], "language") if "language" in top else ""
    if root and language not in LANGUAGES:
        reader.fault(top.get("language", root), "language", f"must be one of {', '.join(LANGUAGES)}")
    words = {
        kind: tuple(reader.texts(node, f"words.{kind}"))
        for kind, node in (reader.mapping(top["words"], "words").items() if "words" in top else ())
    }
    polite = tuple(reader.texts(top["polite"], "polite")) if "polite" in top else ()
    if root and "intents" not in top:
        reader.fault(root, "the file", "`intents` is missing")
    intents = [
        _intent(reader, name, node)
        for name, node in (reader.mapping(top["intents"], "intents").items() if "intents" in top else ())
    ]
    if root and "intents" in top and len(intents) < 2:
        reader.fault(top["intents"], "intents", "at least two intents are needed")
    reader.raise_faults()
    return PhraseSet(language, tuple(intents), words, polite)


def read_sentences(text: str, file: str) -> tuple[tuple[str, ...], ...]:
    """The groups of sentences of an out-of-scope file. Raises BadPhrases."""
    reader = _Reader(file)
    root = reader.compose(text)
    top = reader.mapping(root, "the file", {"language", "phrases"}) if root else {}
    groups = reader.groups(top["phrases"], "phrases") if "phrases" in top else []
    if root and not groups:
        reader.fault(root, "the file", "`phrases` is missing or empty")
    reader.raise_faults()
    return tuple(groups)


def _intent(reader: _Reader, name: str, node: yaml.Node) -> Intent:
    fields = reader.mapping(node, f"intent {name}", _INTENT_KEYS)
    if not name.replace("_", "").isalnum() or not name.isascii() or name == NO_MATCH:
        reader.fault(node, f"intent {name}", "a name is letters, digits and _; `no_match` is taken")
    groups = reader.groups(fields["phrases"], f"intent {name}") if "phrases" in fields else []
    if sum(map(len, groups)) < 3:
        reader.fault(node, f"intent {name}", "at least three phrases are needed (25 to 30 are good)")
    for group, mark in zip(groups, reader.marks(fields.get("phrases")), strict=False):
        for phrase in group:
            reader.remember(phrase, name, mark)
    strict = reader.text(fields["strict"], f"intent {name}.strict") if "strict" in fields else "false"
    if strict not in {"true", "false"}:
        reader.fault(fields["strict"], f"intent {name}", "`strict` must be true or false")
    return Intent(
        name,
        reader.text(fields["description"], f"intent {name}.description") if "description" in fields else "",
        tuple(groups),
        tuple(reader.texts(fields["only"], f"intent {name}.only")) if "only" in fields else (),
        tuple(reader.texts(fields["has"], f"intent {name}.has")) if "has" in fields else (),
        strict == "true",
        node.start_mark.line,
    )


class _Reader:
    """Walks YAML nodes, keeping every fault with its line. All scalars are text: `yes` and `no` stay words."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._faults: list[tuple[int, str]] = []
        self._phrases: dict[str, tuple[str, int]] = {}

    def fault(self, node: yaml.Node, where: str, reason: str) -> None:
        self._fault_at(node.start_mark.line + 1, where, reason)

    def _fault_at(self, line: int, where: str, reason: str) -> None:
        self._faults.append((line, f"{self._file}:{line}: {where}: {reason}"))

    def raise_faults(self) -> None:
        if self._faults:
            raise BadPhrases("\n".join(text for _, text in sorted(self._faults)))

    def compose(self, text: str) -> yaml.Node | None:
        try:
            node = compose(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            self._fault_at(mark.line + 1 if mark else 1, "YAML", error.problem or "cannot be read")
            return None
        except yaml.YAMLError as error:
            self._fault_at(1, "YAML", str(error))
            return None
        if node is None:
            self._fault_at(1, "the file", "is empty")
        return node

    def mapping(self, node: yaml.Node, where: str, known: set[str] | None = None) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, where, "must be a mapping (`name: ...`)")
            return {}
        result: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key, where)
            if name in result:
                self.fault(key, where, f"`{name}` stands twice")
            if known is not None and name not in known:
                self.fault(key, where, f"`{name}` is unknown; known: {', '.join(sorted(known))}")
            result[name] = value
        return result

    def text(self, node: yaml.Node, where: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self.fault(node, where, "must be text")
            return ""
        if len(node.value) > _MAX_PHRASE_CHARACTERS:
            self.fault(node, where, f"is longer than {_MAX_PHRASE_CHARACTERS} characters")
        return " ".join(str(node.value).split())

    def texts(self, node: yaml.Node, where: str) -> list[str]:
        if not isinstance(node, yaml.SequenceNode):
            self.fault(node, where, "must be a list")
            return []
        return [self.text(item, where) for item in node.value]

    def groups(self, node: yaml.Node, where: str) -> list[tuple[str, ...]]:
        if not isinstance(node, yaml.SequenceNode):
            self.fault(node, where, "`phrases` must be a list")
            return []
        return [
            tuple(self.texts(item, where)) if isinstance(item, yaml.SequenceNode) else (self.text(item, where),)
            for item in node.value
        ]

    def marks(self, node: yaml.Node | None) -> list[int]:
        return [item.start_mark.line + 1 for item in node.value] if isinstance(node, yaml.SequenceNode) else []

    def remember(self, phrase: str, intent: str, line: int) -> None:
        first = self._phrases.setdefault(phrase.lower(), (intent, line))
        if first != (intent, line) and phrase:
            whose = "again" if first[0] == intent else f"also in intent {first[0]}"
            self._fault_at(line, f"intent {intent}", f"phrase `{phrase}` stands {whose} (line {first[1]})")
