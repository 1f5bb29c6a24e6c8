"""What a decision of the dialogue costs, side by side with another checkout: the same flow, the same conversations.

    git worktree add /tmp/before c2ad5ad
    python -m benchmarks.decision_cost --before /tmp/before [--rounds 20]

Every score of the heating flow, as it stands in the other checkout, is played by both, turn and turn about, each time
in a process of its own. Counted is the processor time of `handle`: one event in, actions out; not the snapshot that
rehearsals put between. The ratio is that of the medians over the rounds. `--more` is a folder of packages that the
other checkout needs and this one does not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from config import ROOT

PROGRAM = r"""
import json, sys, time
from pathlib import Path
from audio_prompts.catalogue import read_catalogue
from dialogue import rehearsal
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known
from dialogue.flow_store import intent_names
from dialogue.scores import phrases_resolver, play, read_scores

from_tree, times = Path(sys.argv[1]), int(sys.argv[2])
folder = from_tree / "flows" / "fr"
texts = read_catalogue(from_tree / "audio_prompts" / "fr" / "prompts.yaml").texts
lengths = {name: len(text) * 70 for name, text in texts.items()}
known = Known(intent_names(folder / "intents.yaml"), intent_names(folder / "faqs.yaml"), lengths)
flow = read_flow((folder / "heating.yaml").read_text(encoding="utf-8"), "heating.yaml", known)
resolve = phrases_resolver(from_tree / "flows", "fr", flow.faqs)
scores = [one for path in sorted((from_tree / "tests/flows/scores").glob("*.yaml")) for one in read_scores(path)]
scores = [one for one in scores if one.flow == "fr/heating"]
plain, spent, count = rehearsal.handle, 0.0, 0

def counted(flow, dialogue, event):
    global spent, count
    begun = time.process_time_ns()
    found = plain(flow, dialogue, event)
    spent += time.process_time_ns() - begun
    count += 1
    return found

wrong = sum(bool(play(one, flow, resolve).faults) for one in scores)  # and everything is warm
rehearsal.handle = counted
for _ in range(times):
    for one in scores:
        play(one, flow, resolve)
print(json.dumps({"us": spent / count / 1_000, "events": count, "scores": len(scores), "wrong": wrong}))
"""


def measured(tree: Path, scores_of: Path, times: int, more: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(scores_of), str(times)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), *([more] if more else [])])},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--times", type=int, default=3, help="how often each round plays every score")
    parser.add_argument("--more", default="", help="packages that only the other checkout needs")
    args = parser.parse_args()
    trees = {"before": args.before.resolve(), "now": ROOT}
    us: dict[str, list[float]] = {name: [] for name in trees}
    for number in range(args.rounds):
        for name in sorted(trees, reverse=bool(number % 2)):
            found = measured(trees[name], trees["before"], args.times, args.more)
            us[name].append(found["us"])
    size = f"{found['scores']:g} scores, {found['events']:g} events a round"
    print(f"{size}, {args.rounds} rounds")
    for name, values in us.items():
        print(f"{name:7} median {statistics.median(values):6.1f} us, best {min(values):6.1f}, worst {max(values):6.1f}")
    print(f"now / before: {statistics.median(us['now']) / statistics.median(us['before']):.3f} of the medians, "
          f"{min(us['now']) / min(us['before']):.3f} of the best")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
