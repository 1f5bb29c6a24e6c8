"""A trained language as one file: arrays in a numpy archive, named by a hash of everything that went into it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from intent_service.features import FeatureVocabulary
from intent_service.model import Classifier, Confidence, Head, Vector, VoteWeights

_CODE = sorted(Path(__file__).parent.glob("*.py"))
_TRAINED_BY = (
    "normalise",
    "phonetic",
    "features",
    "design",
    "noise",
    "phrases",
    "groups",
    "language",
    "model",
    "training",
    "thresholds",
    "train",
)


@dataclass(frozen=True)
class Bundle:
    """A classifier with everything that deciding needs."""

    version: str
    """Hash of phrases, encoder and training code."""
    classifier: Classifier
    mix: VoteWeights
    confidence: Confidence
    thresholds: Vector
    """One per class."""


def version_of(source: str, encoder_identity: str) -> str:
    """The version that training on these phrases with this encoder gives."""
    digest = hashlib.sha256(f"{encoder_identity}\0{source}".encode())
    for path in _CODE:
        if path.stem in _TRAINED_BY:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def bundle_path(cache: Path, language: str, version: str) -> Path:
    """Where a trained language lies."""
    return cache / f"{language}-{version}.npz"


def save(bundle: Bundle, path: Path) -> None:
    """Writes the bundle so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model = bundle.classifier
    about = {
        "version": bundle.version,
        "language": model.vocabulary.language,
        "classes": model.classes,
        "polar": model.polar,
        "mix": asdict(bundle.mix),
        "confidence_bias": bundle.confidence.bias,
    }
    arrays = {
        "about": _bytes(json.dumps(about)),
        "features": _bytes("\n".join(model.vocabulary.columns)),
        "familiar": _bytes("\n".join(sorted(model.familiar))),
        "idf": model.vocabulary.idf,
        "lexical_weights": model.lexical.weights,
        "lexical_bias": model.lexical.bias,
        "confidence_scales": np.stack([bundle.confidence.means, bundle.confidence.scales]),
        "confidence_weights": bundle.confidence.weights,
        "thresholds": bundle.thresholds,
    }
    if model.semantic is not None and model.centroids is not None:
        arrays |= {"semantic_weights": model.semantic.weights, "semantic_bias": model.semantic.bias}
        arrays["centroids"] = model.centroids
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.savez(file, allow_pickle=False, **{key: np.asarray(value) for key, value in arrays.items()})
    os.chmod(name, 0o644)
    os.replace(name, path)


def open_bundle(path: Path) -> Bundle:
    """Reads a bundle. Raises FileNotFoundError, or ValueError when the file is no bundle."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            data = {key: archive[key] for key in archive.files}
        about = json.loads(data["about"].tobytes())
        columns = {feature: index for index, feature in enumerate(data["features"].tobytes().decode().split("\n"))}
        has_semantic = "semantic_weights" in data
        means, scales = data["confidence_scales"].astype(np.float32)
        weights = data["confidence_weights"].astype(np.float32)
        classifier = Classifier(
            tuple(about["classes"]),
            FeatureVocabulary(about["language"], columns, data["idf"]),
            frozenset(data["familiar"].tobytes().decode().split("\n")),
            Head(data["lexical_weights"], data["lexical_bias"]),
            Head(data["semantic_weights"], data["semantic_bias"]) if has_semantic else None,
            data["centroids"] if has_semantic else None,
            bool(about["polar"]),
        )
        confidence = Confidence(means, scales, weights, float(about["confidence_bias"]))
        return Bundle(about["version"], classifier, VoteWeights(**about["mix"]), confidence, data["thresholds"])
    except FileNotFoundError:
        raise
    except Exception as error:  # a torn or foreign file: retrained by the caller
        raise ValueError(f"{path}: {error}") from error


def _bytes(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(text.encode(), np.uint8)
