"""Processor time of one decision on one core, without HTTP and without the cache of decisions.

    taskset -c 0 python -m benchmarks.intents_latency

Sentences are garbled phrases, so that neither the word-for-word rule nor a cache answers; those that a declared rule
answers are left out of the figures of the classifier.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from config import IntentSettings, load
from intent_service.bundle import bundle_path, open_bundle, version_of
from intent_service.encoder import open_encoder
from intent_service.language import read_language
from intent_service.noise import TELEPHONE, garble
from intent_service.recogniser import Recogniser


def main() -> None:
    """Prints percentiles in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=1000)
    args = parser.parse_args()
    settings = load(IntentSettings)
    started = time.perf_counter()
    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    data = read_language(settings.flows_dir, "fr")
    version = version_of(data.source, opened.encoder.identity if opened.encoder is not None else "none")
    recogniser = Recogniser(data, open_bundle(bundle_path(settings.intent_cache_dir, "fr", version)), opened.encoder)
    print(f"encoder {opened.backend}; opened with trained intents in {time.perf_counter() - started:.2f} s")
    generator = np.random.default_rng(7)
    phrases = [phrase for one in data.sets for intent in one.intents for phrase in intent.phrases]
    chosen = [str(phrase) for phrase in generator.choice(phrases, args.sentences)]
    took: dict[bool, list[float]] = {True: [], False: []}
    for phrase in [*chosen[:20], *chosen]:
        sentence = garble(phrase, TELEPHONE, generator)
        cpu = time.process_time()
        decision = recogniser.decide(sentence)
        took[decision.reason.startswith("rule")].append((time.process_time() - cpu) * 1e3)
    for by_rule, name in ((False, "classifier"), (True, "rules")):
        times = np.array(took[by_rule][20:] if not by_rule else took[by_rule])
        if len(times):
            p50, p95, p99 = np.percentile(times, [50, 95, 99])
            print(f"{name:11} {len(times)} sentences, CPU ms: p50 {p50:.2f}  p95 {p95:.2f}  p99 {p99:.2f}")


if __name__ == "__main__":
    main()
