"""Our receiver beside other projects' voice activity detection: same audio, same core, same run, paced in real time.

    python -m benchmarks.receiver_rivals --core 1 --json .pronto/rivals.json
    python -m benchmarks.receiver_rivals --draw benchmarks/rivals.svg .pronto/rivals.json

The others are installed from PyPI into `.pronto/rivals` by this script and run there, each in a process of its own on
the same core as our receiver before it. They get PCM frames by a function call and are asked for speech only; ours gets
RTP over UDP, reorders it, finds the utterances, posts them to a recogniser and tells Redis. Each climbs its ladder of
calls until a frame is late: its decision known more than 40 ms after its audio was there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.receiver_load import conversation, detector_us
from benchmarks.receiver_load import measure as measure_ours
from config import ROOT, STATE

PACKAGES = ("pipecat-ai[silero]==1.14.0", "livekit-agents==1.8.9", "livekit-plugins-silero==1.8.9")
LADDERS = {
    "pipecat-aggregator": (1, 5, 8, 11, 14, 18, 24),
    "pipecat-processor": (2, 8, 14, 20, 26, 35),
    "pipecat-analyzer": (5, 15, 22, 30, 40, 55),
    "livekit-plugin": (10, 25, 40, 55, 70, 90, 110),
    "livekit-native": (20, 50, 75, 100, 130, 170),
    "ours": (200, 300, 400, 450, 500, 550),
}
TITLES = {
    "pipecat-aggregator": "pipecat 1.14, default user aggregator",
    "pipecat-processor": "pipecat 1.14, VADProcessor",
    "pipecat-analyzer": "pipecat 1.14, Silero analyzer",
    "livekit-plugin": "LiveKit 1.8.9, Silero plugin",
    "livekit-native": "LiveKit 1.8.9, native VAD",
    "ours": "Pronto: RTP, VAD, endpointing, posts, events",
}


@dataclass
class Rung:
    """One engine with so many calls."""

    engine: str
    calls: int
    core_percent: float
    cpu_ms_per_call_second: float
    judged: int
    late: int
    p99_ms: float


def install(folder: Path) -> Path:
    """The interpreter of an environment with the packages; made once. Raises CalledProcessError."""
    python = folder / "venv" / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists() or ready.read_text(encoding="utf-8") != repr(PACKAGES):
        print("installing the others into", folder, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        ready.write_text(repr(PACKAGES), encoding="utf-8")
    return python


def theirs(python: Path, engine: str, calls: int, audio: Path, seconds: float, core: int) -> Rung:
    """One run of another project. Raises CalledProcessError and TimeoutExpired."""
    feed = Path(__file__).parent / "rivals" / "feed.py"
    command = ["taskset", "-c", str(core), str(python), str(feed), engine, str(calls), str(audio)]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--seconds", str(seconds)], env=quiet, capture_output=True, text=True, timeout=120, check=True
    )
    return Rung(engine=engine, **json.loads(done.stdout.splitlines()[-1]))


def ours(calls: int, seconds: float, core: int) -> Rung:
    """One run of our receiver."""
    step = measure_ours(calls, seconds, core)
    late = step.late_chunks + step.kernel_drops + step.lost
    return Rung("ours", calls, step.core_percent, step.cpu_ms_per_call_second, step.chunks, late, step.lag_p99_ms)


def climb(engine: str, python: Path, audio: Path, seconds: float, core: int, tries: int) -> list[Rung]:
    """Up the ladder until a frame is late in each of `tries` runs."""
    rungs: list[Rung] = []
    for calls in LADDERS[engine]:
        for _ in range(tries):
            rung = (
                ours(calls, seconds, core) if engine == "ours" else theirs(python, engine, calls, audio, seconds, core)
            )
            rungs.append(rung)
            print(row(rung), flush=True)
            if not rung.late:
                break
        if rungs[-1].late:
            break
    return rungs


def row(rung: Rung) -> str:
    """One line of the table."""
    return (
        f"| {TITLES[rung.engine]} | {rung.calls} | {rung.cpu_ms_per_call_second} | {rung.core_percent:.0f} % "
        f"| {rung.late} of {rung.judged} | {rung.p99_ms:g} |"
    )


def summary(rungs: list[Rung]) -> list[str]:
    """Per engine: the highest number of calls without a late frame, what a call cost there, and ours against it."""
    best = {engine: max((r for r in rungs if r.engine == engine and not r.late), key=lambda r: r.calls, default=None)
            for engine in LADDERS}  # fmt: skip
    mine = best["ours"]
    lines = ["| engine | calls without a late frame | CPU-ms per call and s | calls: ours against it | CPU per call |"]
    lines.append("|---|---|---|---|---|")
    for engine, rung in best.items():
        if rung is None:
            lines.append(f"| {TITLES[engine]} | fewer than {LADDERS[engine][0]} | | | |")
            continue
        against = ""
        if mine is not None and engine != "ours":
            cheaper = rung.cpu_ms_per_call_second / mine.cpu_ms_per_call_second
            against = f"{mine.calls / rung.calls:.1f}x | {cheaper:.1f}x"
        lines.append(f"| {TITLES[engine]} | {rung.calls} | {rung.cpu_ms_per_call_second} | {against or ' | '} |")
    return lines


def draw(path: Path, rungs: list[Rung]) -> None:
    """Share of the core against the number of calls; a cross where frames were late."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for engine, title in TITLES.items():
        mine = sorted((r for r in rungs if r.engine == engine), key=lambda r: r.calls)
        (line,) = axes.plot([r.calls for r in mine], [r.core_percent for r in mine], ".-", label=title)
        late = [r for r in mine if r.late]
        axes.plot([r.calls for r in late], [r.core_percent for r in late], "x", ms=10, color=line.get_color())
    axes.set(xlabel="calls at once", ylabel="% of one core", xscale="log", ylim=(0, 105))
    axes.legend(fontsize=8)
    axes.set_title("Cross: frames were late", fontsize=9)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Installs, measures, prints; or draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core", type=int, default=1, help="the core for what is measured; the rest has the others")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--tries", type=int, default=1, help="runs per rung before it counts as late")
    parser.add_argument("--only", nargs="+", choices=LADDERS, default=list(LADDERS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--draw", type=Path, nargs=2, metavar=("PICTURE", "JSON"))
    chosen = parser.parse_args()
    if chosen.draw:
        draw(chosen.draw[0], [Rung(**item) for item in json.loads(chosen.draw[1].read_text(encoding="utf-8"))])
        return
    python = install(STATE / "rivals")
    speed = f"{detector_us(chosen.core):.1f}"
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {chosen.core})
    rungs: list[Rung] = []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, our detector alone {speed} microseconds per stream")
    print("| engine | calls | CPU-ms per call and s | of the core | late | lag p99 ms |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".pronto") as folder:
        audio = Path(folder) / "audio.raw"
        audio.write_bytes(np.frombuffer(b"".join(conversation()), dtype=">i2").astype("<i2").tobytes())
        for engine in chosen.only:
            rungs += climb(engine, python, audio, chosen.seconds, chosen.core, chosen.tries)
            if chosen.json:
                chosen.json.write_text(json.dumps([asdict(rung) for rung in rungs], indent=1), encoding="utf-8")
    print()
    print("\n".join(summary(rungs)))


if __name__ == "__main__":
    main()
