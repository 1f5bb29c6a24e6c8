"""`pronto intents eval` measures the intents of a language; `pronto intents try` explains one decision."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from config import STATE, BadSettings, IntentSettings, load
from intent_service.bundle import bundle_path, open_bundle, version_of
from intent_service.catalogue import Training
from intent_service.encoder import open_encoder
from intent_service.language import LanguageData, read_language
from intent_service.phrases import BadPhrases
from intent_service.recogniser import Candidate, IntentDecision, Recogniser, UnknownIntent


def add_parser(subparsers: Any) -> None:
    """Adds `intents eval` and `intents try`."""
    intents = subparsers.add_parser("intents", help="evaluate the intents, explain one decision")
    commands = intents.add_subparsers(dest="intents_command", metavar="COMMAND", required=True)
    evaluate = commands.add_parser("eval", help="cross-validated accuracy, confusions, contradictions, thresholds")
    evaluate.add_argument("--language", default="fr")
    evaluate.add_argument("--folds", type=int, default=12, help="parts that whole paraphrase groups are dealt into")
    evaluate.add_argument(
        "--picture", type=Path, default=STATE / "intents" / "confusions.svg", help="SVG or PNG to write"
    )
    evaluate.add_argument("--all-errors", action="store_true", help="print every phrase that was taken wrongly")
    attempt = commands.add_parser("try", help="explain what is made of a sentence")
    attempt.add_argument("sentence")
    attempt.add_argument("--language", default="fr")
    attempt.add_argument("--allowed", default="", help="intents of the state, with commas")


def run(args: argparse.Namespace) -> int:
    """Runs the command; 2 when settings or phrase files are bad."""
    try:
        settings = load(IntentSettings)
        data = read_language(settings.flows_dir, args.language)
        if args.intents_command == "eval":
            return _evaluate(args, settings, data)
        return _try(args, settings, data)
    except (BadSettings, BadPhrases, UnknownIntent, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2


def _evaluate(args: argparse.Namespace, settings: IntentSettings, data: LanguageData) -> int:
    from intent_service.evaluation import evaluate, report
    from intent_service.picture import draw_confusions
    from intent_service.remembered import RememberingEncoder

    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    encoder = RememberingEncoder(opened.encoder, settings.intent_cache_dir) if opened.encoder is not None else None
    print(f"encoder: {opened.backend}" + (f" ({opened.reason})" if opened.reason else ""), flush=True)
    result = evaluate(data, encoder, args.folds)
    if encoder is not None:
        encoder.keep()
    print(report(result, every_error=args.all_errors))
    draw_confusions(result, args.picture)
    print(f"\npicture of the confusions: {args.picture}")
    return 0


def _try(args: argparse.Namespace, settings: IntentSettings, data: LanguageData) -> int:
    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    version = version_of(data.source, opened.encoder.identity if opened.encoder is not None else "none")
    path = bundle_path(settings.intent_cache_dir, data.name, version)
    if not path.exists():
        print("training ...", file=sys.stderr)
        failure = Training()(data.name, awaited=True)
        if failure:
            raise RuntimeError(failure)
    recogniser = Recogniser(data, open_bundle(path), opened.encoder)
    allowed = [one.strip() for one in args.allowed.split(",") if one.strip()] or None
    main = recogniser.decide(args.sentence, allowed=allowed)
    print(explain("main", main))
    if main.fallback and data.faqs is not None:
        print(explain("questions", recogniser.decide(args.sentence, faqs=True)))
    return 0


def explain(name: str, decision: IntentDecision) -> str:
    """A decision in a few lines: what was read, what each part voted, what came of it."""
    lines = [f"{name}: {decision.intent}  score {decision.score:.2f}  ({decision.reason})"]
    lines.append(f"  read as     {decision.normalised or '(nothing)'}")
    if decision.top3:
        lines.append(f"  candidates  {_shown(decision.top3)}")
    if decision.lexical:
        lines.append(f"  threshold   {decision.threshold:.2f}")
        lines.append(f"  words say   {_shown(decision.lexical)}")
    if decision.semantic:
        lines.append(f"  meaning says {_shown(decision.semantic)}")
    return "\n".join(lines)


def _shown(candidates: tuple[Candidate, ...]) -> str:
    return "  ".join(f"{one.intent} {one.score:.2f}" for one in candidates)
