"""Turns a language's folder of phrase files into one training set: main intents and questions together.

One classifier knows both sets, so that a question asked of the main set is recognised as a question and answered
`no_match`, and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intent_service.encoder import Encoder
from intent_service.groups import paraphrase_groups
from intent_service.noise import Noise, garble
from intent_service.normalise import LANGUAGES, normalise, plain
from intent_service.phrases import BadPhrases, Intent, PhraseSet, read_phrase_set, read_sentences
from yaml_text import NotUtf8, read_utf8

if TYPE_CHECKING:
    from intent_service.training import TrainingSamples

STRANGER = "(stranger)"
"""The class of sentences that mean none of the intents; never answered."""
_APOSTROPHES = re.compile("[\u2018\u2019\u02bc\u0060\u00b4]")
_NOT_READ = re.compile(r"[^\w' -]")
MAIN, FAQS, OUT_OF_SCOPE = "intents.yaml", "faqs.yaml", "out_of_scope.yaml"


@dataclass(frozen=True)
class Kin:
    """Phrases of another language for intents that both languages have in their main sets."""

    language: str
    intents: tuple[Intent, ...]


@dataclass(frozen=True)
class LanguageData:
    """The phrase files of one language."""

    name: str
    main: PhraseSet
    faqs: PhraseSet | None
    strangers: tuple[tuple[str, ...], ...]
    """Groups of sentences that mean none of the intents."""
    source: str
    """The files' texts, for hashing."""
    kin: tuple[Kin, ...] = ()
    """The same intents in the other languages: the encoder puts a sentence and its translation close together."""

    @property
    def sets(self) -> tuple[PhraseSet, ...]:
        """Main set first."""
        return (self.main,) if self.faqs is None else (self.main, self.faqs)

    @property
    def classes(self) -> tuple[str, ...]:
        """All intents, main ones first; last, where there are strangers, what stands for them."""
        names = tuple(name for one in self.sets for name in one.names)
        return (*names, STRANGER) if self.strangers else names

    def members(self, one: PhraseSet) -> NDArray[np.bool_]:
        """Which of `classes` are intents of a set."""
        return np.isin(self.classes, one.names)

    def normaliser(self) -> Normaliser:
        """How sentences of this language are made plain."""
        kinds = {
            "".join(plain(word).split("'")): kind
            for one in self.sets
            for kind, words in one.words.items()
            for word in words
        }
        return Normaliser(self.name, kinds)

    def samples(self, encoder: Encoder | None, noise: Noise | None = None, seed: int = 0) -> TrainingSamples:
        """All phrases and strangers as training samples; with `noise` garbled (French), in the same order."""
        normaliser = self.normaliser()
        generator = np.random.default_rng(seed)
        texts: list[str] = []
        readings: list[str] = []
        labels: list[int] = []
        groups: list[int] = []
        intents = [intent for one in self.sets for intent in one.intents]
        if self.strangers:
            intents.append(Intent(STRANGER, "", self.strangers))
        for label, intent in enumerate(intents):
            normalised = [normaliser(phrase) for phrase in intent.phrases]
            numbers = paraphrase_groups(intent, normalised)
            for phrase, text, group in zip(intent.phrases, normalised, numbers, strict=True):
                if text:  # a phrase of nothing but fillers teaches nothing
                    heard = phrase if noise is None else garble(phrase, noise, generator)
                    texts.append(text if noise is None else normaliser(heard))
                    readings.append(encoder_reading(heard))
                    labels.append(label)
                    groups.append(label * 100_000 + group)
        return as_samples(self.name, texts, readings, labels, self.classes, groups, encoder)

    def kin_samples(self, encoder: Encoder | None) -> list[TrainingSamples]:
        """What the head on embeddings learns from the other languages; nothing without an encoder."""
        found = []
        for kin in self.kin if encoder is not None else ():
            pairs = [
                (phrase, normalise(phrase, kin.language), self.classes.index(intent.name))
                for intent in kin.intents
                for phrase in intent.phrases
            ]
            pairs = [pair for pair in pairs if pair[1]]
            texts, labels = [text for _, text, _ in pairs], [label for _, _, label in pairs]
            readings = [encoder_reading(phrase) for phrase, _, _ in pairs]
            found.append(as_samples(kin.language, texts, readings, labels, self.classes, [0] * len(pairs), encoder))
        return found


