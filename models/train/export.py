"""Checkpoints + tokenizer -> a CTranslate2 directory that an untouched faster-whisper loads.

    python -m models.train.export CHECKPOINT... TOKENIZER OUT_FOLDER [--quantization int8]

Several checkpoints of one line of training are averaged, which is often better than each.

Written straight through ctranslate2.specs: transformers is not needed. Needs CTranslate2 >= 4.7 (see vocab.py).
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.converters.converter import Converter
from ctranslate2.specs.whisper_spec import WhisperSpec
from numpy.typing import NDArray

from models.train.checkpoints import mean, read
from models.train.network import Attention, Layer, Shape, Whisper
from models.train.vocab import Vocabulary

NEVER = -1e4  # projection bias of ids that were never trained: they cannot be written
PREPROCESSOR = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}


def _array(tensor: Any) -> NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().float().numpy())


def _linear(spec: Any, *modules: Any) -> None:
    """One linear layer, or several stacked (query, key, value); a missing bias is zero."""
    spec.weight = np.concatenate([_array(m.weight) for m in modules])
    biases = [_array(m.bias) if m.bias is not None else np.zeros(m.weight.shape[0], np.float32) for m in modules]
    spec.bias = np.concatenate(biases)


def _norm(spec: Any, module: Any) -> None:
    spec.gamma, spec.beta = _array(module.weight), _array(module.bias)


def _self_attention(spec: Any, attention: Attention, norm: Any) -> None:
    _norm(spec.layer_norm, norm)
    _linear(spec.linear[0], attention.query, attention.key, attention.value)
    _linear(spec.linear[1], attention.out)


def _cross_attention(spec: Any, attention: Attention, norm: Any) -> None:
    _norm(spec.layer_norm, norm)
    _linear(spec.linear[0], attention.query)
    _linear(spec.linear[1], attention.key, attention.value)
    _linear(spec.linear[2], attention.out)


def _feed_forward(spec: Any, layer: Layer) -> None:
    _norm(spec.layer_norm, layer.feed_norm)
    _linear(spec.linear_0, layer.feed_in)
    _linear(spec.linear_1, layer.feed_out)


class CheckpointConverter(Converter):  # type: ignore[misc]
    """CTranslate2's converter for the mean of our checkpoints; `weights`: "average" or "network" (the last step's)."""

    def __init__(self, checkpoints: Sequence[Path], vocabulary: Vocabulary, weights: str = "average") -> None:
        saved = read(checkpoints)
        self._network, self._vocabulary = Whisper(Shape(**saved[0]["shape"])), vocabulary
        self._network.load_state_dict(mean(saved, weights))

    def _load(self) -> WhisperSpec:
        network, v, shape = self._network, self._vocabulary, self._network.shape
        spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
        encoder, decoder = spec.encoder, spec.decoder
        for conv, module in ((encoder.conv1, network.conv1), (encoder.conv2, network.conv2)):
            conv.weight, conv.bias = _array(module.weight), _array(module.bias)
        encoder.position_encodings.encodings = _array(network.positions)
        _norm(encoder.layer_norm, network.encoder_norm)
        for layer_spec, layer in zip(encoder.layer, network.encoder, strict=True):
            _self_attention(layer_spec.self_attention, layer.self_attention, layer.self_norm)
            _feed_forward(layer_spec.ffn, layer)
        embedding = np.zeros((v.size, shape.width), np.float32)
        embedding[: shape.tokens] = _array(network.embedding.weight)
        bias = np.full(v.size, NEVER, np.float32)
        bias[: shape.tokens] = 0
        decoder.embeddings.weight = embedding
        decoder.projection.weight = embedding
        decoder.projection.bias = bias
        decoder.position_encodings.encodings = _array(network.text_positions)
        _norm(decoder.layer_norm, network.decoder_norm)
        for layer_spec, layer in zip(decoder.layer, network.decoder, strict=True):
            _self_attention(layer_spec.self_attention, layer.self_attention, layer.self_norm)
            _cross_attention(layer_spec.attention, layer.cross_attention, layer.cross_norm)
            _feed_forward(layer_spec.ffn, layer)
        spec.register_vocabulary(v.tokens)
        spec.config.suppress_ids = []
        # the end of text may come first: it is how the model says that nobody spoke
        spec.config.suppress_ids_begin = [v.bare_space]
        spec.config.lang_ids = [v.french]  # detect_language can only say French
        spec.config.alignment_heads = [(shape.decoder_layers - 1, head) for head in range(shape.heads)]
        return spec


def export(
    checkpoints: Sequence[Path],
    tokenizer: Path,
    folder: Path,
    quantization: str | None = "int8",
    weights: str = "average",
) -> None:
    """Write model.bin, vocabulary.json, config.json, tokenizer.json and preprocessor_config.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / ".export"
    converter = CheckpointConverter(checkpoints, Vocabulary(tokenizer), weights)
    converter.convert(str(made), quantization=quantization, force=True)
    for path in made.iterdir():
        path.replace(folder / path.name)
    made.rmdir()
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR) + "\n", "utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quantization", default="int8", help="a CTranslate2 type, or none")
    parser.add_argument("--weights", default="average", choices=("average", "network"))
    arguments = parser.parse_args()
    quantization = None if arguments.quantization == "none" else arguments.quantization
    export(arguments.checkpoints, arguments.tokenizer, arguments.folder, quantization, arguments.weights)


if __name__ == "__main__":
    main()
