"""Mel spectrograms become text: a faster-whisper model, run at CTranslate2's own level so that callers share a batch.

`transcribe` of faster-whisper serves one recording at a time and always encodes 30 s. Here a batch is encoded once and
decoded once, over as little context as its utterances need. What CTranslate2 wants equal in a batch (context, length of
the prompt, temperature) is the job's key. An utterance whose text looks wrong is run once more: over the full 30 s when
it was heard in a short context and the model gains by it, else with a little temperature.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from config import STATE
from whisper_service.audio import Samples
from whisper_service.batcher import Again, OutOfMemory
from whisper_service.closed_sets import (
    ANYTHING,
    Awaited,
    Weighed,
    choice_set,
    closed_set,
    decide,
    decide_choice,
    is_choice_worth_scoring,
    is_worth_scoring,
)
from whisper_service.heads import EncoderHead, read_heads
from whisper_service.jobs import FRAMES_PER_S, Decoded, Job, Mel, judge
from whisper_service.language_check import is_foreign_perhaps, other_language
from whisper_service.languages import AUTO
from whisper_service.model_notes import FULL_CONTEXT_S, HEADS, ModelNotes, read_notes
from whisper_service.number_words import decide_code, likely_rows
from whisper_service.sound_ear import SoundEar, read_ears
from whisper_service.sound_sets import all_sounds, decide_by_sound, sounds_awaited
from whisper_service.text_scores import TextScores, states_of

_NO_MEMORY: Final = ("out of memory", "alloc_failed")
"""How CUDA says it, and how cuBLAS and cuDNN do (CUBLAS_STATUS_ALLOC_FAILED)."""

MAX_HINT_TOKENS: Final = 48
"""Hints longer than this are cut at a hint's end: a prompt costs decoder time and invites echoes."""
MARGIN_S: Final = 0.5
"""Silence that must fit behind the utterance, or the model has not heard it end."""


