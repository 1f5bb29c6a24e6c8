"""Requests per second: plain faster-whisper from 8 threads, the bare batched engine, and the service over HTTP.

    python -m benchmarks.whisper_throughput [--model FOLDER] [--requests 400] [--callers 1,4,8,16,32,64] [--rounds 3]

All three get the same clips on the same cores, in turn, several rounds; the medians of the rounds are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import ctranslate2
from faster_whisper import WhisperModel

from benchmarks.spoken import Samples, utterances, wav
from benchmarks.whisper_load import Answers, body, closed_loop, milliseconds
from config import ROOT
from tests.whisper.processes import replica
from whisper_service.batcher import Again
from whisper_service.engine import Job, load_engine


def plain(model: str, clips: list[Samples], requests: int, threads: int) -> Callable[[], tuple[float, list[float]]]:
    """faster-whisper as it comes: `transcribe` from `threads` threads, greedy, no timestamps, no fall-back."""
    whisper = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1, num_workers=2)

    def one(number: int) -> float:
        began = time.perf_counter()
        segments, _ = whisper.transcribe(
            clips[number % len(clips)],
            language="fr",
            beam_size=1,
            temperature=0,
            without_timestamps=True,
            condition_on_previous_text=False,
            max_new_tokens=96,
        )
        for _ in segments:
            pass
        return time.perf_counter() - began

    def run() -> tuple[float, list[float]]:
        began = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            seconds = list(pool.map(one, range(requests)))
        return requests / (time.perf_counter() - began), seconds

    return run


def bare(model: str, clips: list[Samples], requests: int, batch: int, context_s: float) -> Callable[[], float]:
    """The batched engine alone: mels ready, full batches, one thread, no HTTP, no voice gate."""
    engine = load_engine(model, device="cpu", context_s=context_s)
    jobs = [engine.job(engine.features(clip), "fr") for clip in clips]

    def run() -> float:
        began = time.perf_counter()
        done = 0
        while done < requests:
            todo: list[Job] = [jobs[(done + i) % len(jobs)] for i in range(batch)]
            again = [answer.job for answer in engine.run(todo) if isinstance(answer, Again)]
            if again:
                engine.run(again)
            done += batch
        return done / (time.perf_counter() - began)

    return run


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "demo-fr"))
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--plain-requests", type=int, default=120)
    parser.add_argument("--callers", default="1,4,8,16,32,64")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--context-s", type=float, default=0.0)
    arguments = parser.parse_args()
    clips = [samples for _, samples in utterances(32)]
    length_s = sum(clip.size for clip in clips) / 16_000 / len(clips)
    print(f"model {Path(arguments.model).name}, CTranslate2 {ctranslate2.__version__}, 32 clips of {length_s:.1f} s")
    bodies = [body(wav(clip), deadline_ms=60_000) for clip in clips]
    run_plain = plain(arguments.model, clips, arguments.plain_requests, 8)
    run_bare = bare(arguments.model, clips, arguments.requests, arguments.batch, arguments.context_s)
    callers = [int(number) for number in arguments.callers.split(",")]
    rates: dict[str, list[float]] = {}
    environment = {
        "WHISPER_MAX_BATCH": str(arguments.batch),
        "WHISPER_DEADLINE_MS": "60000",
        "WHISPER_CONTEXT_S": str(arguments.context_s),
    }
    with replica(arguments.model, **environment) as (_, port):
        url = f"http://127.0.0.1:{port}/whisper"
        asyncio.run(closed_loop(url, bodies, 4, 40))
        for number in range(arguments.rounds):
            rate, seconds = run_plain()
            rates.setdefault("plain, 8 threads", []).append(rate)
            print(f"round {number + 1}: plain, 8 threads   {rate:6.1f} req/s  {milliseconds(seconds)}", flush=True)
            rate = run_bare()
            rates.setdefault("bare engine", []).append(rate)
            print(f"round {number + 1}: bare engine        {rate:6.1f} req/s", flush=True)
            for count in callers:
                answers: Answers = asyncio.run(closed_loop(url, bodies, count, arguments.requests))
                rates.setdefault(f"service, {count} callers", []).append(len(answers.of(200)) / answers.seconds)
                print(f"round {number + 1}: service, {count:2} callers {answers.line()}", flush=True)
    reference, engine = median(rates["plain, 8 threads"]), median(rates["bare engine"])
    print("\n| | req/s (median) | x plain | x bare engine |\n|---|---|---|---|")
    for name, values in rates.items():
        rate = median(values)
        print(f"| {name} | {rate:.1f} | {rate / reference:.2f} | {rate / engine:.2f} |")


if __name__ == "__main__":
    main()
