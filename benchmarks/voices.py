"""What a recogniser makes of our voices over the telephone, and how read-backs join: the figures of docs/voices.md.

python -m benchmarks.voices --model FOLDER [sentences] [prompts] [joined] [--show]

`sentences`: twenty per language that are no prompts, in each voice; nothing was chosen by them. `prompts`: every
shipped prompt of three words and more. `joined`: zip codes, telephone numbers and moments, put together of the built
pieces as Asterisk plays them: digits that were recognised, and the longest silence inside a group.
Everything passes 300 to 3400 Hz and mu-law at 8 kHz. FOLDER is a Whisper in CTranslate2's format.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soxr

from audio_prompts.audio_files import read_audio
from audio_prompts.catalogue import SAMPLE_RATE_HZ, PromptVoice, read_catalogue
from audio_prompts.espeak import EspeakVoice, speak, telephone_band
from audio_prompts.kokoro import RATE_HZ, Kokoro
from audio_prompts.loudness import Samples, prepared
from audio_prompts.phonemes import is_near_human
from benchmarks.voice_sentences import SENTENCES
from benchmarks.whisper_context import errors
from config import ROOT
from dialogue.flow import Slot
from dialogue.readout import read_out
from whisper_service.batcher import Again
from whisper_service.engine import WhisperEngine, load_engine
from whisper_service.phrases import normalise

VOICES = (("ff_siwis", "fr"), ("if_sara", "it"), ("im_nicola", "it"), ("af_heart", "en"), ("bf_emma", "en"),
          ("fr", "fr"), ("it", "it"), ("en-us", "en"))  # fmt: skip
DIGITS = {word: str(digit) for digit, word in enumerate("zero un deux trois quatre cinq six sept huit neuf".split())}
SILENT_DB = 40.0
SEED = 11


def telephone(samples: Samples) -> Samples:
    """Audio at 8 kHz through a line with mu-law, at 16 kHz as the recogniser gets it."""
    line = telephone_band(samples.astype(np.float64))
    size = np.log1p(255 * np.abs(line)) / np.log1p(255)
    coded = np.sign(line) * np.expm1(np.round(size * 127) / 127 * np.log1p(255)) / 255
    heard: Samples = soxr.resample(coded.astype(np.float32), SAMPLE_RATE_HZ, 16_000)
    return heard


def hear(engine: WhisperEngine, samples: Samples, language: str) -> str:
    """What the recogniser writes."""
    job = engine.job(engine.features(telephone(samples)), language)
    (answer,) = engine.run([job])
    if isinstance(answer, Again):
        (answer,) = engine.run([answer.job])
    return "" if isinstance(answer, Again) else answer.text


def word_errors(engine: WhisperEngine, clips: Iterable[tuple[str, Samples]], language: str, show: bool) -> str:
    """`WER | exact` of texts with their audio."""
    wrong = words = exact = count = 0
    for text, samples in clips:
        heard = hear(engine, samples, language)
        distance = errors(text, heard)
        if distance and show:
            print(f"    {text}\n    {heard}")
        wrong, words = wrong + distance, words + len(normalise(text).split())
        exact, count = exact + (distance == 0), count + 1
    return f"{100 * wrong / words:.1f} % of {words} | {exact} of {count}"


def sentences(engine: WhisperEngine, show: bool) -> None:
    """A row per voice."""
    network = Kokoro(threads=1)
    print("| voice | language | word error | exact | CPU per second of speech |\n|---|---|---|---|---|")
    for name, language in VOICES:
        clips, began = [], time.process_time()
        for text in SENTENCES[language]:
            if is_near_human(name):
                wide = network.speak(text, PromptVoice(name))
                spoken = soxr.resample(wide, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
            else:
                spoken = speak(text, EspeakVoice(name)).astype(np.float32) / 32_768
            clips.append((text, prepared(spoken, SAMPLE_RATE_HZ)))
        cost = (time.process_time() - began) / sum(len(clip) / SAMPLE_RATE_HZ for _, clip in clips)
        print(f"| {name} | {language} | {word_errors(engine, clips, language, show)} | {cost:.2f} s |", flush=True)


def prompts(engine: WhisperEngine, show: bool) -> None:
    """A row per language of what is shipped."""
    for path in sorted((ROOT / "audio_prompts").glob("*/prompts.yaml")):
        catalogue = read_catalogue(path)
        texts = {name: text for name, text in catalogue.texts.items() if len(normalise(text).split()) >= 3}
        clips = ((text, read_audio(path.parent / f"{name}.wav")) for name, text in texts.items())
        print(f"| prompts {catalogue.language} | {word_errors(engine, clips, catalogue.language, show)} |", flush=True)


def joined(engine: WhisperEngine, show: bool, count: int = 40) -> None:
    """Zip codes and telephone numbers digit by digit or as they are read out, and moments."""
    folder, rng = ROOT / "audio_prompts" / "fr", random.Random(SEED)
    there = read_catalogue(folder / "prompts.yaml").texts
    values = [(Slot("z", "zip_code"), f"{rng.randrange(1_000, 96_000):05}") for _ in range(count)]
    values += [(Slot("p", "phone"), f"+336{rng.randrange(10**8):08}") for _ in range(count // 2)]
    values += [
        (Slot("w", "date_time"), f"2026-{m:02}-{d:02}T{m + 8:02}:{5 * m - 5:02}") for m in range(1, 13) for d in (1, 17)
    ]
    longest: list[float] = []
    wrong = digits = exact = 0
    for slot, value in values:
        names = read_out(slot, value, prompts=there)
        group = np.concatenate([read_audio(folder / f"{name}.wav") for name in names])
        longest.append(longest_silence_ms(group))
        if slot.type != "zip_code":
            continue
        lead = read_audio(folder / "zip_code_noted.wav")
        heard = digits_of(hear(engine, np.concatenate([lead, group]), "fr"))
        distance = errors(" ".join(value), " ".join(heard))
        if distance and show:
            print(f"    {value} {heard}")
        wrong, digits, exact = wrong + distance, digits + 5, exact + (distance == 0)
    print(f"zip codes: {100 * wrong / digits:.1f} % of digits wrong, {exact} of {count} exact")
    print(f"longest silence inside a group: {max(longest):.0f} ms (p50 {np.median(longest):.0f})")


def digits_of(text: str) -> str:
    """The digits of a transcript, written or spoken one by one."""
    words = re.findall(r"\d|[a-z]+", normalise(text))
    return "".join(word if word.isdigit() else DIGITS.get(word, "") for word in words)


def longest_silence_ms(samples: Samples) -> float:
    """The longest stretch that is 40 dB below the loudest 5 ms, between the first sound and the last."""
    frame = SAMPLE_RATE_HZ // 200
    power = (samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1)
    sounding = np.flatnonzero(power > power.max() * 10 ** (-SILENT_DB / 10))
    return float(5 * (np.diff(sounding).max() - 1))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--show", action="store_true", help="print what was misheard")
    parser.add_argument("what", nargs="*", choices=("sentences", "prompts", "joined"))
    arguments = parser.parse_args()
    engine = load_engine(str(arguments.model), beam_size=5, context_s=10.0)
    for name, measure in (("sentences", sentences), ("prompts", prompts), ("joined", joined)):
        if not arguments.what or name in arguments.what:
            measure(engine, arguments.show)


if __name__ == "__main__":
    main()
