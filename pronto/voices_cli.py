"""`pronto voices`: the voices of SPEECH_VOICES; which of them speak, how fast, and what they sound like on a telephone.

    pronto voices                                              list and try them
    pronto voices say "Bonjour Monsieur Dupont" --voice pico-fr --to hello.wav
    pronto voices compare "Bonjour Monsieur Dupont" --language fr --to folder

They are tried in this process, as the speech service tries its own: the running service is not asked.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from config import BadSettings, SpeechSettings, load
from speech_service.service import SpeechService
from speech_service.sound import TELEPHONE_HZ, Samples, wav
from speech_service.speaker import CannotSpeak, Order
from speech_service.voices import UnknownVoice, Voice, VoiceTable

DEADLINE_S = 30.0


@dataclass(frozen=True)
class Tried:
    """What a voice made of a text: at 8 kHz, in a telephone's band, at the level of prompts."""

    samples: Samples
    first_ms: float
    whole_ms: float

    @property
    def times_real(self) -> float:
        """How many times as fast as it is heard it was made."""
        return len(self.samples) / TELEPHONE_HZ * 1_000 / self.whole_ms


def add_parser(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("voices", help="list, try and compare voices")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="list and try the voices of SPEECH_VOICES (what is done without ACTION)")
    saying = actions.add_parser("say", help="have a voice say a text, as callers hear it")
    saying.add_argument("text")
    saying.add_argument("--voice", default="", help="its name, also one that SPEECH_VOICES does not name")
    saying.add_argument("--language", default="", help="without --voice: the first voice of it")
    saying.add_argument("--to", type=Path, default=Path("voice.wav"), help="the WAV (default voice.wav)")
    comparing = actions.add_parser("compare", help="have every voice of a language say a text")
    comparing.add_argument("text")
    comparing.add_argument("--language", default="fr")
    comparing.add_argument("--to", type=Path, default=Path("voices"), help="folder of the WAVs (default voices)")


def run(args: argparse.Namespace) -> int:
    """0 when every voice that was asked for spoke."""
    were_disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        settings = load(SpeechSettings)
        match args.action:
            case "say":
                return asyncio.run(_say(settings, args))
            case "compare":
                return asyncio.run(_compare(settings, args))
            case _:
                return asyncio.run(_list(settings))
    except (BadSettings, UnknownVoice, CannotSpeak, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        logging.disable(were_disabled)


async def speaking(settings: SpeechSettings) -> SpeechService:
    """A service in this process, its voices tried; close it."""
    service = SpeechService(settings, VoiceTable(settings.speech_voices))
    await service.start()
    return service


async def tried(service: SpeechService, voice: Voice, text: str) -> Tried:
    """One voice says a text, and no other for it. Raises CannotSpeak."""
    began_s = time.monotonic()
    first_ms, found = 0.0, []
    order = Order(text, (voice,), 1.0, TELEPHONE_HZ, began_s + DEADLINE_S)
    async for piece in service.speaker.pieces(order):
        first_ms = first_ms or (time.monotonic() - began_s) * 1_000
        found.append(piece.samples)
    if not found:
        raise CannotSpeak("nothing of the text can be said")
    return Tried(np.concatenate(found), first_ms, (time.monotonic() - began_s) * 1_000)


async def _list(settings: SpeechSettings) -> int:
    service = await speaking(settings)
    try:
        for voice in service.table.voices.values():
            says = "speaks" if service.speaks(voice) else "DOES NOT SPEAK"
            print(f"{voice.name:26} {voice.language:3} {voice.engine:7} speed {voice.speed:g}  {says}")
        return 0 if service.ready()[0] else 1
    finally:
        await service.close()


async def _say(settings: SpeechSettings, args: argparse.Namespace) -> int:
    if args.voice:
        settings = replace(settings, speech_voices=args.voice)
    service = await speaking(settings)
    try:
        voice = service.table.ladder(args.voice.partition("@")[0], args.language)[0]
        made = await tried(service, voice, args.text)
    finally:
        await service.close()
    _write(args.to, made)
    print(_row(voice, made), args.to)
    return 0


async def _compare(settings: SpeechSettings, args: argparse.Namespace) -> int:
    service = await speaking(settings)
    silent: list[str] = []
    try:
        voices: Sequence[Voice] = service.table.ladder("", args.language)
        args.to.mkdir(parents=True, exist_ok=True)
        for voice in voices:
            path = args.to / f"{voice.name.replace('/', '_').replace(':', '_')}.wav"
            try:
                made = await tried(service, voice, args.text)
            except CannotSpeak as error:
                print(f"{voice.name:26} does not speak: {error}")
                silent.append(voice.name)
                continue
            _write(path, made)
            print(_row(voice, made), path)
    finally:
        await service.close()
    return 1 if silent else 0


def _write(path: Path, made: Tried) -> None:
    path.write_bytes(wav(made.samples, TELEPHONE_HZ))


def _row(voice: Voice, made: Tried) -> str:
    seconds = len(made.samples) / TELEPHONE_HZ
    return (
        f"{voice.name:26} first sound {made.first_ms:5.0f} ms, {seconds:4.1f} s long, "
        f"{made.times_real:5.1f} times as fast as it is heard:"
    )
