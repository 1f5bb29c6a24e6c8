"""Mel spectrograms become text: a faster-whisper model, run at CTranslate2's own level so that callers share a batch.

`transcribe` of faster-whisper serves one recording at a time and always encodes 30 s. Here a batch is encoded once and
decoded once, over as little context as its utterances need. What CTranslate2 wants equal in a batch (context, length of
the prompt, temperature) is the job's key. An utterance whose text looks wrong is run once more: over the full 30 s when
it was heard in a short context, else with a little temperature.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from whisper_service.audio import Samples
from whisper_service.batcher import Again, OutOfMemory
from whisper_service.guards import GuardLimits

Mel: TypeAlias = NDArray[np.float32]

_NO_MEMORY: Final = ("out of memory", "alloc_failed")
"""How CUDA says it, and how cuBLAS and cuDNN do (CUBLAS_STATUS_ALLOC_FAILED)."""

FULL_CONTEXT_S: Final = 30.0
FRAMES_PER_S: Final = 100
MAX_HINT_TOKENS: Final = 48
"""Hints longer than this are cut at a hint's end: a prompt costs decoder time and invites echoes."""
MARGIN_S: Final = 0.5
"""Silence that must fit behind the utterance, or the model has not heard it end."""


@dataclass(frozen=True)
class ModelNotes:
    """What a model folder says of itself in `pronto.json`; real models have none."""

    context_s: float = FULL_CONTEXT_S
    """Context in which the model is as right as in 30 s."""
    demo: bool = False
    """A demonstration model that knows a closed list of phrases."""
    prompts: bool = True
    """Whether it was trained with text before the transcript, which hints are given as."""
    self_test: str = ""
    """What it must hear in the self-test's utterance; empty: any text."""
    limits: GuardLimits = GuardLimits()
    """Where the guards draw their lines for it."""


def max_tokens(duration_s: float) -> int:
    """More tokens than anyone says in that time; what runs on is a loop."""
    return min(224, 16 + round(12 * duration_s))


@dataclass(frozen=True)
class Job:
    """One utterance to transcribe."""

    mel: Mel
    """Log-mel spectrogram without padding, shape [mels, frames], 100 frames per second."""
    language: str
    """A language of the model, or `auto`."""
    hints: tuple[int, ...] = ()
    """Tokens of the hints, cut to MAX_HINT_TOKENS."""
    context_s: float = FULL_CONTEXT_S
    temperature: float = 0.0
    first: Decoded | None = None
    """What the first run said, when this is the second."""

    @property
    def duration_s(self) -> float:
        """Length of the utterance."""
        return float(self.mel.shape[1]) / FRAMES_PER_S

    @property
    def max_tokens(self) -> int:
        """See the function."""
        return max_tokens(self.duration_s)


@dataclass(frozen=True)
class Decoded:
    """What the model said, and how sure it was."""

    text: str
    language: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    tokens: tuple[int, ...] = ()
    context_s: float = FULL_CONTEXT_S
    runs: int = 1

    @property
    def confidence(self) -> float:
        """Geometric mean of the tokens' probabilities, 0 to 1."""
        return min(1.0, math.exp(self.avg_logprob)) if math.isfinite(self.avg_logprob) else 0.0


