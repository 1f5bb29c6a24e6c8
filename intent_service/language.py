"""Turns a language's folder of phrase files into one training set: main intents and questions together.

One classifier knows both sets, so that a question asked of the main set is recognised as a question and answered
`no_match`, and the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intent_service.encoder import Encoder
from intent_service.groups import paraphrase_groups
from intent_service.normalise import normalise, plain
from intent_service.phrases import BadPhrases, PhraseSet, read_phrase_set, read_sentences
from intent_service.training import Samples

MAIN, FAQS, OUT_OF_SCOPE = "intents.yaml", "faqs.yaml", "out_of_scope.yaml"


@dataclass(frozen=True)
class LanguageData:
    """The phrase files of one language."""

    name: str
    main: PhraseSet
    faqs: PhraseSet | None
    strangers: tuple[str, ...]
    """Sentences that mean none of the intents; used for thresholds only."""
    source: str
    """The files' texts, for hashing."""

    @property
    def sets(self) -> tuple[PhraseSet, ...]:
        """Main set first."""
        return (self.main,) if self.faqs is None else (self.main, self.faqs)

    @property
    def classes(self) -> tuple[str, ...]:
        """All intents, main ones first."""
        return tuple(name for one in self.sets for name in one.names)

    def normaliser(self) -> Normaliser:
        """How sentences of this language are made plain."""
        kinds = {
            "".join(plain(word).split("'")): kind
            for one in self.sets
            for kind, words in one.words.items()
            for word in words
        }
        return Normaliser(self.name, kinds)

    def samples(self, encoder: Encoder | None) -> Samples:
        """All phrases as training samples."""
        normaliser = self.normaliser()
        texts: list[str] = []
        labels: list[int] = []
        groups: list[int] = []
        for label, intent in enumerate(intent for one in self.sets for intent in one.intents):
            normalised = [normaliser(phrase) for phrase in intent.phrases]
            for text, group in zip(normalised, paraphrase_groups(intent, normalised), strict=True):
                if text:  # a phrase of nothing but fillers teaches nothing
                    texts.append(text)
                    labels.append(label)
                    groups.append(label * 100_000 + group)
        return as_samples(self.name, texts, labels, self.classes, groups, encoder)


@dataclass(frozen=True)
class Normaliser:
    """`normalise` for one language with its kinds of words."""

    language: str
    kinds: dict[str, str]

    def __call__(self, text: str) -> str:
        return normalise(text, self.language, self.kinds)


def as_samples(
    language: str, texts: list[str], labels: list[int], classes: tuple[str, ...], groups: list[int], encoder: Encoder | None
) -> Samples:
    """Normalised texts with their embeddings."""
    return Samples(
        language,
        texts,
        encoder.encode(texts) if encoder is not None and texts else None,
        np.asarray(labels, np.int64),
        classes,
        np.asarray(groups, np.int64),
    )


def read_language(flows: Path, name: str) -> LanguageData:
    """Reads `flows/<name>/`. Raises BadPhrases with every fault of every file; a missing main file is a fault."""
    faults: list[str] = []
    texts: dict[str, str] = {}
    sets: dict[str, PhraseSet] = {}
    strangers: tuple[str, ...] = ()
    for file in (MAIN, FAQS, OUT_OF_SCOPE):
        path = flows / name / file
        shown = f"{flows.name}/{name}/{file}"
        try:
            texts[file] = path.read_text(encoding="utf-8")
            if file == OUT_OF_SCOPE:
                strangers = read_sentences(texts[file], shown)
            else:
                sets[file] = read_phrase_set(texts[file], shown)
                if sets[file].language != name:
                    faults.append(f"{shown}:1: language: `{sets[file].language}` in the folder of `{name}`")
        except FileNotFoundError:
            if file == MAIN:
                faults.append(f"{shown}:1: the file is missing")
        except (BadPhrases, UnicodeDecodeError, OSError) as error:
            faults.append(str(error))
    if MAIN in sets and FAQS in sets:
        both = set(sets[MAIN].names) & set(sets[FAQS].names)
        faults += [f"{flows.name}/{name}/{FAQS}:1: intent {one}: stands in {MAIN} too" for one in sorted(both)]
    if faults:
        raise BadPhrases("\n".join(faults))
    return LanguageData(name, sets[MAIN], sets.get(FAQS), strangers, "\0".join(f"{k}\0{v}" for k, v in sorted(texts.items())))
