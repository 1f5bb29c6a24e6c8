"""Turns a sentence into a decision: rules first, then the classifier, then the intent's threshold. One per language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intent_service.bundle import Bundle
from intent_service.encoder import Encoder
from intent_service.features import is_negated
from intent_service.language import LanguageData, encoder_reading
from intent_service.model import evidence, probabilities, restrict, softmax
from intent_service.phrases import NO_MATCH
from intent_service.rules import PhraseRules

RULE_SCORE = 0.99
LEAST_SHARE = 0.1
"""Of the probability: below it no intent is believed where another, which is not asked for, is the likeliest. The
confidence was fitted where all intents are asked for, and knows nothing of how a plain yes looks where none is."""


class UnknownIntent(ValueError):
    """`allowed` names an intent that the set does not have."""


@dataclass(frozen=True)
class Candidate:
    """An intent and its score, 0 to 1."""

    intent: str
    score: float


@dataclass(frozen=True)
class IntentDecision:
    """What a sentence means, and why."""

    intent: str
    """`no_match` when nothing was believed."""
    score: float
    """How sure: of the intent, or of the best candidate when there is no match."""
    top3: tuple[Candidate, ...]
    """The best allowed intents by probability."""
    fallback: bool
    """Whether `intent` is `no_match`."""
    reason: str
    """`rule`, `classifier`, or why there is no match: `empty`, `below threshold`, `something else was said`."""
    model_version: str
    normalised: str
    threshold: float = 0.0
    lexical: tuple[Candidate, ...] = ()
    """What the lexical head alone would say."""
    semantic: tuple[Candidate, ...] = ()
    """What the head on embeddings alone would say; empty without an encoder."""


class Recogniser:
    """Decides for one language; changes nothing once built."""

    def __init__(self, data: LanguageData, bundle: Bundle, encoder: Encoder | None) -> None:
        self.data = data
        self.version = bundle.version
        self._bundle = bundle
        self._encoder = encoder
        self._normaliser = data.normaliser()
        self._rules = PhraseRules(data.sets, self._normaliser)
        self._main = frozenset(data.main.names)
        self._faqs = frozenset(data.faqs.names) if data.faqs else frozenset[str]()

    def names(self, faqs: bool) -> frozenset[str]:
        """The intents of the main set, or of the questions."""
        return self._faqs if faqs else self._main

    def thresholds(self) -> dict[str, float]:
        """The threshold of every intent."""
        return {
            name: float(value)
            for name, value in zip(self._bundle.classifier.classes, self._bundle.thresholds, strict=True)
            if name in self._main | self._faqs
        }

    def decide(self, sentence: str, faqs: bool = False, allowed: Sequence[str] | None = None) -> IntentDecision:
        """The decision on a transcript. Raises UnknownIntent; the sentence may be anything."""
        names = self.names(faqs)
        if allowed is not None:
            unknown = sorted(set(allowed) - self._main - self._faqs)
            if unknown:
                raise UnknownIntent(f"unknown intent: {', '.join(unknown)}")
            names &= frozenset(allowed)
        text = self._normaliser(sentence)
        if not text or not names:
            return IntentDecision(NO_MATCH, 0.0, (), True, "empty", self.version, text)
        ruling = self._rules.decide(text, names)
        if ruling is not None:
            best = (Candidate(ruling.intent, RULE_SCORE),)
            return IntentDecision(ruling.intent, RULE_SCORE, best, False, f"rule: {ruling.rule}", self.version, text)
        return self._classified(sentence, text, names)

    def _classified(self, sentence: str, text: str, names: frozenset[str]) -> IntentDecision:
        bundle, classes = self._bundle, self._bundle.classifier.classes
        reading = encoder_reading(sentence)
        embedding = self._encoder.encode([reading]) if self._encoder is not None else None
        votes = bundle.classifier.votes([text], embedding, [is_negated(text, self.data.name)])
        probability = probabilities(votes, bundle.mix)
        allowed = np.array([name in names for name in classes])
        restricted = restrict(probability, allowed[None])
        best_allowed = np.where(allowed[None], restricted, -1.0).argmax(axis=1)
        top = restricted.argmax(axis=1)
        score = float(bundle.confidence.of(evidence(votes, restricted, best_allowed, allowed[None]))[0])
        index = int(best_allowed[0])
        threshold = float(bundle.thresholds[index])
        order = [int(one) for one in np.argsort(-restricted[0]) if allowed[one]][:3]
        if top[0] != index and restricted[0, index] < LEAST_SHARE:  # of the rest it is the best, and means nothing
            reason = "something else was said"
        elif score >= threshold:
            reason = "classifier"
        else:
            reason = "below threshold" if top[0] == index else "something else was said"
        matched = reason == "classifier"
        return IntentDecision(
            classes[index] if matched else NO_MATCH,
            score,
            tuple(Candidate(classes[one], float(restricted[0, one])) for one in order),
            not matched,
            reason,
            self.version,
            text,
            threshold,
            _ranked(classes, softmax(votes.lexical * np.float32(bundle.mix.lexical))[0]),
            ()
            if votes.semantic is None
            else _ranked(classes, softmax(votes.semantic * np.float32(bundle.mix.semantic))[0]),
        )


def _ranked(classes: Sequence[str], scores: np.ndarray[tuple[int], np.dtype[np.float32]]) -> tuple[Candidate, ...]:
    return tuple(Candidate(classes[int(one)], float(scores[one])) for one in np.argsort(-scores)[:3])
