"""Requests per second: plain faster-whisper from threads, the bare batched engine, and the service over HTTP.

    python -m benchmarks.whisper_throughput [--callers 1,4,8,16,32,64] [--requests 400] [--rounds 3] [--batch 16]
    python -m benchmarks.whisper_throughput --shape small --cpu-threads 2 --context-s 5 --requests 24 --plain-requests 8
    python -m benchmarks.whisper_throughput --shape large-v3 --device cuda --batch 16

All get the same clips on the same device, in turn, several rounds; the medians of the rounds are compared (of plain
faster-whisper, only the last number of threads is measured in every round: it takes long and hardly varies). Beside the
rate stands the processor time that one request costs, which says the same on a machine that does other work too.

`--shape` makes a model of that shape with random weights in a temporary folder. It never ends a sentence, so every
utterance costs the most tokens that it is allowed, the same number for all.

The bare engine goes from samples to text (spectrogram, encoder, decoder) in full batches on one thread, without HTTP,
queue and guards. It is measured twice: alone, and with the other core as busy as callers and server make it; on virtual
processors that share a real one, that alone makes the same instructions take longer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from threadpoolctl import threadpool_limits

from benchmarks.spoken import Samples, utterances, wav
from benchmarks.whisper_load import body, closed_loop, milliseconds
from config import ROOT
from tests.whisper.processes import replica
from tests.whisper.random_model import SHAPES, make_random_model
from whisper_service.batcher import Again
from whisper_service.engine import choose_device, load_engine
from whisper_service.jobs import max_tokens

Run = Callable[[], tuple[float, float, list[float]]]
"""Requests per second, seconds of processor time per request, seconds of every request."""


def plain(model: str, clips: list[Samples], requests: int, device: str) -> Callable[[int], Run]:
    """faster-whisper as it comes: `transcribe` from threads, greedy, no timestamps, no fall-back, tokens as ours."""
    device, compute_type = choose_device(device, "auto", ctranslate2.get_cuda_device_count())
    whisper = WhisperModel(model, device=device, compute_type=compute_type, cpu_threads=1, num_workers=2)

    def one(number: int) -> float:
        clip = clips[number % len(clips)]
        began = time.perf_counter()
        segments, _ = whisper.transcribe(
            clip,
            language="fr",
            beam_size=1,
            temperature=0,
            without_timestamps=True,
            condition_on_previous_text=False,
            # it counts the prompt of four tokens, and CTranslate2 stops at half
            max_new_tokens=2 * max_tokens(clip.size / 16_000) - 4,
        )
        for _ in segments:
            pass
        return time.perf_counter() - began

    def with_threads(threads: int) -> Run:
        count = max(requests, threads)

        def run() -> tuple[float, float, list[float]]:
            began, worked = time.perf_counter(), time.process_time()
            with ThreadPoolExecutor(threads) as pool:
                seconds = list(pool.map(one, range(count)))
            rate = count / (time.perf_counter() - began)
            return rate, (time.process_time() - worked) / count, seconds

        return run

    return with_threads


def bare(model: str, clips: list[Samples], requests: int, batch: int, **options: float | str) -> Run:
    """The batched engine alone, samples to text: full batches, one thread, no HTTP, no queue, no guards."""
    engine = load_engine(model, **options)  # type: ignore[arg-type]

    def run() -> tuple[float, float, list[float]]:
        began, worked = time.perf_counter(), time.process_time()
        done, seconds = 0, []
        while done < requests:
            since = time.perf_counter()
            some = [clips[(done + i) % len(clips)] for i in range(batch)]
            todo = [engine.job(engine.features(clip), "fr") for clip in some]
            again = [answer.job for answer in engine.run(todo) if isinstance(answer, Again)]
            if again:
                engine.run(again)
            done += batch
            seconds += [time.perf_counter() - since] * batch
        return done / (time.perf_counter() - began), (time.process_time() - worked) / done, seconds

    return run


def served(process_id: int, url: str, bodies: list[bytes], callers: int, requests: int) -> Run:
    """The service, asked by callers who each ask again when they are answered."""

    def run() -> tuple[float, float, list[float]]:
        before_s = worked_s(process_id)
        answers = asyncio.run(closed_loop(url, bodies, callers, max(requests, callers)))
        good = answers.of(200)
        return len(good) / answers.seconds, (worked_s(process_id) - before_s) / len(good), good

    return run


@contextmanager
def busy_core() -> Iterator[None]:
    """A process that computes all the time."""
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(10_000))"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def worked_s(process_id: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Table:
    """What was measured, by name."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[float, float, float]]] = {}

    def note(self, name: str, run: Run) -> None:
        """Measures once."""
        rate, cost_s, seconds = run()
        p95_ms = 1000 * float(np.percentile(seconds, 95))
        self._rows.setdefault(name, []).append((rate, cost_s, p95_ms))
        print(f"{name:30} {rate:6.1f} req/s {1000 * cost_s:7.1f} ms of CPU each  {milliseconds(seconds)}", flush=True)

    def show(self, reference: str) -> None:
        """Medians, and ratios to plain faster-whisper and to the bare engine."""
        medians = {name: [median(values) for values in zip(*rows, strict=True)] for name, rows in self._rows.items()}
        plain_rate, (bare_rate, bare_cost_s, _) = medians[reference][0], medians["bare engine"]
        print("\n| | req/s | x plain | x bare | CPU ms each | x bare | p95 ms |\n|---|---|---|---|---|---|---|")
        for name, (rate, cost_s, p95_ms) in medians.items():
            print(
                f"| {name} | {rate:.1f} | {rate / plain_rate:.2f} | {rate / bare_rate:.2f} | {1000 * cost_s:.1f} "
                f"| {cost_s / bare_cost_s:.2f} | {p95_ms:.0f} |"
            )


