"""What a recogniser makes of a voice at the telephone: words, postal codes, bare yes and no, and what is none of these.

    python -m benchmarks.recognisers --model .pronto/whisper-base [--beam 5] [--threads 2] [--each 10] [--without]
    python -m benchmarks.recognisers --tuning

The eight French voices of `happy_voices`, which neither detector, recogniser nor a threshold was developed with (or,
with `--tuning`, those that it was), at -24 dBFS through G.711, and people's recordings where set-up brought them. Each
utterance goes through the whole of the Whisper service but its HTTP: gates, engine, second looks, guards, with the
hints of its state of the heating flow. `--without` does not tell it what is awaited. A code is what the slot parser
reads. Strangers are neither yes, no nor a code; one that is taken for one is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import time
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from audio_prompts.espeak import EspeakFailed
from audio_prompts.kokoro import NoVoice
from benchmarks.happy_voices import TUNING, VOICES, TestVoice, said
from benchmarks.people_recordings import LINE_HZ, are_there, on_line, recordings
from benchmarks.voices_happy_path import LINES, planned
from benchmarks.whisper_context import errors
from config import ROOT, STATE
from dialogue.flow_store import known_beside, read_file
from dialogue.slots import parse
from speech_service.engines.pico import PicoFailed
from whisper_service.batcher import Batcher
from whisper_service.closed_sets import ANYTHING, Awaited
from whisper_service.engine import load_engine
from whisper_service.jobs import Decoded, Job
from whisper_service.service import load_families
from whisper_service.transcriber import Transcriber, Transcript, TranscriptionRequest

LEVEL_DBFS = -24.0
LONGEST_S = 20.0
NOW = datetime(2026, 11, 26, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))
BARE = {"oui": True, "non": False, "oui c'est ça": True, "ok": True}
CHOICES = {"au gaz": "gas", "le gaz": "gas", "au fioul": "oil", "électrique": "electric", "au bois": "wood"}
STRANGERS = (
    "merci", "pardon", "comment", "attendez", "nous", "bon", "demain", "je ne sais pas", "dans cinq minutes",
    "j'ai deux enfants", "il fait beau aujourd'hui", "au gaz",
)  # fmt: skip


@dataclass
class Row:
    """One voice's figures; pairs are (right, wrong), what is in neither was asked again."""

    name: str
    words: int = 0
    word_errors: int = 0
    yes_no: list[bool | None] = field(default_factory=list)
    choices: list[bool | None] = field(default_factory=list)
    codes: list[bool | None] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    heard_strangers: int = 0
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def line(self) -> str:
        """Of the table."""
        p50, p95 = np.quantile(self.wall_s or [0.0], [0.5, 0.95])
        error = f"{100 * self.word_errors / self.words:.0f} %" if self.words else ""
        return (
            f"| {self.name} | {error} | {_counts(self.yes_no)} | {_counts(self.choices)} "
            f"| {_counts(self.codes)} "
            f"| {len(self.strangers)} of {self.heard_strangers} | {p50:.2f} / {p95:.2f} "
            f"| {np.mean(self.cpu_s or [0.0]):.2f} |"
        )


def _counts(outcomes: Sequence[bool | None]) -> str:
    right, wrong = sum(o is True for o in outcomes), sum(o is False for o in outcomes)
    return f"{right} / {wrong} of {len(outcomes)}" if outcomes else ""


class Listener:
    """The service without its HTTP."""

    def __init__(self, transcriber: Transcriber, tells: bool) -> None:
        self._transcriber, self._tells = transcriber, tells
        path = ROOT / "flows" / "fr" / "heating.yaml"
        flow = read_file(path, known_beside(path, ROOT / "audio_prompts")[0])
        self.heating = flow.slots["heating"].choices
        self._choices = tuple("|".join(phrases[:12]) for phrases in self.heating.values())
        self._hints = {
            slot: next(state.listening.hints for state in flow.states.values() if state.slot == name)
            for slot, name in (("zip_code", "zip_code"), ("choice", "heating"))
        }

    def hear(self, row: Row, samples: NDArray[np.int16], awaited: str = "") -> Transcript:
        """What it makes of telephone audio; time is taken."""
        file = io.BytesIO()
        with wave.open(file, "wb") as wav:
            wav.setparams((1, 2, LINE_HZ, 0, "NONE", ""))
            wav.writeframes(samples.astype("<i2").tobytes())
        told = (
            Awaited((awaited,), self._choices if awaited == "choice" else ()) if awaited and self._tells else ANYTHING
        )
        wanted = TranscriptionRequest(file.getvalue(), hints=self._hints.get(awaited, ()), awaited=told)
        wall, cpu = time.monotonic(), time.process_time()
        transcript = asyncio.run(self._transcriber.transcribe(wanted))
        row.wall_s.append(time.monotonic() - wall)
        row.cpu_s.append(time.process_time() - cpu)
        return transcript


