"""Utterances -> transcripts through faster-whisper's own model object, with a context shorter than 30 s.

`WhisperModel.transcribe` always encodes 30 s; the network accepts any length, and 6 s cost 30 times less than 30 s on a
CPU. This is the recipe for the demo model; a real checkpoint should stay at 30 s unless it has been measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from numpy.typing import NDArray

FRAMES_PER_S = 100
TOKEN_LIMIT = 96
SUPPRESSED_BY_FASTER_WHISPER = -1


@dataclass(frozen=True, slots=True)
class ContextTranscript:
    """`avg_logprob`: mean log probability of a token, end included, 0 for no text; `no_speech_prob` in [0, 1]."""

    text: str
    avg_logprob: float
    no_speech_prob: float


def transcribe(
    model: WhisperModel, utterances: list[NDArray[np.float32]], context_s: float = 6.0, language: str = "fr"
) -> list[ContextTranscript]:
    """16 kHz float32 utterances, each at most `context_s` long -> transcripts in order, one batch.

    Greedy, without timestamps. Raises ValueError when an utterance is longer than the context.
    """
    frames = int(context_s * FRAMES_PER_S)
    features = []
    for samples in utterances:
        mel = model.feature_extractor(samples)[:, :-1]
        if mel.shape[1] > frames:
            raise ValueError(f"utterance of {mel.shape[1] / FRAMES_PER_S:.1f} s in a context of {context_s} s")
        features.append(pad_or_trim(mel, frames))
    tokenizer = model.hf_tokenizer
    ids = [tokenizer.token_to_id(t) for t in ("<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>")]
    prompt = [*ids, tokenizer.token_to_id("<|notimestamps|>")]
    encoded = model.model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(features))))
    results = model.model.generate(
        encoded, [prompt] * len(features), beam_size=1, max_length=2 * TOKEN_LIMIT, return_scores=True,
        return_no_speech_prob=True, suppress_blank=True, suppress_tokens=[],
    )  # fmt: skip
    transcripts = []
    for result in results:
        said = len(result.sequences_ids[0])
        # CTranslate2's score is the mean without the end; nothing said has no score
        logprob = float(result.scores[0]) * said / (said + 1) if said else 0.0
        text = tokenizer.decode(result.sequences_ids[0]).strip()
        transcripts.append(ContextTranscript(text, logprob, float(result.no_speech_prob)))
    return transcripts
