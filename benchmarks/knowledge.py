"""What a knowledge file answers rightly, by how many ways of asking it names for each answer.

    python -m benchmarks.knowledge                                   the French questions, strangers of the same folder
    python -m benchmarks.knowledge table.csv --language en --strangers strangers.txt

A table has two columns with a heading, a sentence and its class: thirty classes are drawn, of each some sentences are
the questions of an entry, and ten others are asked. Strangers are sentences that no entry answers, one per line.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

import numpy as np

from config import ROOT, IntentSettings, load
from intent_service.encoder import Encoder, open_encoder
from intent_service.knowledge import Knowledge
from intent_service.language import read_language
from knowledge_file import KnownAnswer

CLASSES, ASKED, STRANGERS, SEEDS = 30, 10, 150, 3


def shipped() -> tuple[dict[str, list[str]], list[str]]:
    """The French questions by intent, one of each paraphrase group, and the strangers."""
    data = read_language(ROOT / "flows", "fr")
    asked = data.faqs.intents if data.faqs is not None else ()
    return {one.name: [group[0] for group in one.groups] for one in asked}, [
        s for group in data.strangers for s in group
    ]


def table(path: Path) -> dict[str, list[str]]:
    """The sentences of a CSV table by class."""
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for sentence, name in list(csv.reader(file))[1:]:
            found.setdefault(name, []).append(sentence)
    return found


def measure(
    classes: dict[str, list[str]], strangers: list[str], ways: int, language: str, encoder: Encoder
) -> tuple[list[float], list[float]]:
    """Shares of the sentences: right at once, wrong at once, asked about and right, asked about and wrong; and of the
    strangers: answered, asked about."""
    told, strange = [], []
    for seed in range(SEEDS):
        chance = random.Random(seed)
        entries, asked = [], []
        for name in chance.sample(sorted(classes), min(CLASSES, len(classes))):
            sentences = chance.sample(classes[name], len(classes[name]))
            entries.append(KnownAnswer(tuple(sentences[:ways]), name, 1))
            asked += [(sentence, name) for sentence in sentences[ways : ways + ASKED]]
        knowledge = Knowledge(tuple(entries), language, encoder)
        for sentence, name in asked:
            found = knowledge.look_up(sentence)
            is_right = found.entry.answer == name
            doubt = found.is_answer and not found.is_sure
            told.append(
                (found.is_sure & is_right, found.is_sure & (not is_right), doubt & is_right, doubt & (not is_right))
            )
        for sentence in chance.sample(strangers, min(STRANGERS, len(strangers))):
            found = knowledge.look_up(sentence)
            strange.append((found.is_sure, found.is_answer and not found.is_sure))
    return np.mean(told, axis=0).tolist(), np.mean(strange, axis=0).tolist() if strange else [float("nan")] * 2


def main() -> int:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", type=Path)
    parser.add_argument("--language", default="fr")
    parser.add_argument("--strangers", type=Path)
    options = parser.parse_args()
    classes, strangers = shipped() if options.table is None else (table(options.table), [])
    if options.strangers is not None:
        strangers = options.strangers.read_text(encoding="utf-8").splitlines()
    settings = load(IntentSettings)
    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    if opened.encoder is None:
        print(opened.reason)
        return 1
    print(
        "| ways of asking | at once: right / wrong | asked about: right / wrong | strangers: answered / asked about |"
    )
    print("|---|---|---|---|")
    for ways in (1, 3, 6):
        told, strange = measure(classes, strangers, ways, options.language, opened.encoder)
        cells = [f"{100 * one:.1f} / {100 * other:.1f}" for one, other in (told[:2], told[2:], strange)]
        print(f"| {ways} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