def numbers(text: str) -> list[int]:
    """A list of whole numbers with commas; it may be empty."""
    return [int(number) for number in text.split(",") if number]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "demo-fr"))
    parser.add_argument("--shape", choices=sorted(SHAPES), help="random weights of this shape instead of --model")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--cpu-threads", type=int, default=1)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--plain-requests", type=int, default=60)
    parser.add_argument("--callers", type=numbers, default=[1, 4, 8, 16, 32, 64])
    parser.add_argument("--plain-callers", type=numbers, default=[8])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--context-s", type=float, default=0.0)
    arguments = parser.parse_args()
    threadpool_limits(limits=1, user_api="blas")  # as in the service, for all three
    clips = [samples for _, samples in utterances(32)]
    length_s = sum(clip.size for clip in clips) / 16_000 / len(clips)
    bodies = [body(wav(clip), deadline_ms=60_000) for clip in clips]
    table = Table()
    with ExitStack() as stack:
        model = arguments.model
        if arguments.shape:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            model = str(make_random_model(Path(folder), SHAPES[arguments.shape], endless=True))
        name = f"{arguments.shape}, random weights" if arguments.shape else Path(model).name
        print(f"model {name}, CTranslate2 {ctranslate2.__version__}, 32 clips of {length_s:.1f} s")
        plain_of = plain(model, clips, arguments.plain_requests, arguments.device)
        options = {
            "device": arguments.device,
            "cpu_threads": arguments.cpu_threads,
            "context_s": arguments.context_s,
        }
        run_bare = bare(model, clips, arguments.requests, arguments.batch, **options)
        environment = {
            "WHISPER_MAX_BATCH": str(arguments.batch),
            "WHISPER_DEADLINE_MS": "60000",
            "WHISPER_CONTEXT_S": str(arguments.context_s),
            "WHISPER_DEVICE": arguments.device,
            "WHISPER_CPU_THREADS": str(arguments.cpu_threads),
        }
        process, port = stack.enter_context(replica(model, **environment))
        url = f"http://127.0.0.1:{port}/whisper"
        asyncio.run(closed_loop(url, bodies, 4, min(40, arguments.requests)))
        for number in range(arguments.rounds):
            table.note("bare engine", run_bare)
            with busy_core():
                table.note("bare engine, other core busy", run_bare)
            for callers in arguments.callers:
                run = served(process.pid, url, bodies, callers, arguments.requests)
                table.note(f"service, {callers} callers", run)
            for threads in arguments.plain_callers if number == 0 else arguments.plain_callers[-1:]:
                table.note(f"plain, {threads} threads", plain_of(threads))
    table.show(f"plain, {arguments.plain_callers[-1]} threads")


if __name__ == "__main__":
    main()
