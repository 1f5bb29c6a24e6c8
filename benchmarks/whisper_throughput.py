"""Requests per second: plain faster-whisper from 8 threads, the bare batched engine, and the service over HTTP.

    python -m benchmarks.whisper_throughput [--model FOLDER] [--requests 400] [--callers 1,4,8,16,32,64] [--rounds 3]

All three get the same clips on the same cores, in turn, several rounds; the medians of the rounds are compared. Beside
the rate stands the processor time that one request costs, which says the same on a machine that does other work too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import ctranslate2
from faster_whisper import WhisperModel
from threadpoolctl import threadpool_limits

from benchmarks.spoken import Samples, utterances, wav
from benchmarks.whisper_load import Answers, body, closed_loop, milliseconds
from config import ROOT
from tests.whisper.processes import replica
from whisper_service.batcher import Again
from whisper_service.engine import choose_device, load_engine


def plain(
    model: str, clips: list[Samples], requests: int, threads: int
) -> Callable[[], tuple[float, float, list[float]]]:
    """faster-whisper as it comes: `transcribe` from `threads` threads, greedy, no timestamps, no fall-back."""
    device, compute_type = choose_device("auto", "auto", ctranslate2.get_cuda_device_count())
    whisper = WhisperModel(model, device=device, compute_type=compute_type, cpu_threads=1, num_workers=2)

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

    def run() -> tuple[float, float, list[float]]:
        began, worked = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(threads) as pool:
            seconds = list(pool.map(one, range(requests)))
        rate = requests / (time.perf_counter() - began)
        return rate, (time.process_time() - worked) / requests, seconds

    return run


def bare(
    model: str, clips: list[Samples], requests: int, batch: int, context_s: float
) -> Callable[[], tuple[float, float]]:
    """The batched engine alone, samples to text: full batches, one thread, no HTTP, no queue, no guards."""
    engine = load_engine(model, context_s=context_s)

    def run() -> tuple[float, float]:
        began, worked = time.perf_counter(), time.process_time()
        done = 0
        while done < requests:
            some = [clips[(done + i) % len(clips)] for i in range(batch)]
            todo = [engine.job(engine.features(clip), "fr") for clip in some]
            again = [answer.job for answer in engine.run(todo) if isinstance(answer, Again)]
            if again:
                engine.run(again)
            done += batch
        return done / (time.perf_counter() - began), (time.process_time() - worked) / done

    return run


def worked_s(process_id: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    threadpool_limits(limits=1, user_api="blas")  # as in the service, for all three
    clips = [samples for _, samples in utterances(32)]
    length_s = sum(clip.size for clip in clips) / 16_000 / len(clips)
    print(f"model {Path(arguments.model).name}, CTranslate2 {ctranslate2.__version__}, 32 clips of {length_s:.1f} s")
    bodies = [body(wav(clip), deadline_ms=60_000) for clip in clips]
    run_plain = plain(arguments.model, clips, arguments.plain_requests, 8)
    run_bare = bare(arguments.model, clips, arguments.requests, arguments.batch, arguments.context_s)
    callers = [int(number) for number in arguments.callers.split(",")]
    rates: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}

    def note(name: str, rate: float, cost_s: float, rest: str = "") -> None:
        rates.setdefault(name, []).append(rate)
        costs.setdefault(name, []).append(cost_s)
        print(f"{name:22} {rate:6.1f} req/s  {1000 * cost_s:6.1f} ms of CPU each  {rest}", flush=True)

    environment = {
        "WHISPER_MAX_BATCH": str(arguments.batch),
        "WHISPER_DEADLINE_MS": "60000",
        "WHISPER_CONTEXT_S": str(arguments.context_s),
    }
    with replica(arguments.model, **environment) as (process, port):
        url = f"http://127.0.0.1:{port}/whisper"
        asyncio.run(closed_loop(url, bodies, 4, 40))
        for _ in range(arguments.rounds):
            rate, cost_s, seconds = run_plain()
            note("plain, 8 threads", rate, cost_s, milliseconds(seconds))
            note("bare engine", *run_bare())
            for count in callers:
                before_s = worked_s(process.pid)
                answers: Answers = asyncio.run(closed_loop(url, bodies, count, arguments.requests))
                done = len(answers.of(200))
                cost_s = (worked_s(process.pid) - before_s) / done
                note(f"service, {count} callers", done / answers.seconds, cost_s, answers.line())
    reference, engine = median(rates["plain, 8 threads"]), median(rates["bare engine"])
    print("\n| | req/s (median) | x plain | x bare engine | CPU ms each |\n|---|---|---|---|---|")
    for name, values in rates.items():
        rate, cost_ms = median(values), 1000 * median(costs[name])
        print(f"| {name} | {rate:.1f} | {rate / reference:.2f} | {rate / engine:.2f} | {cost_ms:.1f} |")


if __name__ == "__main__":
    main()
