"""The results of the caller's seat as a table and a picture: what was heard, and beside it what we logged."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.seat_stages import STAGES

Row = dict[str, Any]
EARLY, ENDPOINTED = ("early",), ("endpoint", "continued")
GOAL_P50_MS, GOAL_P95_MS = 450.0, 900.0


def report(results: Path, picture: Path | None) -> int:
    """Prints the tables; draws the picture where one is wanted."""
    rows = [json.loads(line) for line in results.read_text("utf-8").splitlines() if line.strip()]
    groups: dict[tuple[str, str, str, int], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["mode"], row["kind"], row["condition"], row["at_once"]].append(row)
    for (mode, kind, condition, at_once), group in sorted(groups.items()):
        print(f"\n{mode}, {kind} callers, {condition}, {at_once} at once: {len(group)} turns")
        if mode == "answers":
            _answers(group)
        elif mode == "barge-in":
            _line("prompt silent after", [row["stop_ms"] for row in group if row["stop_ms"] is not None])
            _answers(group)
        else:
            _noises(group)
    if picture is not None:
        draw([row for row in rows if row["mode"] == "answers" and row["kind"] == "plain"], picture)
    return 0


def _answers(group: list[Row]) -> None:
    answered = [row for row in group if row["answer_ms"] is not None]
    _line("all", [row["answer_ms"] for row in answered])
    for name, ways in (("taken early", EARLY), ("endpointed", ENDPOINTED)):
        chosen = [row for row in answered if row.get("committed") in ways]
        _line(name, [row["answer_ms"] for row in chosen])
    own = [row["own_ms"] for row in answered if "own_ms" in row]
    _line("own share", own)
    logged = [row["answer_ms"] - row["logged_ms"] for row in answered if "logged_ms" in row]
    _line("heard later than logged", logged)
    cut, dead = sum(row["cut_off"] for row in group), sum(row["dead_air"] for row in group)
    print(f"  cut off {cut} ({100 * cut / len(group):.1f} %), dead air {dead}, stalls of the caller's own clock "
          f"{sum(row['stalls'] for row in group)}")  # fmt: skip
    for name, ways in (("taken early", EARLY), ("endpointed", ENDPOINTED)):
        stages = [row["stages_ms"] for row in answered if row.get("committed") in ways]
        if stages:
            p50, p95 = np.quantile(np.array(stages), [0.5, 0.95], axis=0)
            parts = "; ".join(f"{stage} {a:.0f}/{b:.0f}" for stage, a, b in zip(STAGES, p50, p95, strict=True))
            print(f"  {name}, p50/p95 ms: {parts}")


def _line(name: str, values: list[float]) -> None:
    if values:
        p50, p95 = np.quantile(values, [0.5, 0.95])
        print(f"  {name:24s} n {len(values):4d}   p50 {p50:6.0f} ms   p95 {p95:6.0f} ms   most {max(values):6.0f} ms")


def _noises(group: list[Row]) -> None:
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in group:
        by_name[row["said"]].append(row)
    for name, some in sorted(by_name.items()):
        stopped = [row for row in some if row["stopped"]]
        resumed = [row for row in stopped if "skip_ms" in row]
        print(f"  {name:24s} n {len(some):3d}   stopped {len(stopped)}   resumed {len(resumed)}")
    resumed = [row for row in group if "skip_ms" in row]
    _line("silent for", [row["silent_ms"] for row in resumed])
    _line("resumed after the noise", [row["resumed_after_ms"] for row in resumed])
    _line("said again", [-row["skip_ms"] for row in resumed])


def draw(rows: list[Row], picture: Path) -> None:
    """Answer times as heard, each stage as logged, and the stages one after the other."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "pronto", "font.size": 8, "svg.fonttype": "none"})
    figure, (heard, stages, fall) = plt.subplots(1, 3, figsize=(13, 4.2), width_ratios=(3, 3, 2.4))
    taken = {
        "taken early": [row for row in rows if row.get("committed") in EARLY and row["answer_ms"] is not None],
        "endpointed": [row for row in rows if row.get("committed") in ENDPOINTED and row["answer_ms"] is not None],
    }
    everyone = [row for row in rows if row["answer_ms"] is not None]
    for name, some in (("all", everyone), *taken.items()):
        _cdf(heard, [row["answer_ms"] for row in some], f"{name} ({len(some)})")
    heard.axvline(GOAL_P50_MS, color="grey", lw=0.8, ls=":")
    heard.axvline(GOAL_P95_MS, color="grey", lw=0.8, ls=":")
    heard.set(title="answer time heard by the caller", xlabel="ms", xlim=(0, 1_500), ylim=(0, 1))
    heard.legend(loc="lower right")
    measured = np.array([row["stages_ms"] for row in everyone if "stages_ms" in row])
    colours = plt.get_cmap("tab10").colors
    for number, stage in enumerate(STAGES):
        _cdf(stages, list(measured[:, number]), stage, color=colours[number])
    stages.set(title="stages, from our messages", xlabel="ms", xlim=(0, 800), ylim=(0, 1))
    stages.legend(loc="lower right")
    for place, some in enumerate(taken.values()):
        means = np.mean([row["stages_ms"] for row in some if "stages_ms" in row], axis=0) if some else np.zeros(7)
        bottom = 0.0
        for number, stage in enumerate(STAGES):
            fall.bar(place, means[number], 0.94, bottom=bottom, color=colours[number])
            if means[number] >= 20:
                fall.text(
                    place, bottom + means[number] / 2, f"{stage} {means[number]:.0f}", ha="center", va="center", size=7
                )
            bottom += means[number]
        heard_ms = np.mean([row["answer_ms"] for row in some]) if some else 0.0
        fall.plot([place - 0.47, place + 0.47], [heard_ms, heard_ms], color="black", lw=1.2)
        fall.text(place, heard_ms + 10, f"heard {heard_ms:.0f} ms", ha="center")
    fall.set(title="where the time goes, means", ylabel="ms", xticks=(0, 1), xticklabels=tuple(taken))
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})
    print(f"\npicture: {picture}")


def _cdf(axes: Any, values: list[float], label: str, **style: Any) -> None:
    if values:
        axes.plot(np.sort(values), np.arange(1, len(values) + 1) / len(values), label=label, **style)
