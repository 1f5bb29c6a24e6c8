"""Feeds N calls in real time to another project's voice activity detection, in its own Python; prints one JSON line.

    .pronto/rivals/venv/bin/python benchmarks/rivals/feed.py pipecat-analyzer 20 AUDIO.raw --seconds 8

AUDIO.raw is 16-bit mono PCM at 16 kHz. Every call gets a frame of 20 ms every 20 ms, at its own place in the audio and
in the 20 ms. A frame is late when what its audio decided is known more than 40 ms after the frame was due. Only public
interfaces are used, with their defaults; nothing here is imported by the product.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

FRAME_BYTES = 640
FRAME_S = 0.020
WINDOW_SAMPLES = 512
WARM_UP_S = 3.0
LATE_S = 0.040
PHASES = 8
"""Five of eight frames complete a window. Calls begin at different frames, or all would have theirs at once."""

Feed = Callable[[bytes, float], Awaitable[None]]


class Lags:
    """Seconds from when a frame was due to when it was judged, once the warm-up is over."""

    def __init__(self) -> None:
        self.counting = False
        self.all: list[float] = []

    def judged(self, due: float) -> None:
        if self.counting:
            self.all.append(time.perf_counter() - due)


def timed_analyzer(lags: Lags) -> Any:
    """Pipecat's Silero analyzer, which also notes when it is done; `dues` has to be filled before each frame."""
    from pipecat.audio.vad.silero import SileroVADAnalyzer

    class Timed(SileroVADAnalyzer):
        def __init__(self) -> None:
            super().__init__(sample_rate=16_000)
            self.dues: deque[float] = deque()

        async def analyze_audio(self, buffer: bytes) -> Any:
            state = await super().analyze_audio(buffer)
            if self.dues:
                lags.judged(self.dues.popleft())
            return state

    return Timed()


async def pipecat_analyzer(lags: Lags) -> Feed:
    """The analyzer alone, one task per call."""
    analyzer = timed_analyzer(lags)
    analyzer.set_sample_rate(16_000)
    queue: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()

    async def work() -> None:
        while True:
            frame, due = await queue.get()
            analyzer.dues.append(due)
            await analyzer.analyze_audio(frame)

    tasks.append(asyncio.create_task(work()))

    async def feed(frame: bytes, due: float) -> None:
        queue.put_nowait((frame, due))

    return feed


async def pipecat_pipeline(lags: Lags, make: Callable[[Any], Any]) -> Feed:
    """A pipeline per call around what `make` makes of the analyzer."""
    from pipecat.frames.frames import InputAudioRawFrame
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.pipeline.worker import PipelineParams, PipelineWorker
    from pipecat.workers.runner import WorkerRunner

    analyzer = timed_analyzer(lags)
    worker = PipelineWorker(
        Pipeline([make(analyzer)]),
        cancel_on_idle_timeout=False,
        enable_rtvi=False,
        params=PipelineParams(audio_in_sample_rate=16_000),
    )
    started = asyncio.Event()

    async def on_started(*_: Any) -> None:
        started.set()

    worker.add_event_handler("on_pipeline_started", on_started)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    tasks.append(asyncio.create_task(runner.run()))
    await asyncio.wait_for(started.wait(), 30)

    async def feed(frame: bytes, due: float) -> None:
        analyzer.dues.append(due)
        await worker.queue_frame(InputAudioRawFrame(audio=frame, sample_rate=16_000, num_channels=1))

    return feed


async def pipecat_processor(lags: Lags) -> Feed:
    """VADProcessor in a pipeline."""
    from pipecat.processors.audio.vad_processor import VADProcessor

    return await pipecat_pipeline(lags, lambda analyzer: VADProcessor(vad_analyzer=analyzer))


async def pipecat_aggregator(lags: Lags) -> Feed:
    """The user aggregator with its default strategies in a pipeline."""
    from pipecat.processors.aggregators.llm_context import LLMContext
    from pipecat.processors.aggregators.llm_response_universal import LLMUserAggregator, LLMUserAggregatorParams

    return await pipecat_pipeline(
        lags, lambda analyzer: LLMUserAggregator(LLMContext(), params=LLMUserAggregatorParams(vad_analyzer=analyzer))
    )


