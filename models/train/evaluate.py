"""Model directory -> tables of accuracy: per voice and category, per context, confidence, no-speech.

    python -m models.train.evaluate MODEL_FOLDER [--headline 100] [--per-cell 30] [--voices plain,trained,near,...]

Audio: one fixed telephone line (300 to 3400 Hz, mu-law, 20 to 30 dB of noise). Voices: `plain` is espeak-ng's French
at 145 to 175 words a minute, `trained` are the variants of training as `synth.ordinary_prosody` speaks, `near` are
variants never trained on, `extreme` are the trained ones at any speed and pitch (`synth.wide_prosody`). The mbrola
voices are another engine, never trained on: a quarter of the sentences, none when mbrola is not installed. All voices
say the same sentences; "unseen" ones are the templated ones that training excludes by hash.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from models import nospeech
from models.edits import edits
from models.short_context import ContextTranscript, transcribe
from models.train.channel import Line
from models.train.corpus import Corpus, Sentence
from models.train.french_numbers import numerals
from models.train.synth import ordinary_prosody, say, wide_prosody
from models.train.voices import HELD_OUT_VARIANTS, Espeak, EspeakError, Prosody

BATCH = 16
DRAWS_PER_SENTENCE = 60
FULL_CONTEXT_S, MARGIN_S = 30.0, 0.02
CATEGORIES = ("intent phrase", "faq phrase", "zip", "slot", "heating", "home", "pair")
HEADLINES = ("intent phrase", "faq phrase", "zip", "pair")
OTHER_ENGINES = "mb-"


@dataclass(frozen=True, slots=True)
class Case:
    """One utterance to recognise."""

    voice: str
    category: str
    seen: bool
    text: str
    samples: NDArray[np.float32]


def prosody_of(voice: str, rng: random.Random) -> tuple[Prosody, float]:
    """A speaker of the group `voice`, and the vocal-tract scale."""
    if voice in ("trained", "extreme"):
        return ordinary_prosody(rng) if voice == "trained" else wide_prosody(rng)
    if voice == "plain":
        return Prosody("fr", rng.randint(145, 175), 50), 1.0
    if voice == "near":
        return Prosody(f"fr+{rng.choice(HELD_OUT_VARIANTS)}", rng.randint(140, 175), rng.randint(40, 60)), 1.0
    return Prosody(voice, rng.randint(135, 165), 50), 1.0


def sentences(corpus: Corpus, category: str, seen: bool, count: int, rng: random.Random) -> list[Sentence]:
    """Different sentences of one category, `count` or as many as are found."""
    if category in ("intent phrase", "faq phrase"):
        group = corpus.intents if category == "intent phrase" else corpus.faqs
        phrases = sorted({p for name, phrases in group.items() for p in phrases})
        return [Sentence(category, p, p) for p in rng.sample(phrases, min(count, len(phrases)))]
    found: dict[str, Sentence] = {}
    for _ in range(DRAWS_PER_SENTENCE * count):  # a small template may not have so many
        sentence = corpus.draw(rng, held_out=not seen, hesitant=False)
        if sentence.category == category:
            found[sentence.text] = sentence
            if len(found) == count:
                break
    return list(found.values())


def cases(espeak: Espeak, corpus: Corpus, voices: Iterable[str], sizes: tuple[int, int], seed: int) -> list[Case]:
    """All cells: voices x categories x seen or unseen; sizes: sentences in a cell of `HEADLINES`, of the others."""
    made = []
    for voice in voices:
        rng, noise = random.Random(seed), np.random.default_rng(seed)
        for category in CATEGORIES:
            size = sizes[0] if category in HEADLINES else sizes[1]
            for seen in (True,) if category.endswith("phrase") else (True, False):
                chosen = sentences(corpus, category, seen, size, random.Random(f"{seed} {category} {seen}"))
                for sentence in chosen[: -(-size // 4)] if voice.startswith(OTHER_ENGINES) else chosen:
                    prosody, scale = prosody_of(voice, rng)
                    line = Line(snr_db=noise.uniform(20, 30))
                    samples, _ = say(espeak, sentence.spoken, prosody, scale, line, noise)
                    made.append(Case(voice, category, seen, sentence.text, samples))
    return made


def recognise(model: WhisperModel, utterances: list[NDArray[np.float32]], context_s: float) -> list[ContextTranscript]:
    """In batches, the context doubled for what does not fit; context 0 is `WhisperModel.transcribe` itself."""
    results = []
    if context_s == 0:
        for samples in utterances:
            segments, _ = model.transcribe(samples, language="fr", beam_size=1, temperature=0, without_timestamps=True)
            found = list(segments)
            logprob, silent = (found[0].avg_logprob, found[0].no_speech_prob) if found else (0.0, 1.0)
            results.append(ContextTranscript("".join(s.text for s in found).strip(), logprob, silent))
        return results
    groups: dict[float, list[int]] = defaultdict(list)
    for i in range(len(utterances)):
        needed_s, fitting_s = len(utterances[i]) / nospeech.SAMPLE_RATE_HZ + MARGIN_S, context_s
        while fitting_s < min(needed_s, FULL_CONTEXT_S):
            fitting_s = min(2 * fitting_s, FULL_CONTEXT_S)
        groups[fitting_s].append(i)
    by_index: dict[int, ContextTranscript] = {}
    for fitting_s, group in groups.items():
        for start in range(0, len(group), BATCH):
            chunk = group[start : start + BATCH]
            by_index.update(zip(chunk, transcribe(model, [utterances[i] for i in chunk], fitting_s), strict=True))
    return [by_index[i] for i in range(len(utterances))]


class ErrorCounts:
    """Errors, words, sentences."""

    def __init__(self) -> None:
        self.errors = self.words = self.exact = self.count = 0

    def add(self, reference: str, hypothesis: str) -> bool:
        """Count one sentence; True when it is exact."""
        wrong = edits(reference.split(), hypothesis.split())
        self.errors, self.words = self.errors + wrong, self.words + len(reference.split())
        self.exact, self.count = self.exact + (wrong == 0), self.count + 1
        return wrong == 0

    def __str__(self) -> str:
        if not self.count:
            return "-"
        return f"{100 * self.errors / self.words:.1f} % / {100 * self.exact / self.count:.0f} %"


def accuracy_tables(made: list[Case], transcripts: list[ContextTranscript], voices: list[str]) -> tuple[str, list[str]]:
    """Markdown rows per category and voice (WER / exact), and some errors."""
    scores: dict[tuple[str, str], ErrorCounts] = defaultdict(ErrorCounts)
    wrong: list[str] = []
    for case, result in zip(made, transcripts, strict=True):
        name = (
            case.category
            if case.category.endswith("phrase")
            else f"{case.category}, {'seen' if case.seen else 'unseen'}"
        )
        for key in ((name, case.voice), ("all", case.voice)):
            exact = scores[key].add(case.text, result.text)
        if case.category == "zip":
            digits = " ".join(numerals(case.text)), " ".join(numerals(result.text))
            scores["zip, the number alone", case.voice].add(*digits)
        if not exact and case.voice in ("plain", "trained", "near"):
            wrong.append(f"{case.voice:8} {case.category:14} {case.text} -> {result.text} ({result.avg_logprob:.2f})")
    names = list(dict.fromkeys(name for name, _ in scores))
    names.sort(key=lambda name: name == "all")
    rows = [f"| WER / exact | {' | '.join(voices)} |", "|---|" + "---|" * len(voices)]
    rows += [f"| {name} | {' | '.join(str(scores[name, voice]) for voice in voices)} |" for name in names]
    return "\n".join(rows), wrong


def sounding_the_same(made: list[Case], transcripts: list[ContextTranscript], espeak: Espeak) -> str:
    """How many of the wrong transcripts differ in spelling only ("occupé", "occupée"): no ear can tell them apart."""
    wrong = [(c.text, t.text) for c, t in zip(made, transcripts, strict=True) if c.text != t.text]

    def sounds(text: str) -> list[str]:
        return [name for _, name in espeak.speak(text, Prosody("fr")).phonemes if name] if text else []

    same = sum(sounds(reference) == sounds(heard) for reference, heard in wrong)
    return f"{same} of the {len(wrong)} wrong transcripts sound the same as what was said."


def confidence_table(made: list[Case], transcripts: list[ContextTranscript]) -> str:
    """avg_logprob of right and wrong transcripts, and what thresholds would reject."""
    right = np.array([t.avg_logprob for c, t in zip(made, transcripts, strict=True) if c.text == t.text])
    wrong = np.array([t.avg_logprob for c, t in zip(made, transcripts, strict=True) if c.text != t.text])
    if not len(right) or not len(wrong):
        return "all right or all wrong: no table"
    above = 100 * np.mean(right[:, None] > wrong[None])
    rows = [
        f"avg_logprob median: exact {np.median(right):.3f} (n={len(right)}), wrong {np.median(wrong):.3f} "
        f"(n={len(wrong)}); a random exact one scores above a random wrong one {above:.0f} % of the time.",
        "",
        "| threshold | exact ones kept | wrong ones rejected |",
        "|---|---|---|",
    ]
    for threshold in (-0.1, -0.2, -0.3, -0.4, -0.5, -0.7):
        kept, rejected = 100 * np.mean(right >= threshold), 100 * np.mean(wrong < threshold)
        rows += [f"| {threshold} | {kept:.0f} % | {rejected:.0f} % |"]
    return "\n".join(rows)


def limits(folder: Path) -> tuple[float, float]:
    """The service's limits for this model: the highest no_speech_prob and the lowest avg_logprob that pass."""
    notes = folder / "pronto.json"
    noted = json.loads(notes.read_text("utf-8"))["limits"] if notes.exists() else {}
    return float(noted.get("no_speech_prob", 0.6)), float(noted.get("min_logprob", -1.0))


