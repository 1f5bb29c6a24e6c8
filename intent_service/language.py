"""Turns a language's folder of phrase files into one training set: main intents and questions together.

One classifier knows both sets, so that a question asked of the main set is recognised as a question and answered
`no_match`, and the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intent_service.encoder import Encoder
from intent_service.groups import paraphrase_groups
from intent_service.noise import Noise, garble
from intent_service.normalise import normalise, plain
from intent_service.phrases import BadPhrases, Intent, PhraseSet, read_phrase_set, read_sentences

if TYPE_CHECKING:
    from intent_service.training import TrainingSamples

STRANGER = "(stranger)"
"""The class of sentences that mean none of the intents; never answered."""
MAIN, FAQS, OUT_OF_SCOPE = "intents.yaml", "faqs.yaml", "out_of_scope.yaml"


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
                    readings.append(encoder_reading(heard, texts[-1], self.name))
                    labels.append(label)
                    groups.append(label * 100_000 + group)
        return as_samples(self.name, texts, readings, labels, self.classes, groups, encoder)


@dataclass(frozen=True)
class Normaliser:
    """`normalise` for one language with its kinds of words."""

    language: str
    kinds: dict[str, str]

    def __call__(self, text: str) -> str:
        return normalise(text, self.language, self.kinds)


def encoder_reading(sentence: str, normalised: str, language: str) -> str:
    """What the encoder reads: English as it was said, for that is what it learnt; other languages normalised."""
    return " ".join(sentence.split()) if language == "en" else normalised


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
    return LanguageData(
        name, sets[MAIN], sets.get(FAQS), strangers, "\0".join(f"{k}\0{v}" for k, v in sorted(texts.items()))
    )
