"""Public intent sets through the service's own code: CLINC150 (with out-of-scope) and banking77, full and ten-shot.

    python -m benchmarks.intents_public --clinc data_full.json --banking-train train.csv --banking-test test.csv

CLINC150: github.com/clinc/oos-eval (`data_full.json`); banking77: github.com/PolyAI-LDN/task-specific-datasets.
Mix and temperatures are fitted by cross-validation on the training part; CLINC's validation part chooses the
out-of-scope threshold (its strangers weighed to their share in the test part). Ten-shot: the mean over draws with the
seeds 0, 1, 2. Nothing is fitted on a test part.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config import IntentSettings, load
from intent_service.encoder import Encoder, open_encoder
from intent_service.language import as_samples, encoder_reading
from intent_service.model import Votes, probabilities
from intent_service.normalise import normalise
from intent_service.remembered import RememberingEncoder
from intent_service.train import is_polar
from intent_service.training import HeadTrainer, TrainingSamples, fit_mix, folds_of, out_of_fold

SEEDS = (0, 1, 2)
LANGUAGE = "en"
Row = tuple[str, str]


@dataclass(frozen=True)
class Figures:
    """Shares, 0 to 1; out-of-scope figures are NaN where the set has none."""

    accuracy: float
    lexical: float
    semantic: float
    auroc: float = float("nan")
    f1: float = float("nan")
    recall: float = float("nan")
    in_scope_after: float = float("nan")
    """Accuracy in scope once the threshold refuses."""


def main() -> None:
    """Prints one line per set and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clinc", type=Path)
    parser.add_argument("--banking-train", type=Path)
    parser.add_argument("--banking-test", type=Path)
    parser.add_argument("--ten-shot-only", action="store_true")
    args = parser.parse_args()
    settings = load(IntentSettings)
    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    encoder = RememberingEncoder(opened.encoder, settings.intent_cache_dir / "public") if opened.encoder else None
    print(f"encoder: {settings.intent_encoder}, {opened.backend} {opened.reason}", flush=True)
    if args.clinc:
        data = json.loads(args.clinc.read_text(encoding="utf-8"))
        parts = {name: [(text, label) for text, label in rows] for name, rows in data.items()}
        _run("CLINC150", parts["train"], parts["test"], encoder, args, parts)
    if args.banking_train and args.banking_test:
        train, test = (_banking(path) for path in (args.banking_train, args.banking_test))
        _run("banking77", train, test, encoder, args, {})
    if encoder is not None:
        encoder.keep()


def _run(
    name: str,
    train: list[Row],
    test: list[Row],
    encoder: Encoder | None,
    args: argparse.Namespace,
    parts: dict[str, list[Row]],
) -> None:
    draws = [measure(few(train, 10, seed), test, encoder, parts) for seed in SEEDS]
    _show(f"{name} 10-shot", draws)
    if not args.ten_shot_only:
        started = time.perf_counter()
        figures = measure(train, test, encoder, parts)
        _show(f"{name} full", [figures])
        print(f"  ({time.perf_counter() - started:.0f} s)", flush=True)


