"""Phrase files + templates -> an endless stream of what callers say, as (category, transcript, spoken text).

The phrase files are the ones that admins edit (`flows/<lang>/intents.yaml`, `faqs.yaml`): every phrase in them is
learnt. What callers fill in comes from templates; a fixed share of the templated sentences, chosen by hash, is never
trained on, so that the evaluation can tell memory from generalisation.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from models.train.templates import TEMPLATES, zip_sentence

ROOT = Path(__file__).resolve().parents[2]
PHRASE_FILES = (Path(__file__).with_name("callers.yaml"), ROOT / "flows/fr/intents.yaml", ROOT / "flows/fr/faqs.yaml")
HELD_OUT_PERCENT = 5
SHORT_ANSWERS = ("end_to_end", "greeting", "politeness")
FILLERS = ("euh", "euh", "euh", "ben", "bah", "alors", "donc", "écoutez", "hum", "oui alors", "attendez")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is the transcript; `spoken` is the same with commas where the speaker pauses."""

    category: str
    text: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the utterances; templates are the rest. `covering`: every phrase in turn instead of by chance."""

    pairs: float = 0.17
    phrases: float = 0.38
    covering: bool = False


MIXES = {"everything": Mix(), "phrases-and-pairs": Mix(0.32, 0.42, True)}


class CorpusError(ValueError):
    """A phrase file does not have the shape of an intents file."""


def transcript(spoken: str) -> str:
    """Drop the pauses: lower case, single spaces, no comma."""
    return re.sub(r"\s+", " ", spoken.replace(",", " ").replace("’", "'")).strip().lower()


def read_phrases(path: Path) -> dict[str, list[str]]:
    """An intents file -> {intent: phrases}."""
    document = yaml.safe_load(path.read_text("utf-8"))
    try:
        return {
            str(name): [
                transcript(phrase)
                for entry in intent["phrases"]  # a phrase, or a group of paraphrases
                for phrase in (entry if isinstance(entry, list) else [entry])
            ]
            for name, intent in document["intents"].items()
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise CorpusError(f"{path}: expected intents: {{name: {{phrases: [...]}}}}, missing {error}") from error


def is_held_out(text: str) -> bool:
    """True for the templated sentences that are never trained on (by hash, so that it does not depend on the order)."""
    return int(hashlib.sha1(text.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT_PERCENT


class Corpus:
    """The phrases read at construction, and draws from them."""

    def __init__(self, phrase_files: tuple[Path, ...] = PHRASE_FILES) -> None:
        self.intents: dict[str, list[str]] = {}
        self.faqs: dict[str, list[str]] = {}
        for path in phrase_files:
            if path.exists():
                for name, phrases in read_phrases(path).items():
                    group = self.faqs if name.startswith("faq") else self.intents
                    group.setdefault(name, []).extend(phrases)

    def phrases(self) -> Iterator[tuple[str, str]]:
        """Every fixed phrase as (intent, phrase)."""
        for group in (self.intents, self.faqs):
            for name, phrases in group.items():
                for phrase in phrases:
                    yield name, phrase

    def digest(self) -> str:
        """A hash of all fixed phrases, in any order, with their intents."""
        return hashlib.sha256("\n".join(sorted(f"{i}\t{p}" for i, p in self.phrases())).encode()).hexdigest()[:16]

    def _fixed(self, rng: random.Random) -> str:
        group = self.faqs if self.faqs and rng.random() < 0.36 else self.intents
        return rng.choice(group[rng.choice(list(group))])

    def _template(self, rng: random.Random) -> tuple[str, str]:
        draw = rng.random()
        for category, share, make in TEMPLATES:
            draw -= share
            if draw < 0:
                return category, make(rng)
        return TEMPLATES[0][0], zip_sentence(rng)

    def _short(self, rng: random.Random) -> str:
        return rng.choice(self.intents[rng.choice(SHORT_ANSWERS)])

    def _pair(self, rng: random.Random) -> str:
        """Two phrases in one breath, with or without a pause."""
        draw = rng.random()
        if draw < 0.35:
            first, second = self._short(rng), self._fixed(rng)
        elif draw < 0.55:
            first, second = self._short(rng), self._template(rng)[1]
        elif draw < 0.7:
            first, second = self._fixed(rng), self._template(rng)[1]
        elif draw < 0.8:
            first, second = self._template(rng)[1], self._fixed(rng)
        else:
            first, second = self._fixed(rng), self._fixed(rng)
        return f"{first}{rng.choice((',', ',', ''))} {second}"

    def covering(self, first: int) -> Iterator[str]:
        """All phrases, each once, in a fixed mixed order, over and over, from the `first` on."""
        phrases = sorted({phrase for _, phrase in self.phrases()})
        random.Random(1).shuffle(phrases)
        return (phrases[i % len(phrases)] for i in itertools.count(first))

    def draw(
        self,
        rng: random.Random,
        held_out: bool = False,
        hesitant: bool = True,
        mix: Mix = MIXES["everything"],
        phrases: Iterator[str] | None = None,
    ) -> Sentence:
        """One sentence; `held_out` draws the ones that training never sees, `hesitant` allows fillers.

        phrases: where the fixed phrases come from, by chance when absent.
        """
        while True:
            draw = rng.random()
            if draw < mix.pairs or (held_out and draw < 0.3):
                category, spoken = "pair", self._pair(rng)
            elif draw < mix.pairs + mix.phrases and not held_out:
                category, spoken = "phrase", next(phrases) if phrases else self._fixed(rng)
            else:
                category, spoken = self._template(rng)
            if category != "phrase" and is_held_out(transcript(spoken)) != held_out:
                continue
            if hesitant and not held_out and rng.random() < 0.09:
                spoken = hesitate(spoken, rng)
            return Sentence(category, transcript(spoken), spoken)


def hesitate(spoken: str, rng: random.Random) -> str:
    """A filler before or inside, or a false start."""
    words = spoken.split(" ")
    draw = rng.random()
    if draw < 0.5:
        return f"{rng.choice(FILLERS)}{rng.choice((',', ''))} {spoken}"
    if draw < 0.75 and len(words) > 2:
        i = rng.randint(1, len(words) - 1)
        return " ".join([*words[:i], "euh" + rng.choice((",", "")), *words[i:]])
    return f"{words[0]}, {spoken}"
