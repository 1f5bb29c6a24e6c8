"""`python -m intent_service.train [language ...]`: trains what changed and writes it to the cache.

The service runs this beside itself on a cache miss, so that answering never waits for training; set-up runs it once.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config import BadSettings, IntentSettings, load
from intent_service.bundle import Bundle, bundle_path, save, version_of
from intent_service.encoder import Encoder, open_encoder
from intent_service.language import LanguageData, as_samples, read_language
from intent_service.model import Matrix, Votes, evidence, probabilities, restrict
from intent_service.phrases import BadPhrases
from intent_service.thresholds import fit_thresholds
from intent_service.training import (
    Calibration,
    Samples,
    fit_confidence_on,
    fit_heads,
    fit_mix,
    folds_of,
    out_of_fold,
)

FOLDS = 5
POLAR = True
"""The head on embeddings also sees negation: an encoder that is weak in the language misses it (+2.5 points in French)."""


class RememberingEncoder:
    """An encoder that keeps vectors of phrases on disk: after an edit only new phrases are encoded."""

    def __init__(self, encoder: Encoder, cache: Path) -> None:
        self._encoder = encoder
        self.identity = encoder.identity
        self._path = cache / f"vectors-{hashlib.sha256(encoder.identity.encode()).hexdigest()[:12]}.npz"
        self._known: dict[str, NDArray[np.float32]] = {}
        try:
            with np.load(self._path, allow_pickle=False) as archive:
                texts = json.loads(archive["texts"].tobytes())
                self._known = dict(zip(texts, archive["vectors"], strict=True))
        except (OSError, ValueError, KeyError):
            pass  # nothing kept yet, or a torn file: encoded again

    def encode(self, sentences: Sequence[str]) -> Matrix:
        """Unit rows."""
        new = [text for text in dict.fromkeys(sentences) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in sentences])

    def keep(self) -> None:
        """Writes what is known."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part.npz")
        texts = np.frombuffer(json.dumps(list(self._known)).encode(), np.uint8)
        np.savez(part, texts=texts, vectors=np.stack(list(self._known.values())))
        part.replace(self._path)


def own_sets(labels: NDArray[np.int64], main_count: int, class_count: int) -> NDArray[np.bool_]:
    """Which classes the set of each label has: rows labels, columns classes."""
    is_main = (labels < main_count)[:, None]
    return np.where(is_main, np.arange(class_count)[None] < main_count, np.arange(class_count)[None] >= main_count)


def strangers_of(data: LanguageData, classes: tuple[str, ...], encoder: Encoder | None) -> Samples:
    """The out-of-scope sentences as samples; their labels mean nothing."""
    normaliser = data.normaliser()
    texts = [text for text in map(normaliser, data.strangers) if text]
    return as_samples(data.name, texts, [0] * len(texts), classes, list(range(len(texts))), encoder)


def calibrate(
    votes: Votes, labels: NDArray[np.int64], strangers: Votes | None, main_count: int, class_count: int
) -> Calibration:
    """Mix and confidence from held-out votes, each phrase asked of its own set and each stranger of every set."""
    mix = fit_mix(votes, labels)
    restricted = restrict(probabilities(votes, mix), own_sets(labels, main_count, class_count))
    top = restricted.argmax(axis=1)
    rows, right = [evidence(votes, restricted, top)], [top == labels]
    if strangers is not None and len(strangers.known):
        for allowed in _sets(main_count, class_count):
            seen = restrict(probabilities(strangers, mix), allowed[None])
            best = np.where(allowed[None], seen, -1.0).argmax(axis=1)
            rows.append(evidence(strangers, seen, best))
            right.append(np.zeros(len(best), bool))
    return Calibration(mix, fit_confidence_on(rows, right))


def _sets(main_count: int, class_count: int) -> list[NDArray[np.bool_]]:
    is_main = np.arange(class_count) < main_count
    return [is_main] if main_count == class_count else [is_main, ~is_main]


def train(data: LanguageData, encoder: Encoder | None, version: str) -> Bundle:
    """Heads on all phrases; calibration and thresholds from heads that had not seen them."""
    samples = data.samples(encoder)
    strangers = strangers_of(data, samples.classes, encoder)
    main_count, class_count = len(data.main.names), len(samples.classes)
    folds = folds_of(samples, FOLDS)
    probes = [(samples, folds)]
    if strangers.texts:
        probes.append((strangers, np.arange(len(strangers.texts)) % FOLDS))
    held_out = out_of_fold(samples, folds, probes, POLAR)
    stranger_votes = held_out[1] if strangers.texts else None
    calibration = calibrate(held_out[0], samples.labels, stranger_votes, main_count, class_count)
    restricted = restrict(
        probabilities(held_out[0], calibration.mix), own_sets(samples.labels, main_count, class_count)
    )
    top = restricted.argmax(axis=1)
    confidence = calibration.confidence.of(evidence(held_out[0], restricted, top))
    tops, sureness = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    if stranger_votes is not None:
        for allowed in _sets(main_count, class_count):
            seen = restrict(probabilities(stranger_votes, calibration.mix), allowed[None])
            best = np.where(allowed[None], seen, -1.0).argmax(axis=1)
            tops.append(best)
            sureness.append(calibration.confidence.of(evidence(stranger_votes, seen, best)))
    strict = {intent.name for one in data.sets for intent in one.intents if intent.strict}
    thresholds = fit_thresholds(
        samples.classes, samples.labels, top, confidence, np.concatenate(tops), np.concatenate(sureness), strict
    )
    return Bundle(version, fit_heads(samples, POLAR), calibration.mix, calibration.confidence, thresholds)


def main(languages: Sequence[str]) -> int:
    """Trains the named languages, or all of the settings'. 2: bad settings or phrases, each said on a line."""
    try:
        settings = load(IntentSettings)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    encoder = open_encoder(settings.intent_encoder, settings.intent_cache_dir).encoder
    remembering = RememberingEncoder(encoder, settings.intent_cache_dir) if encoder is not None else None
    status = 0
    for name in languages or [one.strip() for one in settings.intent_languages.split(",") if one.strip()]:
        try:
            data = read_language(settings.flows_dir, name)
        except BadPhrases as error:
            print(error, file=sys.stderr)
            status = 2
            continue
        version = version_of(data.source, encoder.identity if encoder is not None else "none")
        path = bundle_path(settings.intent_cache_dir, name, version)
        if path.exists():
            print(f"{name}: trained already ({version})")
            continue
        save(train(data, remembering, version), path)
        if remembering is not None:
            remembering.keep()
        for old in settings.intent_cache_dir.glob(f"{name}-*.npz"):
            if old != path and old.stat().st_mtime < path.stat().st_mtime - 7 * 86_400:
                old.unlink(missing_ok=True)
        print(f"{name}: trained {len(data.classes)} intents ({version})")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
