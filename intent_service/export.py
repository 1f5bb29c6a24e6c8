"""`python -m intent_service.export`: a sentence-transformers encoder as ONNX, in int8 where that is as accurate.

Pooling and norm go into the graph, so that serving needs onnxruntime and `tokenizers` only. int8 is for the matrix
products alone: with the table of word vectors in int8 too, French lost 1.4 points. It is kept when held-out accuracy on
the French phrases falls by no more than a point. The vectors made for that are kept for the training that follows.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from config import BadSettings, IntentSettings, load
from intent_service.encoder import MANIFEST, USE_PACKAGE, Encoder, OnnxEncoder, export_folder, model_location
from intent_service.language import read_language
from intent_service.model import semantic_inputs
from intent_service.remembered import RememberingEncoder

_EXPORTER = 2
"""Raised when exports differ; older ones are made again at the next set-up."""
_ALLOWED_LOSS = 0.01
"""Of this quick check of the embeddings alone. What they lose weighs little beside the words: of 0.7 points here, 0.1
was left in the whole evaluation (0.957 and 0.958 right, the same 0.861 under noise)."""
_RIDGE = 1.0


def export(name: str, target: Path, flows: Path) -> str:
    """Writes the export into `target` (replaced as a whole) and returns a line that says what was kept and why.

    Raises OSError or RuntimeError when the encoder cannot be loaded or traced.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix="export-"))
    try:
        _write_fp32(model_location(name), work)
        fp32 = OnnxEncoder(work, "fp32.onnx")
        manifest: dict[str, object] = {"exporter": _EXPORTER, "encoder": name, "file": "fp32.onnx", "precision": "fp32"}
        if _write_int8(work):
            rivals = [RememberingEncoder(one, target.parent) for one in (fp32, OnnxEncoder(work, "int8.onnx"))]
            accuracies = [_accuracy(encoder, flows) for encoder in rivals]
            manifest |= {"accuracy_fp32": round(accuracies[0], 4), "accuracy_int8": round(accuracies[1], 4)}
            holds = accuracies[0] - accuracies[1] <= _ALLOWED_LOSS
            if holds:
                manifest |= {"file": "int8.onnx", "precision": "int8"}
            rivals[int(holds)].keep()
        for file in ("fp32.onnx", "int8.onnx"):
            if file != manifest["file"]:
                (work / file).unlink(missing_ok=True)
        (work / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        work.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)
        return f"{manifest['precision']} kept: " + json.dumps(manifest)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_fp32(location: str, folder: Path) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(location)
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise RuntimeError(f"{location} has no fast tokenizer; it will be served by sentence-transformers")
    model: Any = AutoModel.from_pretrained(location, attn_implementation="eager").eval()
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    pooling = Path(location) / "1_Pooling" / "config.json"
    if pooling.exists() and not json.loads(pooling.read_text(encoding="utf-8")).get("pooling_mode_mean_tokens"):
        raise RuntimeError(f"{location} does not pool by the mean; it will be served by sentence-transformers")

    class Pooled(torch.nn.Module):  # type: ignore[misc]
        """Transformer, mean over the tokens, unit length."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1).clamp(min=1e-9), dim=1)

    example = tokenizer(["a sentence", "another sentence of more words"], padding=True, return_tensors="pt")
    names = ["input_ids", "attention_mask"]
    axes = {0: "sentences", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's remarks about constant folding
        torch.onnx.export(
            Pooled(),
            tuple(example[one] for one in names),
            str(folder / "fp32.onnx"),
            input_names=names,
            output_names=["embedding"],
            dynamic_axes={**dict.fromkeys(names, axes), "embedding": {0: "sentences"}},
            opset_version=17,
            dynamo=False,
        )


def _write_int8(folder: Path) -> bool:
    """Whether quantisation worked; it is a speed-up, never a need."""
    import logging

    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        logging.getLogger().setLevel(logging.ERROR)
        quantize_dynamic(
            str(folder / "fp32.onnx"),
            str(folder / "int8.onnx"),
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul"],
        )
    except Exception as error:
        print(f"int8: {error}", file=sys.stderr)
        return False
    return True


def _accuracy(encoder: Encoder, flows: Path) -> float:
    """Leave-one-out accuracy of a ridge classifier on the French phrases: exact, in closed form, in a second."""
    samples = read_language(flows, "fr").samples(encoder)
    assert samples.embeddings is not None
    inputs = semantic_inputs(samples.embeddings, samples.negated(), polar=True).astype(np.float64)
    targets = np.eye(len(samples.classes))[samples.labels]
    smoother = inputs @ np.linalg.solve(inputs.T @ inputs + _RIDGE * np.eye(inputs.shape[1]), inputs.T)
    own = np.diag(smoother)[:, None]
    held_out = (smoother @ targets - own * targets) / (1.0 - own)
    return float(np.mean(held_out.argmax(axis=1) == samples.labels))


def is_current(target: Path) -> bool:
    """Whether this exporter wrote the export."""
    try:
        manifest: dict[str, object] = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        return manifest.get("exporter") == _EXPORTER
    except (OSError, ValueError):
        return False


def main() -> int:
    """Exports the configured encoder unless it is there already."""
    try:
        settings = load(IntentSettings)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    if settings.intent_encoder in ("none", USE_PACKAGE):
        print(f"INTENT_ENCODER={settings.intent_encoder}: nothing to export")
        return 0
    target = export_folder(settings.intent_cache_dir, settings.intent_encoder)
    if is_current(target):
        print(f"exported already: {target}")
        return 0
    print(export(settings.intent_encoder, target, settings.flows_dir))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