def few(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """`count` rows of every label, drawn with the seed."""
    generator = np.random.default_rng(seed)
    labels = sorted({label for _, label in rows})
    texts = {label: [text for text, own in rows if own == label] for label in labels}
    return [(str(text), label) for label in labels for text in generator.permutation(texts[label])[:count]]


def measure(train: list[Row], test: list[Row], encoder: Encoder | None, parts: dict[str, list[Row]]) -> Figures:
    """Trains on `train`, measures on `test`, and on CLINC's out-of-scope parts where there are."""
    classes = tuple(sorted({label for _, label in train}))
    samples = _samples(train, classes, encoder)
    trainer = HeadTrainer(samples, is_polar(LANGUAGE))
    folds = folds_of(samples, 5 if len(train) < 3_000 else 3)
    mix = fit_mix(out_of_fold(trainer, folds, [samples])[0], samples.labels)
    heads = trainer.fit(np.arange(len(train)))

    def votes_on(rows: list[Row]) -> Votes:
        part = _samples([(text, classes[0]) for text, _ in rows], classes, encoder)
        return heads.votes(part.texts, part.embeddings, part.negated())

    meant = np.array([classes.index(label) for _, label in test])
    votes = votes_on(test)
    right = probabilities(votes, mix).argmax(axis=1) == meant
    semantic = votes.semantic.argmax(axis=1) if votes.semantic is not None else np.zeros(len(meant), np.int64)
    heads_alone = float((votes.lexical.argmax(axis=1) == meant).mean()), float((semantic == meant).mean())
    if not parts:
        return Figures(float(right.mean()), *heads_alone)
    known, strangers = votes_on(parts["val"]), votes_on(parts["oos_val"])
    scales = _scales(known)
    # validation has 100 strangers to 3,000 sentences, the test part 1,000 to 4,500: the best threshold depends on that
    weight = (len(parts["oos_test"]) / len(test)) / (len(parts["oos_val"]) / len(parts["val"]))
    threshold = _best_f1(_familiarity(known, scales), _familiarity(strangers, scales), weight)
    inside, outside = _familiarity(votes, scales), _familiarity(votes_on(parts["oos_test"]), scales)
    refused_right, refused = (
        int((outside < threshold).sum()),
        int((outside < threshold).sum() + (inside < threshold).sum()),
    )
    precision, recall = refused_right / max(1, refused), refused_right / len(outside)
    return Figures(
        float(right.mean()),
        *heads_alone,
        _auroc(inside, outside),
        2 * precision * recall / max(1e-9, precision + recall),
        recall,
        float((right & (inside >= threshold)).mean()),
    )


def _samples(rows: list[Row], classes: tuple[str, ...], encoder: Encoder | None) -> TrainingSamples:
    texts = [normalise(text, LANGUAGE) for text, _ in rows]
    readings = [encoder_reading(text) for text, _ in rows]
    labels = [classes.index(label) for _, label in rows]
    return as_samples(LANGUAGE, texts, readings, labels, classes, list(range(len(rows))), encoder)


def _scales(votes: Votes) -> tuple[float, float, float, float]:
    best = votes.lexical.max(axis=1)
    cosine = votes.cosine.max(axis=1) if votes.cosine is not None else np.zeros(1)
    return float(best.mean()), float(best.std()), float(cosine.mean()), float(cosine.std()) or 1.0


def _familiarity(votes: Votes, scales: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """z(best SVM margin) + z(cosine to the nearest centroid): the score that ranks strangers best in English."""
    score = (votes.lexical.max(axis=1) - scales[0]) / scales[1]
    if votes.cosine is not None:
        score = score + (votes.cosine.max(axis=1) - scales[2]) / scales[3]
    return np.asarray(score, np.float64)


def _best_f1(inside: NDArray[np.float64], outside: NDArray[np.float64], weight: float) -> float:
    """The threshold with the best F1 of refusing on the validation part, each stranger counted `weight` times."""

    def f1(threshold: float) -> float:
        hit, false = weight * float((outside < threshold).sum()), float((inside < threshold).sum())
        return 2 * hit / (hit + false + weight * len(outside))

    thresholds: list[float] = np.unique(np.concatenate([inside, outside])).tolist()
    return max(thresholds, key=f1)


def _auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    ranks = np.argsort(np.argsort(np.concatenate([inside, outside])))[: len(inside)] + 1
    above = float(ranks.sum()) - len(inside) * (len(inside) + 1) / 2
    return above / (len(inside) * len(outside))


def _banking(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def _show(name: str, draws: list[Figures]) -> None:
    mean = {key: float(np.mean([getattr(one, key) for one in draws])) for key in Figures.__dataclass_fields__}
    print(
        f"{name:18} accuracy {mean['accuracy']:.4f}  (words {mean['lexical']:.4f}, meaning {mean['semantic']:.4f})"
        + (
            ""
            if np.isnan(mean["auroc"])
            else f"  out-of-scope AUROC {mean['auroc']:.4f} F1 {mean['f1']:.4f} recall {mean['recall']:.4f}, "
            f"in scope after refusing {mean['in_scope_after']:.4f}"
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