class WhisperEngine:
    """One loaded model. `features` and `job` may be called from any thread, `run` from one only."""

    def __init__(self, model: WhisperModel, notes: ModelNotes, beam_size: int = 1, context_s: float = 0.0) -> None:
        self._model = model
        self._beam_size = beam_size
        self._shortest_s = context_s or notes.context_s
        self.notes = notes
        self.device: str = model.model.device
        self.compute_type: str = model.model.compute_type
        self._tokens = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", self._any_language())
        self._suppressed = list(get_suppressed_tokens(self._tokens, [-1]))
        self.languages = self._known_languages()

    def features(self, samples: Samples) -> Mel:
        """The log-mel spectrogram of 16 kHz samples, as faster-whisper computes it."""
        return np.asarray(self._model.feature_extractor(samples)[:, :-1], np.float32)

    def job(self, mel: Mel, language: str, hints: Sequence[str] = (), temperature: float = 0.0) -> Job:
        """An utterance with its prompt and the least context that holds it."""
        needed_s, context_s = mel.shape[1] / FRAMES_PER_S + MARGIN_S, self._shortest_s
        while context_s < min(needed_s, FULL_CONTEXT_S):
            context_s = min(2 * context_s, FULL_CONTEXT_S)
        return Job(mel, language, self._hint_tokens(hints), context_s, temperature)

    def key(self, job: Job) -> Hashable:
        """Languages may be mixed in a batch; lengths of hints may not, as all transcripts must start together."""
        return (job.context_s, len(job.hints), job.temperature, job.language == "auto")

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
        languages = self._detect(encoded) if jobs[0].language == "auto" else [job.language for job in jobs]
        prompts = [self._prompt(language, job.hints) for language, job in zip(languages, jobs, strict=True)]
        wanted = max(job.max_tokens for job in jobs)
        sampling: dict[str, Any] = {"beam_size": self._beam_size}
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
        return [
            judge(job, self._decoded(result, language, job))
            for job, result, language in zip(jobs, results, languages, strict=True)
        ]

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

    def _detect(self, encoded: Any) -> list[str]:
        """The likeliest language of each item."""
        if not self._model.model.is_multilingual:
            return ["en"] * encoded.shape[0]
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


def judge(job: Job, decoded: Decoded) -> Decoded | Again[Job]:
    """The answer, or the job for a second run when the text looks wrong and there is speech."""
    if job.first:
        return replace(max(job.first, decoded, key=_plausibility), runs=2)
    if not decoded.text or decoded.no_speech_prob > 0.6 or (decoded.avg_logprob >= -1.0 and not _repeats(decoded)):
        return decoded
    if job.context_s < FULL_CONTEXT_S:
        return Again(replace(job, context_s=FULL_CONTEXT_S, first=decoded))
    return Again(replace(job, temperature=max(0.4, job.temperature), first=decoded))


def load_engine(
    model: str, device: str = "auto", index: int = 0, compute_type: str = "auto", **options: Any
) -> WhisperEngine:
    """The engine of a hub name or a CTranslate2 folder; `options`: beam_size, context_s, cpu_threads.

    `auto` means CUDA with float16 where CTranslate2 finds a GPU, else CPU with int8.
    """
    device, compute_type = choose_device(device, compute_type, ctranslate2.get_cuda_device_count())
    threads = options.pop("cpu_threads", 1)
    whisper = WhisperModel(
        model, device=device, device_index=index, compute_type=compute_type, cpu_threads=threads, num_workers=1
    )
    return WhisperEngine(whisper, read_notes(Path(model)), **options)


def choose_device(device: str, compute_type: str, gpus: int) -> tuple[str, str]:
    """Device and compute type that the settings and the number of GPUs come to."""
    if device == "auto":
        device = "cuda" if gpus else "cpu"
    if compute_type == "auto":
        compute_type = "float16" if device == "cuda" else "int8"
    return device, compute_type


def read_notes(folder: Path) -> ModelNotes:
    """The notes in a model folder, or those of a real model. Raises ValueError for notes that cannot be meant."""
    file = folder / "pronto.json"
    if not file.is_file():
        return ModelNotes()
    try:
        fields = dict(json.loads(file.read_text(encoding="utf-8")))
        wanted: dict[str, Any] = {key: float(value) for key, value in dict(fields.pop("limits", {})).items()}
        known = {key: value for key, value in fields.items() if key in ModelNotes.__dataclass_fields__}
        notes = ModelNotes(**known, limits=GuardLimits(**wanted))
        if not 1.0 <= float(notes.context_s) <= FULL_CONTEXT_S:
            raise ValueError(f"context_s must be from 1 to 30, not {notes.context_s}")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file}: {error}") from None
    return notes


def _repeats(decoded: Decoded) -> bool:
    """Text so regular that it is a loop; the ratio says nothing of fewer than ten words."""
    return decoded.compression_ratio > 2.4 and len(decoded.text.split()) >= 10


def _plausibility(decoded: Decoded) -> tuple[bool, float]:
    return not _repeats(decoded), decoded.avg_logprob
