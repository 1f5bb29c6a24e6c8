"""`pronto flow check|graph|test|chat`: flows without a telephone."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from audio_prompts.catalogue import read_catalogue
from config import ROOT, BotSettings, IntentSettings, load
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow
from dialogue.flow_picture import picture
from dialogue.flow_store import FlowStore
from dialogue.rehearsal import Resolver
from dialogue.scores import BadScore, coverage, phrases_resolver, play, read_scores
from pronto.flow_chat import HttpIntents, IntentsAway, LiveWorld, OwnIntents, TypedWorld, chat

SCORES = ROOT / "tests" / "flows" / "scores"


def add_parser(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("flow", help="check, draw, test and chat with a flow")
    parser.add_argument("--flows-dir", type=Path, default=ROOT / "flows")
    parser.add_argument("--prompts-dir", type=Path, default=ROOT / "audio_prompts")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("check", help="say everything that is wrong with the flows, with file and line")
    graph = actions.add_parser("graph", help="draw a flow as an SVG picture")
    graph.add_argument("flow", nargs="?", default="fr/heating")
    graph.add_argument("-o", "--output", type=Path, help="file; the terminal by default")
    test = actions.add_parser("test", help="play conversation scores, without audio")
    test.add_argument("files", nargs="*", type=Path, help=f"score files; all of {SCORES.relative_to(ROOT)} by default")
    talk = actions.add_parser("chat", help="talk to a flow by text")
    talk.add_argument("flow", nargs="?", default="fr/heating")
    talk.add_argument(
        "--phrases", action="store_true", help="know only the phrases of the intent files, ask no service"
    )
    talk.add_argument("--live", action="store_true", help="really ask the servers of ACTION_HOSTS, instead of you")


def run(args: argparse.Namespace) -> int:
    """0 when all is well; 1 when a flow or a score is wrong."""
    store = FlowStore(args.flows_dir, args.prompts_dir)
    if faults := store.load().faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    try:
        match args.action:
            case "check":
                return _check(store)
            case "graph":
                return _graph(_named(store, args.flow), args.output)
            case "test":
                return _test(store, args.files, args.flows_dir)
            case _:
                return _chat(_named(store, args.flow), args)
    except (BadFlow, BadScore, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _named(store: FlowStore, name: str) -> Flow:
    if name not in store.names():
        raise FileNotFoundError(f"no flow {name}; there are {', '.join(store.names())}")
    return store.current(name)


def _check(store: FlowStore) -> int:
    for name in store.names():
        flow = store.current(name)
        asking = sum(state.listens for state in flow.states.values())
        print(f"{name}: good; {len(flow.states)} states, {asking} of them ask, version {flow.version}")
    return 0


def _graph(flow: Flow, output: Path | None) -> int:
    if output is None:
        print(picture(flow), end="")
    else:
        output.write_text(picture(flow), encoding="utf-8")
    return 0


def _test(store: FlowStore, files: list[Path], flows_dir: Path) -> int:
    begun = time.perf_counter()
    scores = [score for path in files or sorted(SCORES.glob("*.yaml")) for score in read_scores(path)]
    resolvers: dict[str, Resolver] = {}
    results = []
    for score in scores:
        flow = _named(store, score.flow)
        if score.flow not in resolvers:
            resolvers[score.flow] = phrases_resolver(flows_dir, flow.language, flow.faqs)
        results.append(play(score, flow, resolvers[score.flow]))
    wrong = [fault for result in results for fault in result.faults]
    for fault in wrong:
        print(fault)
    took_s = time.perf_counter() - begun
    print(f"{len(scores)} scores, {len(wrong)} wrong, {took_s:.1f} s")
    for name in sorted({score.flow for score in scores}):
        covered = coverage(store.current(name), [result for result in results if result.score.flow == name])
        print(f"{name}: {len(covered.covered)} of {len(covered.covered) + len(covered.missing)} ways covered")
        for missing in covered.missing:
            print(f"  not covered: {missing}")
    return 1 if wrong else 0


def _chat(flow: Flow, args: argparse.Namespace) -> int:
    catalogue = args.prompts_dir / flow.language / "prompts.yaml"
    texts = read_catalogue(catalogue).texts if catalogue.exists() else {}
    world = LiveWorld(load(BotSettings)) if args.live else TypedWorld()
    return chat(flow, texts, _resolver(flow, args), time.time(), world)


def _resolver(flow: Flow, args: argparse.Namespace) -> Resolver:
    """Who finds the intents: the running service, else its models in this process; or only the known phrases."""
    if args.phrases:
        return phrases_resolver(args.flows_dir, flow.language, flow.faqs)
    settings = load(BotSettings)
    service = HttpIntents(
        settings.intent_main_url, settings.intent_faqs_url, flow.language, token=settings.pronto_token
    )
    try:
        service("oui", ())
    except IntentsAway:
        print("(no intent service is running: its models are loaded here)")
        return OwnIntents(replace(load(IntentSettings), flows_dir=args.flows_dir), flow.language)
    return service