@dataclass(frozen=True)
class Normaliser:
    """`normalise` for one language with its kinds of words."""

    language: str
    kinds: dict[str, str]

    def __call__(self, text: str) -> str:
        return normalise(text, self.language, self.kinds)


def encoder_reading(sentence: str) -> str:
    """What the encoder reads: the words as they were said, accents and all, without the capitals and stops that one
    recogniser writes, another does not, and phrases do not have. Numbers stay numbers: it knows digits and words."""
    return " ".join(_NOT_READ.sub(" ", _APOSTROPHES.sub("'", sentence)).lower().split())


def as_samples(
    language: str,
    texts: list[str],
    readings: list[str],
    labels: list[int],
    classes: tuple[str, ...],
    groups: list[int],
    encoder: Encoder | None,
) -> TrainingSamples:
    """Normalised texts with the embeddings of their readings."""
    from intent_service.training import TrainingSamples  # with scipy, which the service needs for nothing else

    return TrainingSamples(
        language,
        texts,
        encoder.encode(readings) if encoder is not None and readings else None,
        np.asarray(labels, np.int64),
        classes,
        np.asarray(groups, np.int64),
        classes.index(STRANGER) if STRANGER in classes else -1,
    )


def read_language(flows: Path, name: str) -> LanguageData:
    """Reads `flows/<name>/`. Raises BadPhrases with every fault of every file; a missing main file is a fault."""
    faults: list[str] = []
    texts: dict[str, str] = {}
    sets: dict[str, PhraseSet] = {}
    strangers: tuple[tuple[str, ...], ...] = ()
    for file in (MAIN, FAQS, OUT_OF_SCOPE):
        path = flows / name / file
        shown = f"{flows.name}/{name}/{file}"
        try:
            texts[file] = read_utf8(path)
            if file == OUT_OF_SCOPE:
                strangers = read_sentences(texts[file], shown)
            else:
                sets[file] = read_phrase_set(texts[file], shown)
                if sets[file].language != name:
                    faults.append(f"{shown}:1: language: `{sets[file].language}` in the folder of `{name}`")
        except FileNotFoundError:
            if file == MAIN:
                faults.append(f"{shown}:1: the file is missing")
        except NotUtf8 as error:
            faults.append(f"{shown}:{error.line}: {error}")
        except (BadPhrases, OSError) as error:
            faults.append(str(error))
    if MAIN in sets and FAQS in sets:
        both = set(sets[MAIN].names) & set(sets[FAQS].names)
        faults += [f"{flows.name}/{name}/{FAQS}:1: intent {one}: stands in {MAIN} too" for one in sorted(both)]
    if faults:
        raise BadPhrases("\n".join(faults))
    kin = read_kin(flows, name, sets[MAIN].names)
    source = "\0".join(f"{k}\0{v}" for k, v in sorted(texts.items())) + f"\0{kin}"
    return LanguageData(name, sets[MAIN], sets.get(FAQS), strangers, source, kin)


def read_kin(flows: Path, name: str, shared: Collection[str]) -> tuple[Kin, ...]:
    """The intents of `shared` in the other languages' main files. A file that is missing or bad counts as none."""
    found = []
    for language in sorted(set(LANGUAGES) - {name}):
        path = flows / language / MAIN
        try:
            other = read_phrase_set(read_utf8(path), str(path))
        except (BadPhrases, NotUtf8, OSError):
            continue  # told where that language is read
        intents = tuple(intent for intent in other.intents if intent.name in shared)
        if intents:
            found.append(Kin(language, intents))
    return tuple(found)
