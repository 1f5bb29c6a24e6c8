"""The listener's page of docs/voices.md: a sample of each voice, what a recogniser makes of it, and its speed.

    python -m benchmarks.voice_samples --model FOLDER [--to docs/voices]

Twenty sentences per language (`voice_sentences`, none is a prompt, nothing was chosen by them) are spoken by the voices
that speak while a caller listens, through the speech service as it runs, and by the network that speaks prompts in
advance. All of it passes 300 to 3400 Hz and mu-law at 8 kHz. FOLDER is a Whisper in CTranslate2's format. The sample of
a voice is a sentence with a name, a date and an amount, as a caller hears it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import soxr

from audio_prompts.catalogue import SAMPLE_RATE_HZ, PromptVoice
from audio_prompts.kokoro import RATE_HZ, Kokoro
from audio_prompts.loudness import Samples, prepared
from benchmarks.voice_sentences import SENTENCES
from benchmarks.voices import word_errors
from config import SpeechSettings, load
from pronto.voices_cli import speaking, tried
from sayable import say
from whisper_service.engine import WhisperEngine, load_engine

LIVE = "pico-fr,espeak-fr,pico-it,espeak-it,pico-en,espeak-en"
IN_ADVANCE = (("ff_siwis", "fr"), ("if_sara", "it"), ("im_nicola", "it"), ("af_heart", "en"), ("bf_emma", "en"))
SAMPLE = {
    "fr": "Bonjour Madame Delacroix, rendez-vous le jeudi 17 décembre, pour 386,50 €.",
    "it": "Buongiorno signor Bellini, appuntamento il 17 dicembre, per 745,00 €.",
    "en": "Hello Mrs Bellamy, see you on December 17, that will be £386.50.",
}
OPUS_BITS_PER_S = 16_000


async def live(engine: WhisperEngine, folder: Path, show: bool) -> None:
    """A row per voice that speaks at run time."""
    service = await speaking(replace(load(SpeechSettings), speech_voices=LIVE, speech_cache_mb=0))
    try:
        for voice in service.table.voices.values():
            found, firsts = [], []
            began_s = time.monotonic()
            for text in SENTENCES[voice.language]:
                made = await tried(service, voice, text)
                firsts.append(made.first_ms)
                found.append((text, (made.samples / 32_768).astype(np.float32)))
            took_s = time.monotonic() - began_s
            row(engine, voice.name, voice.language, found, took_s, float(np.median(firsts)), show)
            sample = await tried(service, voice, SAMPLE[voice.language])
            write_opus(folder / f"{voice.name}.opus", (sample.samples / 32_768).astype(np.float32))
    finally:
        await service.close()


def in_advance(engine: WhisperEngine, folder: Path, show: bool) -> None:
    """A row per voice of the network."""
    network = Kokoro(threads=1)

    def spoken(name: str) -> Callable[[str], Samples]:
        def speak(text: str) -> Samples:
            wide = network.speak(text, PromptVoice(name))
            return prepared(soxr.resample(wide, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32), SAMPLE_RATE_HZ)

        return speak

    for name, language in IN_ADVANCE:
        speak = spoken(name)
        began_s = time.monotonic()
        found = [(text, speak(text)) for text in SENTENCES[language]]
        row(engine, name, language, found, time.monotonic() - began_s, 0.0, show)
        write_opus(folder / f"{name}.opus", speak(say(SAMPLE[language], language)))


def row(
    engine: WhisperEngine,
    name: str,
    language: str,
    found: list[tuple[str, Samples]],
    took_s: float,
    first_ms: float,
    show: bool,
) -> None:
    """One voice's figures."""
    sound_s = sum(len(samples) for _, samples in found) / SAMPLE_RATE_HZ
    heard = word_errors(engine, found, language, show)
    first = f"{first_ms:.0f} ms" if first_ms else "-"
    print(f"| {name} | {language} | {heard} | {sound_s / took_s:.1f} x | {first} |", flush=True)


def write_opus(path: Path, samples: Samples) -> None:
    """A few kB: Ogg Opus at the telephone's rate."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ)
        stream.bit_rate = OPUS_BITS_PER_S
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32).reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=Path("docs/voices"))
    parser.add_argument("--show", action="store_true", help="print what was misheard")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    engine = load_engine(str(arguments.model), beam_size=5, context_s=10.0)
    print(f"load average {os.getloadavg()[0]:.1f}")
    print("| voice | language | word error | exact | speed | first sound |\n|---|---|---|---|---|---|")
    asyncio.run(live(engine, arguments.to, arguments.show))
    in_advance(engine, arguments.to, arguments.show)


if __name__ == "__main__":
    main()