class WhisperEngine:
    """One loaded model. `features` and `job` may be called from any thread, `run` from one only."""

    def __init__(
        self,
        model: WhisperModel,
        notes: ModelNotes,
        beam_size: int = 1,
        context_s: float = 0.0,
        heads: Mapping[str, EncoderHead] | None = None,
        ears: Mapping[str, SoundEar] | None = None,
    ) -> None:
        """By language, `heads` are the networks that hear number words, `ears` those that hear phonemes."""
        self._model = model
        self._heads = heads or {}
        self._ears = ears or {}
        self._beam_size = beam_size
        self._shortest_s = context_s or notes.context_s
        self.notes = notes
        self.device: str = model.model.device
        self.compute_type: str = model.model.compute_type
        self._tokens = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", self._any_language())
        self._scores = TextScores(model.model, self._tokens)
        self._suppressed = list(get_suppressed_tokens(self._tokens, [-1]))
        self.languages = self._known_languages()

    def features(self, samples: Samples) -> Mel:
        """The log-mel spectrogram of 16 kHz samples, as faster-whisper computes it."""
        return np.asarray(self._model.feature_extractor(samples)[:, :-1], np.float32)

    def job(
        self, mel: Mel, language: str, hints: Sequence[str] = (), temperature: float = 0.0, awaited: Awaited = ANYTHING
    ) -> Job:
        """An utterance with its prompt and the least context that holds it."""
        needed_s, context_s = mel.shape[1] / FRAMES_PER_S + MARGIN_S, self._shortest_s
        while context_s < min(needed_s, FULL_CONTEXT_S):
            context_s = min(2 * context_s, FULL_CONTEXT_S)
        accepted = awaited if self.notes.closed_sets else ANYTHING
        if (ear := self._ears.get(language)) is not None:
            for expected in all_sounds(accepted, language):
                ear.learn(expected.texts)
        return Job(mel, language, self._hint_tokens(hints), context_s, temperature, accepted)

    def prepare(
        self,
        samples: Samples,
        language: str,
        hints: Sequence[str] = (),
        temperature: float = 0.0,
        awaited: Awaited = ANYTHING,
    ) -> Job:
        """The job of 16 kHz samples."""
        return self.job(self.features(samples), language, hints, temperature, awaited)

    def key(self, job: Job) -> Hashable:
        """Languages may be mixed in a batch; lengths of hints may not, as all transcripts must start together."""
        return (job.context_s, len(job.hints), job.temperature, job.language == AUTO)

    def run(self, jobs: Sequence[Job]) -> list[Decoded | Again[Job]]:
        """Encodes once, decodes once. Jobs must be of one key. Raises OutOfMemory."""
        try:
            return self._run(jobs)
        except RuntimeError as error:
            if any(sign in str(error).lower() for sign in _NO_MEMORY):
                raise OutOfMemory(str(error)) from error
            raise

    def _run(self, jobs: Sequence[Job]) -> list[Decoded | Again[Job]]:
        frames = round(jobs[0].context_s * FRAMES_PER_S)
        padded = np.zeros((len(jobs), jobs[0].mel.shape[0], frames), np.float32)
        for row, job in zip(padded, jobs, strict=True):
            row[:, : min(frames, job.mel.shape[1])] = job.mel[:, :frames]
        encoded = self._model.model.encode(ctranslate2.StorageView.from_array(padded))
        languages = self._detect(encoded) if jobs[0].language == AUTO else [job.language for job in jobs]
        prompts = [self._prompt(language, job.hints) for language, job in zip(languages, jobs, strict=True)]
        wanted = max(job.max_tokens for job in jobs)
        sampling: dict[str, Any] = {"beam_size": self._beam_size, "num_hypotheses": self._beam_size}
        if jobs[0].temperature:
            sampling = {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": jobs[0].temperature}
        results = self._model.model.generate(
            encoded,
            prompts,
            # CTranslate2 stops at half of max_length, or where prompt and text fill it
            max_length=min(self._model.max_length, max(2 * wanted, wanted + len(prompts[0]))),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
            **sampling,
        )
        answers: list[Decoded | Again[Job]] = []
        for index, (job, result, language) in enumerate(zip(jobs, results, languages, strict=True)):
            decoded = self._decoded(result, language, job)
            answers.append(judge(job, self._weighed(encoded, index, job, decoded), self.notes.hear_again_in_full))
        return answers

    def _weighed(self, encoded: Any, row: int, job: Job, decoded: Decoded) -> Decoded:
        """What was decoded, beside what could be accepted: the same encoder output, asked again."""
        if "zip_code" in job.awaited.types and (head := self._heads.get(decoded.language)):
            rows = likely_rows(head.heard(states_of(encoded, row)[0], job.mel.shape[1]), head.names)
            weighed = decide_code(decoded.text, decoded.avg_logprob, rows)
            if weighed.verdict:
                return replace(decoded, text=weighed.text, avg_logprob=weighed.logprob, verdict=weighed.verdict)
        weighed = self._by_sound(encoded, row, job, decoded)
        if not weighed.verdict and (foreign := self._other_language(encoded, row, job, decoded)):
            return replace(decoded, other_language=foreign)
        for weigh in (self._yes_or_no, self._choice):
            weighed = weighed if weighed.verdict else weigh(encoded, row, job, decoded)
        if weighed.verdict:
            return replace(decoded, text=weighed.text, avg_logprob=weighed.logprob, verdict=weighed.verdict)
        return decoded

    def _by_sound(self, encoded: Any, row: int, job: Job, decoded: Decoded) -> Weighed:
        ear, language = self._ears.get(decoded.language), decoded.language
        if ear is None:
            return Weighed()
        for expected in sounds_awaited(job.awaited, language, decoded.text, decoded.avg_logprob):
            behind = ear.behind(states_of(encoded, row)[0], job.mel.shape[1], expected.texts)
            weighed = decide_by_sound(expected, behind, ear.sounds_of)
            if weighed.verdict:
                return weighed
        return Weighed()

    def _yes_or_no(self, encoded: Any, row: int, job: Job, decoded: Decoded) -> Weighed:
        expected = closed_set(job.awaited.types, decoded.language)
        if expected is None or not is_worth_scoring(expected, decoded.text, decoded.avg_logprob):
            return Weighed()
        scores = self._scored(encoded, row, job, decoded, job.hints, expected.texts)
        return decide(expected, decoded.text, dict(decoded.hypotheses), scores)

    def _choice(self, encoded: Any, row: int, job: Job, decoded: Decoded) -> Weighed:
        expected = choice_set(job.awaited.choices, decoded.language)
        if expected is None or not is_choice_worth_scoring(expected, decoded.text, decoded.avg_logprob):
            return Weighed()
        scores = self._scored(encoded, row, job, decoded, job.hints, expected.texts)
        unprompted = self._scored(encoded, row, job, decoded, (), expected.texts) if job.hints else scores
        return decide_choice(expected, dict(decoded.hypotheses), scores, unprompted)

    def _scored(
        self, encoded: Any, row: int, job: Job, decoded: Decoded, hints: tuple[int, ...], texts: Sequence[str]
    ) -> dict[str, float]:
        return self._scores.of(encoded, row, job.mel.shape[1], self._prompt(decoded.language, hints), texts)

    def _decoded(self, result: Any, language: str, job: Job) -> Decoded:
        # the batch's limit is that of its longest utterance: a loop in a shorter one ends where it would alone
        tokens = result.sequences_ids[0][: job.max_tokens]
        text = self._tokens.decode(tokens).strip()
        raw = text.encode()
        return Decoded(
            text=text,
            language=language,
            # the score is a mean over the tokens without the end; the end counts as well
            avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1) if tokens else 0.0,
            no_speech_prob=result.no_speech_prob,
            compression_ratio=len(raw) / len(zlib.compress(raw)),
            tokens=tuple(tokens),
            context_s=job.context_s,
            hypotheses=tuple(
                (self._tokens.decode(ids).strip(), score * len(ids))
                for ids, score in zip(result.sequences_ids, result.scores, strict=True)
            ),
        )

    def _prompt(self, language: str, hints: tuple[int, ...]) -> list[int]:
        start = [self._tokens.sot]
        if self._model.model.is_multilingual:
            start += [self._number(f"<|{language}|>"), self._tokens.transcribe]
        return [*([self._tokens.sot_prev, *hints] if hints else []), *start, self._tokens.no_timestamps]

    def _hint_tokens(self, hints: Sequence[str]) -> tuple[int, ...]:
        tokens: list[int] = []
        for hint in hints if self.notes.prompts else ():
            more = self._tokens.encode(f"{',' if tokens else ''} {hint.strip()}")
            if len(tokens) + len(more) > MAX_HINT_TOKENS:
                break
            tokens += more
        return tuple(tokens)

    def _other_language(self, encoded: Any, row: int, job: Job, decoded: Decoded) -> str:
        """The language that was spoken instead of the one that was asked for; empty where it was not, or who knows."""
        if job.language == AUTO or len(self.languages) == 1 or not is_foreign_perhaps(job.duration_s, decoded):
            return ""
        expected = closed_set(job.awaited.types, decoded.language)
        if expected is not None and expected.is_bare(decoded.text):
            return ""  # in whatever language: translated, a yes is a yes
        states = ctranslate2.StorageView.from_array(states_of(encoded, row))
        ranking = {token.strip("<|>"): share for token, share in self._model.model.detect_language(states)[0]}
        return other_language(job.language, ranking)

    def _detect(self, encoded: Any) -> list[str]:
        """The likeliest language of each item."""
        if len(self.languages) == 1:
            return [*self.languages] * encoded.shape[0]
        return [ranking[0][0].strip("<|>") for ranking in self._model.model.detect_language(encoded)]

    def _number(self, token: str) -> int:
        return int(self._model.hf_tokenizer.token_to_id(token))

    def _any_language(self) -> str:
        return next((code for code in self._model.supported_languages if self._has(code)), "en")

    def _known_languages(self) -> frozenset[str]:
        if not self._model.model.is_multilingual:
            return frozenset({"en"})
        return frozenset(code for code in self._model.supported_languages if self._has(code))

    def _has(self, code: str) -> bool:
        return self._model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None


