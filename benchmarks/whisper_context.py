"""What a shorter encoder context does to accuracy and cost: word error rate and processor time at 4 to 30 s.

python -m benchmarks.whisper_context [--model FOLDER] [--utterances 150] [--contexts 4,5,6,8,10,15,30]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.spoken import HELD_OUT_VOICES, SENTENCES, VOICES, say
from config import ROOT
from models.edits import edits
from whisper_service.batcher import Again
from whisper_service.engine import load_engine
from whisper_service.phrases import normalise


def errors(said: str, heard: str) -> int:
    """Words that are wrong, missing or too many."""
    return edits(normalise(said).split(), normalise(heard).split())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "demo-fr"))
    parser.add_argument("--utterances", type=int, default=150)
    parser.add_argument("--contexts", default="4,5,6,8,10,15,30")
    arguments = parser.parse_args()
    threadpool_limits(limits=1, user_api="blas")
    texts = [SENTENCES[number % len(SENTENCES)] for number in range(arguments.utterances)]
    clips = [say(text, 5_000 + number, VOICES + HELD_OUT_VOICES) for number, text in enumerate(texts)]
    words = sum(len(normalise(text).split()) for text in texts)
    engine = load_engine(arguments.model)
    mels = [engine.features(clip) for clip in clips]
    longest_s = max(mel.shape[1] for mel in mels) / 100
    print(f"model {Path(arguments.model).name}, {len(clips)} utterances of at most {longest_s:.1f} s, one by one")
    print("\n| context | WER | exact | run again | CPU ms each |\n|---|---|---|---|---|")
    for context in arguments.contexts.split(","):
        engine = load_engine(arguments.model, context_s=float(context))
        wrong = exact = again = 0
        began = time.process_time()
        for text, mel in zip(texts, mels, strict=True):
            (answer,) = engine.run([engine.job(mel, "fr")])
            if isinstance(answer, Again):
                again += 1
                (answer,) = engine.run([answer.job])
            heard = "" if isinstance(answer, Again) else answer.text
            distance = errors(text, heard)
            wrong += distance
            exact += distance == 0
        cost_ms = 1000 * (time.process_time() - began) / len(clips)
        print(f"| {context} s | {wrong / words:.1%} | {exact / len(clips):.0%} | {again} | {cost_ms:.1f} |", flush=True)


if __name__ == "__main__":
    main()