def no_speech_table(model: WhisperModel, count: int, context_s: float, passing: tuple[float, float]) -> str:
    """Clips without speech: with text, and with text after the two limits `passing`."""
    clips = list(nospeech.clips(count, seed=2026))
    results = recognise(model, [samples for _, samples in clips], context_s)
    rows = ["| kind | clips | with text | with text after the limits |", "|---|---|---|---|"]
    for kind in [*nospeech.KINDS, "all"]:
        chosen = [r for (k, _), r in zip(clips, results, strict=True) if kind in (k, "all")]
        texts = [r for r in chosen if r.text]
        kept = [r for r in texts if r.no_speech_prob <= passing[0] and r.avg_logprob >= passing[1]]
        rows.append(f"| {kind} | {len(chosen)} | {len(texts)} | {len(kept)} |")
    return "\n".join(rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--headline", type=int, default=100, help="sentences in a cell of phrases, zips and pairs")
    parser.add_argument("--per-cell", type=int, default=30, help="sentences in every other cell")
    parser.add_argument("--voices", default="plain,trained,near,extreme,mb-fr1,mb-fr4")
    parser.add_argument("--contexts", default="4,6,10,30", help="seconds; 0 is WhisperModel.transcribe itself")
    parser.add_argument(
        "--other-contexts", type=float, default=0.2, help="share of the sentences for all but the first"
    )
    parser.add_argument("--seed", type=int, default=12345)
    parser.add_argument("--no-speech", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the tables there as Markdown")
    parser.add_argument("--errors", type=int, default=40, help="print so many wrong transcripts")
    arguments = parser.parse_args()
    model = WhisperModel(str(arguments.model), device="cpu", compute_type="int8", cpu_threads=arguments.threads)
    espeak, voices = Espeak(), arguments.voices.split(",")
    for voice in [v for v in voices if v.startswith("mb-")]:
        try:
            espeak.speak("bonjour", Prosody(voice))
        except EspeakError:
            voices.remove(voice)
    made = cases(espeak, Corpus(), voices, (arguments.headline, arguments.per_cell), arguments.seed)
    pieces: list[str] = []

    def report(*texts: str) -> None:
        pieces.extend(texts)
        print("\n".join(texts), flush=True)
        if arguments.out:
            arguments.out.write_text("\n".join(pieces) + "\n", "utf-8")

    for i, context in enumerate(arguments.contexts.split(",")):
        if i == 1:
            made = random.Random(1).sample(made, int(len(made) * arguments.other_contexts))
        results = recognise(model, [c.samples for c in made], float(context))
        table, wrong = accuracy_tables(made, results, voices)
        title = "`WhisperModel.transcribe`" if float(context) == 0 else f"{context} s of context"
        title += f", {len(made)} sentences"
        report(f"### {title}\n", table, "")
        if i == 0:
            report(
                sounding_the_same(made, results, espeak), "", "### Confidence\n", confidence_table(made, results), ""
            )
            silent = no_speech_table(model, arguments.no_speech, float(context), limits(arguments.model))
            report(f"### No speech, {arguments.no_speech} clips\n", silent, "")
            print("\n".join(random.Random(1).sample(wrong, min(len(wrong), arguments.errors))))


if __name__ == "__main__":
    main()
