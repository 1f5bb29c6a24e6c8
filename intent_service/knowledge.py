"""Finds the answer to a question in a knowledge file: the nearest of its questions, by meaning and by words.

Nearness alone does not tell whether a question was meant: of sentences that are about as near to two answers, one is
wrong. So what counts is nearness and lead over the next answer together; who asks with less is asked whether that was
the question, and what is far from all of them is not found (`benchmarks/intents.md` has the figures).
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intent_service.encoder import Encoder
from intent_service.features import FeatureVocabulary, blocks
from intent_service.language import encoder_reading
from intent_service.normalise import normalise
from knowledge_file import BadKnowledge, KnownAnswer, read_knowledge
from yaml_text import NotUtf8, read_utf8

log = logging.getLogger(__name__)

MEANING_SHARE = 0.8
"""Of nearness by meaning, where there is an encoder; the rest is nearness by words."""
FOUND, SURE = 0.38, 0.82
"""From which nearness on an entry is an answer, and from which nearness and lead together it certainly is one. Chosen
on the French questions with three headings each, so that at most five of a hundred sure answers are wrong."""


@dataclass(frozen=True)
class Found:
    """An entry, how near it is, 0 to 1, and how much nearer than the next one."""

    entry: KnownAnswer
    score: float
    lead: float

    @property
    def is_answer(self) -> bool:
        """Whether it is near enough to be one at all."""
        return self.score >= FOUND

    @property
    def is_sure(self) -> bool:
        """Whether it is certainly what was asked."""
        return self.is_answer and self.score + self.lead >= SURE


class Knowledge:
    """The entries of one file, ready to be asked. Several threads may ask."""

    def __init__(self, entries: tuple[KnownAnswer, ...], language: str, encoder: Encoder | None) -> None:
        self._entries = entries
        self._language = language
        self._encoder = encoder
        questions = [question for entry in entries for question in entry.questions]
        self._owner = np.array([number for number, entry in enumerate(entries) for _ in entry.questions])
        normalised = [normalise(question, language) for question in questions]
        self._words = _vocabulary(normalised, language)
        self._rows = np.stack([self._by_words(text) for text in normalised])
        self._meanings = encoder.encode([encoder_reading(one) for one in questions]) if encoder is not None else None

    def look_up(self, question: str) -> Found:
        """The nearest entry."""
        near = self._rows @ self._by_words(normalise(question, self._language))
        if self._encoder is not None and self._meanings is not None:
            meant = self._meanings @ self._encoder.encode([encoder_reading(question)])[0]
            near = MEANING_SHARE * meant + (1 - MEANING_SHARE) * near
        best = np.full(len(self._entries), -1.0)
        np.maximum.at(best, self._owner, near)
        first = int(best.argmax())
        score = min(max(float(best[first]), 0.0), 1.0)
        next_one = max((float(one) for number, one in enumerate(best) if number != first), default=0.0)
        return Found(self._entries[first], score, max(0.0, score - max(next_one, 0.0)))

    def _by_words(self, text: str) -> NDArray[np.float32]:
        """A vector of a normalised text, as long as the share of its words that stand in some question."""
        row = np.zeros(len(self._words.idf), np.float32)
        columns, values = self._words.vector(text)
        row[columns] = values
        length = float(np.linalg.norm(row))
        return row * (self._words.known_share(text) / length) if length else row


def _vocabulary(texts: list[str], language: str) -> FeatureVocabulary:
    columns: dict[str, int] = {}
    documents: Counter[int] = Counter()
    for text in texts:
        names = {block + feature for block, features in blocks(text, language).items() for feature in features}
        documents.update(columns.setdefault(name, len(columns)) for name in sorted(names))
    counts = np.array([documents[column] for column in range(len(columns))], np.float32)
    return FeatureVocabulary(language, columns, (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float32))


@dataclass
class KnowledgeFiles:
    """The knowledge files beside the flows, read when they are first asked and again when they have changed. A file
    that cannot be read, or is bad, leaves what it had before in force."""

    flows: Path
    encoder: Encoder | None
    refused: dict[str, str] = field(default_factory=dict)
    """File -> why its newest text is not in force."""
    _kept: dict[str, tuple[tuple[int, int], Knowledge | None]] = field(default_factory=dict)

    def of(self, language: str, name: str) -> Knowledge | None:
        """The knowledge of `<language>/<name>.md`; None where there is none. Encodes its questions when it is new."""
        file = f"{language}/{name}"
        path = self.flows / f"{file}.md"
        try:
            status = path.stat()
        except OSError:
            self._kept.pop(file, None)
            return None
        stamp = (status.st_mtime_ns, status.st_size)
        before = self._kept.get(file)
        if before is not None and before[0] == stamp:
            return before[1]
        knowledge: Knowledge | None
        try:
            knowledge = Knowledge(read_knowledge(read_utf8(path)), language, self.encoder)
        except (BadKnowledge, NotUtf8, OSError) as error:
            self.refused[file] = str(error)
            log.error("knowledge refused, the old one stays", extra={"path": file, "reason": str(error)})
            knowledge = before[1] if before is not None else None
        else:
            self.refused.pop(file, None)
            log.info("knowledge in force", extra={"path": file})
        self._kept[file] = (stamp, knowledge)
        return knowledge