def load_engine(
    model: str,
    device: str = "auto",
    index: int = 0,
    compute_type: str = "auto",
    espeak: Path = STATE / "espeak" / "bin" / "espeak-ng",
    **options: Any,
) -> WhisperEngine:
    """The engine of a hub name or a CTranslate2 folder; `espeak` is the program that texts are read by, `options`:
    beam_size, context_s, cpu_threads.

    `auto` means CUDA with float16 where CTranslate2 finds a GPU, else CPU with int8.
    """
    device, compute_type = choose_device(device, compute_type, ctranslate2.get_cuda_device_count())
    threads = options.pop("cpu_threads", 1)
    whisper = WhisperModel(
        model, device=device, device_index=index, compute_type=compute_type, cpu_threads=threads, num_workers=1
    )
    notes = read_notes(Path(model))
    heads, ears = read_heads(HEADS, notes.number_head), read_ears(HEADS, notes.sound_head, espeak)
    return WhisperEngine(whisper, notes, heads=heads, ears=ears, **options)


def choose_device(device: str, compute_type: str, gpus: int) -> tuple[str, str]:
    """Device and compute type that the settings and the number of GPUs come to."""
    if device == "auto":
        device = "cuda" if gpus else "cpu"
    if compute_type == "auto":
        compute_type = "float16" if device == "cuda" else "int8"
    return device, compute_type
