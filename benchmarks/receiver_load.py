"""How many calls one receiver process carries: N real-time RTP streams from another process against a real receiver.

    python -m benchmarks.receiver_load 50 100 200 --seconds 20

Per step: CPU of the receiver per call (all of the process: UDP, RTP, VAD, endpointing, Redis, posting to the
recogniser), chunks judged later than 40 ms after their last sample, packets lost in the kernel or the stream. The
recogniser is a stand-in of fixed delay, because it is not what is measured; Redis, UDP and Silero are real. The caller
speaks about a third of the time. Sender, stand-in and Redis are other processes; `--core` pins the receiver to one core
and everything else to the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import socket
import struct
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import redis
from aiohttp import web

from audio_prompts.espeak import EspeakVoice, speak
from config import ROOT
from devstack.processes import ChildProcess, free_tcp_port, free_udp_port
from devstack.redis_server import RedisServer
from protocol.codec import encode
from protocol.keys import media_key, receiver_key, stream_key
from protocol.messages import CallEnded, Listen, MediaStarted
from rtp_receiver.silero import SileroVad

PACKET_SAMPLES = 320
WARM_UP_S = 4.0
SENTENCES = ("oui bonjour", "je suis propriétaire", "soixante-quinze mille onze", "non merci ça ne m'intéresse pas")


@dataclass(frozen=True)
class Step:
    """What was measured with `calls` streams."""

    calls: int
    cpu_ms_per_call_second: float
    core_percent: float
    late_chunks: int
    chunks: int
    lag_p50_ms: float
    lag_p99_ms: float
    kernel_drops: int
    lost: int
    sent_late_percent: float
    """Packets that the sender itself sent more than 10 ms late: with many, the step says little."""
    posts: int
    calls_heard: int


def conversation() -> list[bytes]:
    """Twelve seconds of a caller: payloads of 20 ms, sentences with pauses."""
    parts = []
    for number, text in enumerate(SENTENCES):
        parts += [np.zeros(16_000 * 2, dtype=np.int16), speak(text, EspeakVoice(("fr", "fr+f4")[number % 2]), 16_000)]
    samples = np.concatenate([*parts, np.zeros(16_000 * 12, dtype=np.int16)])[: 16_000 * 12]
    return [samples[n : n + PACKET_SAMPLES].astype(">i2").tobytes() for n in range(0, len(samples), PACKET_SAMPLES)]


def send(port: int, calls: int, control: Connection) -> None:
    """Sends `calls` streams at 50 packets per second each, spread over the 20 ms, until `control` says stop."""
    sockets = []
    for _ in range(calls):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.connect(("127.0.0.1", port))
        sockets.append(sock)
    control.send([sock.getsockname() for sock in sockets])
    control.recv()
    payloads = conversation()
    header = struct.Struct("!BBHII")
    begin = time.perf_counter()
    sent = late = 0
    while not control.poll():
        due = begin + sent * 0.020 / calls
        now = time.perf_counter()
        if due > now:
            time.sleep(due - now)
            continue
        call, tick = sent % calls, sent // calls
        payload = payloads[(tick + 37 * call) % len(payloads)]
        sockets[call].send(header.pack(0x80, 118, tick & 0xFFFF, tick * 320 & 0xFFFFFFFF, call) + payload)
        sent += 1
        late += now - due > 0.010
    control.recv()
    control.send((sent, late))
    for sock in sockets:
        sock.close()


def answer(port: int, delay_s: float) -> None:
    """The stand-in of the recogniser."""

    async def whisper(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(delay_s)
        return web.json_response({"transcription": "oui"})

    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_post("/whisper", whisper)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def cpu_s(pid: int) -> float:
    """User and system time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def series(url: str) -> dict[str, float]:
    """All series of a service's /metrics."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def quantile_ms(before: dict[str, float], after: dict[str, float], share: float) -> float:
    """Upper bound of the histogram bucket that holds this share of the chunks between two readings."""
    bucket = re.compile(r'pronto_vad_lag_seconds_bucket\{le="(.*)"\}')
    found = sorted(
        (float(match[1]), after[name] - before.get(name, 0)) for name in after if (match := bucket.fullmatch(name))
    )
    return next((bound * 1_000 for bound, count in found if count >= share * found[-1][1]), float("inf"))


def measure(calls: int, seconds: float, pinned: int | None) -> Step:
    """One step: a fresh Redis, receiver, stand-in and sender."""
    rtp_port, http_port, whisper_port = free_udp_port(), free_tcp_port(), free_tcp_port()
    url = f"http://127.0.0.1:{http_port}"
    server = RedisServer()
    server.start()
    ours, theirs = multiprocessing.Pipe()
    sender = multiprocessing.Process(target=send, args=(rtp_port, calls, theirs), daemon=True)
    recogniser = multiprocessing.Process(target=answer, args=(whisper_port, 0.1), daemon=True)
    with tempfile.TemporaryDirectory() as folder:
        pin = ["taskset", "-c", str(pinned)] if pinned is not None else []
        receiver = ChildProcess(
            "rtp_receiver",
            [*pin, sys.executable, "-m", "rtp_receiver"],
            Path(folder) / "log",
            {
                "PYTHONPATH": str(ROOT),
                "REDIS_URL": server.url,
                "RTP_PORT": str(rtp_port),
                "RECEIVER_PORT": str(http_port),
                "WHISPER_URL": f"http://127.0.0.1:{whisper_port}/whisper",
                "LOG_LEVEL": "ERROR",
            },
        )
        try:
            recogniser.start()
            receiver.start()
            receiver.wait_until(lambda: _answers(http_port), 60)
            sender.start()
            sources = ours.recv()
            with redis.Redis.from_url(server.url) as client:
                for number, (host, port) in enumerate(sources):
                    name = f"call-{number}"
                    client.set(media_key("local", host, port), name)
                    listen = encode(Listen(name, 0.0, 1, "fr"))
                    client.set(receiver_key("local", "listen", name), listen)
                    client.xadd(stream_key("local", "commands"), {"m": listen})
                    client.xadd(stream_key("local", "events"), {"m": encode(MediaStarted(name, 0.0, host, port))})
                ours.send("go")
                time.sleep(WARM_UP_S)
                before, cpu_before, at = series(url), cpu_s(receiver.pid), time.perf_counter()
                time.sleep(seconds)
                after, cpu, took = series(url), cpu_s(receiver.pid), time.perf_counter() - at
                ours.send("stop")
                sent, late = ours.recv()
                for number in range(calls):
                    ended = CallEnded(f"call-{number}", 0.0, "caller_hung_up")
                    client.xadd(stream_key("local", "events"), {"m": encode(ended)})
        finally:
            receiver.stop()
            for process in (sender, recogniser):
                if process.is_alive():
                    process.terminate()
                    process.join()
            server.stop()

    def delta(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    return Step(
        calls=calls,
        cpu_ms_per_call_second=round((cpu - cpu_before) / took / calls * 1_000, 3),
        core_percent=round((cpu - cpu_before) / took * 100, 1),
        late_chunks=int(delta("pronto_vad_late_chunks_total")),
        chunks=int(delta("pronto_vad_lag_seconds_count")),
        lag_p50_ms=quantile_ms(before, after, 0.5),
        lag_p99_ms=quantile_ms(before, after, 0.99),
        kernel_drops=int(delta('pronto_rtp_dropped_total{reason="kernel_buffer_full"}')),
        lost=int(delta("pronto_rtp_lost_total")),
        sent_late_percent=round(100 * late / max(1, sent), 2),
        posts=int(sum(delta(name) for name in after if name.startswith("pronto_whisper_posts_total"))),
        calls_heard=int(after.get("pronto_active_streams", 0)),
    )


def detector_us(core: int | None) -> float:
    """Microseconds per stream of one step of 128 streams, nothing else running: how fast the core is just now. On a
    virtual machine it changes with what the neighbours do."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        vad = SileroVad()
        streams, chunks = [vad.open() for _ in range(128)], np.ones((128, 512), dtype=np.int16)
        took = []
        for _ in range(60):
            begin = time.perf_counter()
            vad.step(streams, chunks)
            took.append(time.perf_counter() - begin)
    finally:
        os.sched_setaffinity(0, before)
    return sorted(took)[len(took) // 10] * 1e6 / len(streams)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1) as answer_:
            return bool(answer_.status == 200)
    except OSError:
        return False


def main() -> None:
    """Measures every step and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", type=int, nargs="+")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--core", type=int, default=None, help="pin the receiver to this core, the rest to the others")
    parser.add_argument("--json", type=Path, help="also write the steps to this file")
    chosen = parser.parse_args()
    speed = f"{detector_us(chosen.core):.1f}"
    if chosen.core is not None and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {chosen.core})
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, detector alone {speed} microseconds per stream")
    print("| calls | CPU-ms per call and s | % of a core | late | lag p50 / p99 ms | kernel drops | lost | sent late |")
    print("|---|---|---|---|---|---|---|---|")
    steps = []
    for calls in chosen.calls:
        step = measure(calls, chosen.seconds, chosen.core)
        steps.append(asdict(step))
        print(
            f"| {calls} | {step.cpu_ms_per_call_second} | {step.core_percent} | {step.late_chunks} of {step.chunks} "
            f"| {step.lag_p50_ms:g} / {step.lag_p99_ms:g} | {step.kernel_drops} | {step.lost} "
            f"| {step.sent_late_percent} % |",
            flush=True,
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(steps, indent=1))


if __name__ == "__main__":
    main()