async def livekit_stream(lags: Lags, vad: Any) -> Feed:
    """A stream of a LiveKit VAD, and a reader of its events."""
    from livekit import rtc
    from livekit.agents.vad import VADEventType

    stream = vad.stream()
    dues: deque[float] = deque()
    fed = windows = 0

    async def read() -> None:
        nonlocal windows
        async for event in stream:
            if event.type == VADEventType.INFERENCE_DONE:
                windows += 1
                due = 0.0
                while dues and (fed - len(dues)) * 320 < windows * WINDOW_SAMPLES:
                    due = dues.popleft()
                if due:
                    lags.judged(due)

    tasks.append(asyncio.create_task(read()))

    async def feed(frame: bytes, due: float) -> None:
        nonlocal fed
        fed += 1
        dues.append(due)
        stream.push_frame(rtc.AudioFrame(frame, 16_000, 1, 320))

    return feed


async def livekit_plugin(lags: Lags) -> Feed:
    """livekit-plugins-silero; one model for all calls, as its documentation has it."""
    from livekit.plugins import silero

    shared.setdefault("plugin", silero.VAD.load())
    return await livekit_stream(lags, shared["plugin"])


async def livekit_native(lags: Lags) -> Feed:
    """The native detector of LiveKit Agents, used inside LiveKit Agents as its licence wants it."""
    from livekit.agents import inference

    shared.setdefault("native", inference.VAD())
    return await livekit_stream(lags, shared["native"])


ENGINES = {
    "pipecat-analyzer": pipecat_analyzer,
    "pipecat-processor": pipecat_processor,
    "pipecat-aggregator": pipecat_aggregator,
    "livekit-plugin": livekit_plugin,
    "livekit-native": livekit_native,
}
tasks: list[asyncio.Task[Any]] = []
shared: dict[str, Any] = {}


async def run(engine: str, calls: int, audio: bytes, seconds: float) -> dict[str, float]:
    """Feeds `calls` for the warm-up and `seconds`; what it cost and how late it was."""
    lags = Lags()
    feeds = [await ENGINES[engine](lags) for _ in range(calls)]
    frames = [audio[n : n + FRAME_BYTES] for n in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)]
    begin = time.perf_counter() + 0.5
    sent = 0
    cpu = at = 0.0
    while True:
        due = begin + sent * FRAME_S / calls
        now = time.perf_counter()
        if due > now:
            await asyncio.sleep(max(0.001, due - now))
            continue
        if not lags.counting and now - begin >= WARM_UP_S:
            lags.counting, cpu, at = True, time.process_time(), now
        if lags.counting and now - at >= seconds:
            break
        call, tick = sent % calls, sent // calls
        if tick >= call % PHASES:
            await feeds[call](frames[(tick + 37 * call) % len(frames)], due)
        sent += 1
        if sent % 16 == 0:
            await asyncio.sleep(0)
    took, cpu = time.perf_counter() - at, time.process_time() - cpu
    behind = time.perf_counter() - begin - sent * FRAME_S / calls
    ordered = sorted(lags.all)
    return {
        "calls": calls,
        "core_percent": round(cpu / took * 100, 1),
        "cpu_ms_per_call_second": round(cpu / took / calls * 1_000, 2),
        "judged": len(ordered),
        "late": sum(lag > LATE_S for lag in ordered) + (1 if behind > LATE_S or not ordered else 0),
        "p99_ms": round(ordered[int(0.99 * len(ordered))] * 1_000, 1) if ordered else -1.0,
    }


def main() -> None:
    """Prints the JSON line and leaves without waiting for other projects' threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("calls", type=int)
    parser.add_argument("audio", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0)
    chosen = parser.parse_args()
    try:
        from loguru import logger

        logger.remove()
    except ImportError:
        pass

    async def measured() -> None:
        print(json.dumps(await run(chosen.engine, chosen.calls, chosen.audio.read_bytes(), chosen.seconds)), flush=True)
        import os

        os._exit(0)

    asyncio.run(measured())


if __name__ == "__main__":
    main()
