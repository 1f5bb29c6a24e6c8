"""Two releases on one bus: `python -m benchmarks.rolling_upgrade --before REVISION`, calls going on meanwhile.

Each scene places calls on a whole stack and changes the release of services under them. What counts: calls that came to
the end of their script with the right lead, calls that were handed over, and calls that were stranded (neither ended
nor handed over).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callers.many_calls import Hall
from callers.play_script import CallReport
from callers.script import read_script
from config import ROOT
from devstack.remains import remains
from devstack.stack import SERVICES, Stack, StackPlan

SCRIPTS = ("happy_path", "zip_code_corrected", "refused_not_owner", "faq_and_back")
ALL = tuple(SERVICES)


@dataclass(frozen=True)
class Scene:
    """Services that begin in the release before, and what is then replaced, in turn: service -> back to it or not. What
    that release does not have yet is the new one throughout."""

    name: str
    old: tuple[str, ...]
    changes: tuple[tuple[str, bool], ...] = ()


SCENES = (
    Scene("new bot manager, the rest of the release before", tuple(name for name in ALL if name != "bot_manager")),
    Scene("new controller, the rest of the release before", tuple(name for name in ALL if name != "ari_controller")),
    Scene("new receiver, the rest of the release before", tuple(name for name in ALL if name != "rtp_receiver")),
    Scene("every service upgraded under the calls", ALL, tuple((name, False) for name in ALL)),
    Scene("every service rolled back under the calls", (), tuple((name, True) for name in ALL)),
    Scene("the bot manager alone rolled back under the calls", (), (("bot_manager", True),)),
)


def checkout(revision: str, folder: Path) -> Path:
    """A work tree of another release."""
    subprocess.run(["git", "worktree", "add", "--detach", "--force", str(folder), revision], cwd=ROOT, check=True)
    (folder / ".pronto").symlink_to(ROOT / ".pronto")
    return folder


async def play(stack: Stack, scene: Scene, before: Path, calls: int) -> list[CallReport]:
    """Places the calls and changes the releases while they go on."""
    texts = [ROOT / "tests" / "calls" / f"{name}.yaml" for name in SCRIPTS]
    scores = [read_script(path.read_text(encoding="utf-8"), str(path)) for path in texts]
    async with Hall(stack, patience=6) as hall:
        placed = hall.place(scores, calls, over_s=calls / 2)
        await hall.all_up(calls // 2)
        for service, goes_back in scene.changes:
            if goes_back and (before / service).is_dir():
                stack.trees[service] = before
            else:
                stack.trees.pop(service, None)
            await asyncio.to_thread(stack.restart, service)
        return await placed


def told(reports: Sequence[CallReport]) -> Counter[str]:
    """How the calls came out."""
    found: Counter[str] = Counter()
    for report in reports:
        if report.passed:
            found["as scripted"] += 1
        elif report.view is not None and report.view.end_reason == "transferred":
            found["handed over"] += 1
        elif report.view is None or not report.view.ended:
            found["stranded"] += 1
        else:
            found[f"ended otherwise ({report.view.end_reason})"] += 1
    return found


def run(scene: Scene, before: Path, calls: int, settings: Mapping[str, str]) -> None:
    """Plays a scene and prints a row of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trees = dict.fromkeys((name for name in scene.old if (before / name).is_dir()), before)
        plan = StackPlan(folder / "logs", folder / "state", settings=settings, redis_dir=folder / "redis", trees=trees)
        with Stack(plan) as stack:
            reports = asyncio.run(play(stack, scene, before, calls))
            left = remains(stack, 10.0)
        outcome = ", ".join(f"{count} {what}" for what, count in sorted(told(reports).items()))
        print(f"| {scene.name} | {outcome} | {len(left.channels)} channels, {len(left.bridges)} bridges |", flush=True)
        for report in reports:
            if not report.passed:
                print(f"    {report.score.name}: {report.faults[:2]}", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", required=True, help="the release before: a revision of this repository")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--scene", type=int, help="only this one, counted from 1")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        before = checkout(arguments.before, Path(name) / "before")
        try:
            print(f"| scene ({arguments.calls} calls) | calls | left behind |\n|---|---|---|", flush=True)
            for number, scene in enumerate(SCENES, 1):
                if arguments.scene in (None, number):
                    run(scene, before, arguments.calls, {})
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(before)], cwd=ROOT, check=False)


if __name__ == "__main__":
    main()