def read(slot: str, text: str, choices: Mapping[str, tuple[str, ...]] | None = None) -> str | bool | None:
    """The value of a text, where it may be taken or read back."""
    reading = parse(slot, text, "fr", now=NOW, region="FR", choices=choices)
    return reading.value if reading.complete else None


def voices(listener: Listener, each: int, names: Sequence[str], of: Sequence[TestVoice]) -> Iterator[Row]:
    """A row per voice."""
    sentences = [line for lines in LINES.values() for line in lines if len(line.split()) > 1]
    for number, voice in enumerate(of):
        if names and voice.name not in names:
            continue
        row = Row(voice.name)
        plan = [call for who, call in planned(10) if who == VOICES[number]][:each]

        def line(text: str, number: int = number) -> NDArray[np.int16]:
            return on_line(said(text, of[number]).astype(np.float32), LEVEL_DBFS, 0.3, 0.35, number)

        try:
            for text in sentences:
                row.words += len(text.split())
                row.word_errors += errors(text, listener.hear(row, line(text)).text)
            for text, meant in BARE.items():
                heard = read("yes_no", listener.hear(row, line(text), "yes_no").text)
                row.yes_no.append(None if heard is None else heard is meant)
            for text, value in CHOICES.items():
                choice = read("choice", listener.hear(row, line(text), "choice").text, listener.heating)
                row.choices.append(None if choice is None else choice == value)
            for call in plan:
                code = read("zip_code", listener.hear(row, line(call.said_as), "zip_code").text)
                row.codes.append(None if code is None else code == call.zip_code)
            for text in STRANGERS:
                for slot in ("yes_no", "zip_code"):
                    row.heard_strangers += 1
                    transcript = listener.hear(row, line(text), slot)
                    if read(slot, transcript.text) is not None:
                        row.strangers.append(f"{text}: {transcript.text}")
        except (EspeakFailed, NoVoice, PicoFailed) as error:
            row.name += f" (not here: {error})"
        yield row


def people(listener: Listener, count: int) -> Iterator[Row]:
    """People's recordings: word error of four words and more; all of them as strangers to a yes and to a code."""
    if not are_there() or not count:
        return
    row = Row("people (June Wallack)")
    short = [one for one in recordings("fr", least_words=4) if len(one.samples) < LONGEST_S * LINE_HZ][:count]
    for number, one in enumerate(short):
        row.words += len(one.text.split())
        line = on_line(one.samples, LEVEL_DBFS, 0.3, 0.35, number)
        row.word_errors += errors(one.text, listener.hear(row, line).text)
    any_length = [one for one in recordings("fr", seed=11) if len(one.samples) < LONGEST_S * LINE_HZ][: 2 * count]
    for number, one in enumerate(any_length):
        for slot in ("yes_no", "zip_code"):
            if read(slot, one.text) is None:
                row.heard_strangers += 1
                transcript = listener.hear(row, on_line(one.samples, LEVEL_DBFS, 0.3, 0.35, number), slot)
                if read(slot, transcript.text) is not None:
                    row.strangers.append(f"{one.text}: {transcript.text}")
    yield row


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(STATE / "whisper-base"))
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--each", type=int, default=10, help="postal codes per voice, ten at most")
    parser.add_argument("--voices", default="", help="names, with commas between them; all if none is named")
    parser.add_argument("--tuning", action="store_true", help="the voices that thresholds are chosen with")
    parser.add_argument("--people", type=int, default=20, help="recordings of people")
    parser.add_argument("--without", action="store_true", help="do not say what is awaited")
    arguments = parser.parse_args()
    engine = load_engine(arguments.model, beam_size=arguments.beam, cpu_threads=arguments.threads)
    batcher = Batcher[Job, Decoded](engine)
    transcriber = Transcriber(engine, batcher, load_families(ROOT / "flows"), engine.notes.limits, 30.0)
    listener = Listener(transcriber, not arguments.without)
    told = "is not told" if arguments.without else "is told"
    print(f"{Path(arguments.model).name}, beam {arguments.beam}, {arguments.threads} threads, {told} what is awaited")
    print(f"load of the machine {os.getloadavg()[0]:.0f}")
    print("| voice | word error | yes, no | choices | codes | strangers taken | s p50 / p95 | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    names = [name.strip() for name in arguments.voices.split(",") if name.strip()]
    strangers: list[str] = []
    for source in (
        voices(listener, arguments.each, names, TUNING if arguments.tuning else VOICES),
        people(listener, arguments.people),
    ):
        for row in source:
            strangers += [f"{row.name}: {text}" for text in row.strangers]
            print(row.line(), flush=True)
    print("\n".join(["", "strangers taken:", *strangers]))
    transcriber.close()


if __name__ == "__main__":
    main()
