"""A folder with a Whisper model of random weights, in the layout that faster-whisper loads.

It has the shapes, the vocabulary layout and the cost of a real model and none of its knowledge: it proves batching,
grouping, deadlines and memory, never accuracy. Written straight with `ctranslate2.specs`; nothing is downloaded.

    python -m tests.whisper.random_model FOLDER SHAPE      tiny, demo, small (d 768, 12 + 12 layers) or large-v3
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.converters.converter import Converter
from ctranslate2.specs.whisper_spec import WhisperSpec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

FloatArray = NDArray[np.float32]
WORDS = "oui non merci maison gaz bois pompe chaleur demain matin soir lundi mardi midi rue ville table jardin".split()
NEVER = -1e4


@dataclass(frozen=True)
class Shape:
    """Sizes of a Whisper model."""

    width: int = 64
    heads: int = 4
    encoder_layers: int = 1
    decoder_layers: int = 1
    mels: int = 80
    text_ids: int = 320
    """Text tokens: every byte, the words below, and the empty string that CTranslate2 takes for multilingual."""
    languages: tuple[str, ...] = ("fr", "it", "en")


TINY = Shape()
DEMO = Shape(160, 4, 4, 2, 80, 956, ("fr",))
SMALL = Shape(768, 12, 12, 12, 80, 50_257, tuple(code for code in _LANGUAGE_CODES if code != "yue"))
LARGE_V3 = Shape(1280, 20, 32, 32, 128, 50_257, tuple(_LANGUAGE_CODES))
SHAPES = {"tiny": TINY, "demo": DEMO, "small": SMALL, "large-v3": LARGE_V3}


def make_random_model(folder: Path, shape: Shape = TINY, seed: int = 0, endless: bool = False) -> Path:
    """Writes model.bin, vocabulary.json, config.json, tokenizer.json and preprocessor_config.json into `folder`.

    `endless`: it never ends a sentence, so that every utterance costs the most tokens it is allowed; and it takes all
    for silence, so that nothing is run a second time.
    """
    tokenizer = _tokenizer(shape)
    _RandomWeights(shape, tokenizer, seed, endless).convert(str(folder), quantization="int8", force=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    features = {"feature_size": shape.mels, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
    (folder / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")
    return folder


def _tokenizer(shape: Shape) -> Tokenizer:
    text = sorted(pre_tokenizers.ByteLevel.alphabet())
    text += [pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(f" {word}")[0][0] for word in WORDS]
    text += [*(f"<|unused{i}|>" for i in range(shape.text_ids - 1 - len(text))), ""]
    specials = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in shape.languages),
        *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
    ]
    times = [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
    ids = {token: i for i, token in enumerate([*text, *specials, *times])}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    return tokenizer


class _RandomWeights(Converter):  # type: ignore[misc]
    def __init__(self, shape: Shape, tokenizer: Tokenizer, seed: int, endless: bool) -> None:
        self._endless = endless
        self._shape = shape
        self._tokenizer = tokenizer
        self._random = np.random.default_rng(seed)

    def _load(self) -> Any:
        shape, width = self._shape, self._shape.width
        spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
        spec.encoder.conv1.weight = self._normal(width, shape.mels, 3, scale=3.0)
        spec.encoder.conv2.weight = self._normal(width, width, 3, scale=3.0)
        for conv in (spec.encoder.conv1, spec.encoder.conv2):
            conv.bias = np.zeros(width, np.float32)
        for part, positions in ((spec.encoder, 1500), (spec.decoder, 448)):
            part.position_encodings.encodings = self._normal(positions, width, scale=0.3 * width**0.5)
            self._norm(part.layer_norm)
        for layer in spec.encoder.layer:
            self._attention(layer.self_attention)
            self._feed_forward(layer.ffn)
        for layer in spec.decoder.layer:
            self._attention(layer.self_attention)
            self._norm(layer.attention.layer_norm)
            # what is heard must outweigh what was said before, or every clip gives the same text
            self._linear(layer.attention.linear[0], width, width, scale=4.0)
            self._linear(layer.attention.linear[1], 2 * width, width, scale=4.0)
            self._linear(layer.attention.linear[2], width, width, scale=8.0)
            self._feed_forward(layer.ffn)
        size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        embeddings = self._normal(size, width, scale=width**0.5)
        spec.decoder.embeddings.weight = embeddings
        spec.decoder.projection.weight = embeddings
        bias = np.full(size, NEVER, np.float32)
        bias[256 : 256 + len(WORDS)] = 0.0
        bias[self._tokenizer.token_to_id("<|endoftext|>")] = NEVER if self._endless else 2.5
        bias[self._tokenizer.token_to_id("<|nospeech|>")] = -NEVER if self._endless else -5.0
        spec.decoder.projection.bias = bias
        vocabulary = sorted(self._tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
        spec.register_vocabulary([token for token, _ in vocabulary])
        number = self._tokenizer.token_to_id
        spec.config.suppress_ids = []
        spec.config.suppress_ids_begin = [number("<|endoftext|>")]
        spec.config.lang_ids = [number(f"<|{code}|>") for code in shape.languages]
        spec.config.alignment_heads = [(shape.decoder_layers - 1, 0)]
        return spec

    def _normal(self, *size: int, scale: float = 1.0) -> FloatArray:
        return (self._random.standard_normal(size, np.float32) * np.float32(scale / size[-1] ** 0.5)).astype(np.float32)

    def _linear(self, spec: Any, rows: int, columns: int, scale: float = 1.0) -> None:
        spec.weight = self._normal(rows, columns, scale=scale)
        spec.bias = np.zeros(rows, np.float32)

    def _norm(self, spec: Any) -> None:
        spec.gamma = np.ones(self._shape.width, np.float32)
        spec.beta = np.zeros(self._shape.width, np.float32)

    def _attention(self, spec: Any) -> None:
        self._norm(spec.layer_norm)
        self._linear(spec.linear[0], 3 * self._shape.width, self._shape.width)
        self._linear(spec.linear[1], self._shape.width, self._shape.width)

    def _feed_forward(self, spec: Any) -> None:
        self._norm(spec.layer_norm)
        self._linear(spec.linear_0, 4 * self._shape.width, self._shape.width)
        self._linear(spec.linear_1, self._shape.width, 4 * self._shape.width)


if __name__ == "__main__":
    print(make_random_model(Path(sys.argv[1]), SHAPES[sys.argv[2]]))
