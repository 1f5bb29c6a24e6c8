"""`pronto prompts build|render|check|import`: from texts and recordings to the WAVs that callers hear."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from audio_prompts import espeak, kokoro
from audio_prompts.build import build, import_recording
from audio_prompts.catalogue import BadCatalogue, BadPromptAudio, PromptVoice, lengths_ms, read_catalogue
from audio_prompts.loudness import Samples, SilentAudio
from audio_prompts.phonemes import ESPEAK_OF, is_near_human
from audio_prompts.rendered import RenderedPrompts, render
from config import ROOT


def add_parser(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("prompts", help="build, check and import prompts")
    parser.add_argument("--prompts-dir", type=Path, default=ROOT / "audio_prompts", help="folder of languages")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("build", help="make every WAV that is missing or out of date")
    actions.add_parser("render", help="have the near-human voice speak what is new or changed, then build")
    actions.add_parser("check", help="say which prompts have no audio, and which audio no prompt")
    importing = actions.add_parser("import", help="put a recording in place of the synthesised voice")
    importing.add_argument("name", help="name of the prompt")
    importing.add_argument("file", type=Path, help="audio file of any format; format and level are fixed")
    importing.add_argument("--language", default="fr")


def run(args: argparse.Namespace) -> int:
    """0 when all is well, 1 when something is wrong with a prompt."""
    try:
        match args.action:
            case "build":
                return build_all(args.prompts_dir)
            case "render":
                render_all(args.prompts_dir)
                return build_all(args.prompts_dir)
            case "check":
                return _check(args.prompts_dir)
            case _:
                return _import(args.prompts_dir / args.language, args.name, args.file)
    except (BadCatalogue, espeak.EspeakFailed, kokoro.NoVoice, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def build_all(prompts_dir: Path) -> int:
    """Builds every language's prompts and prints what was done; 1 when a prompt could not be made.

    What is new or changed is rendered first where the near-human voice is on this machine; else espeak-ng speaks it.
    """
    if kokoro.is_there():
        render_all(prompts_dir)
    faults = 0
    for folder in languages(prompts_dir):
        done = build(folder, synthesise)
        faults += len(done.faults)
        for fault in done.faults:
            print(fault, file=sys.stderr)
        for name in done.adopted:
            print(f"{folder.name}/{name}.wav was replaced by hand: kept as {folder.name}/recordings/{name}.wav")
        if done.stand_ins:
            print(
                f"{folder.name}: espeak-ng speaks {', '.join(done.stand_ins)}: not rendered with this text and voice"
                " (scripts/fetch_voice.sh, then `pronto prompts render`)"
            )
        rendered = f"{len(done.rendered)} from rendered files, " if done.rendered else ""
        print(
            f"{folder.name}: {rendered}{len(done.synthesised)} prompts synthesised,"
            f" {len(done.recorded) + len(done.adopted)} from"
            f" recordings, {len(done.unchanged)} unchanged, {len(done.removed)} removed"
        )
    return 1 if faults else 0


def render_all(prompts_dir: Path) -> None:
    """Has the near-human voice speak what is new or changed, and prints what it was. Raises NoVoice, EspeakFailed."""
    voice: kokoro.Kokoro | None = None
    for folder in languages(prompts_dir):
        catalogue = read_catalogue(folder / "prompts.yaml")
        missing = list(RenderedPrompts(folder).missing(catalogue))
        if missing:
            print(f"{folder.name}: rendering {len(missing)} prompts, a few seconds each", flush=True)
            voice = voice or kokoro.Kokoro()
        done = render(folder, voice.speak if voice else _nobody)
        if done.spoken or done.removed:
            print(
                f"{folder.name}: {len(done.spoken)} prompts rendered, {len(done.unchanged)} unchanged,"
                f" {len(done.removed)} removed"
            )


def _nobody(text: str, voice: PromptVoice) -> Samples:
    raise kokoro.NoVoice(f"nothing was to be rendered, and now {text!r} is")


def synthesise(text: str, voice: PromptVoice) -> Samples:
    """A text in the synthesiser's voice: float32 at 8 kHz. It stands in for a near-human voice."""
    name = (voice.fallback or ESPEAK_OF[voice.name[0]]) if is_near_human(voice.name) else voice.name
    samples = espeak.speak(text, espeak.EspeakVoice(name, voice.speed, voice.pitch))
    return samples.astype(np.float32) / np.float32(32_768)


def languages(prompts_dir: Path) -> list[Path]:
    """The folders that hold a prompts.yaml. Raises OSError when there is none."""
    found = sorted(path.parent for path in prompts_dir.glob("*/prompts.yaml"))
    if not found:
        raise FileNotFoundError(f"no prompts.yaml below {prompts_dir}")
    return found


def _check(prompts_dir: Path) -> int:
    wrong = 0
    for folder in languages(prompts_dir):
        lengths = lengths_ms(folder)
        missing = [name for name, length in lengths.items() if length is None]
        strays = sorted(path.name for path in folder.glob("*.wav") if path.stem not in lengths)
        if missing:
            print(f"{folder}: no audio that can be played for {', '.join(missing)}: run `pronto prompts build`")
        for name in strays:
            print(f"{folder}/{name}: no prompt of this name in prompts.yaml")
        seconds = sum(length or 0 for length in lengths.values()) / 1_000
        recordings = len(list(folder.glob("recordings/*.wav")))
        print(f"{folder.name}: {len(lengths)} prompts, {seconds:.0f} s, {recordings} recorded, {len(missing)} missing")
        wrong += len(missing) + len(strays)
    return 1 if wrong else 0


def _import(folder: Path, name: str, file: Path) -> int:
    try:
        length_ms = import_recording(folder, name, file)
    except KeyError:
        print(f"{folder}/prompts.yaml has no prompt {name}: add its text first", file=sys.stderr)
        return 1
    except (BadPromptAudio, SilentAudio) as error:
        print(f"{file}: {error}" if isinstance(error, SilentAudio) else error, file=sys.stderr)
        return 1
    print(f"{folder.name}/{name}: {length_ms / 1_000:.1f} s, stored in {folder.name}/recordings/{name}.wav")
    return 0
