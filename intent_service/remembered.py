"""Keeps the vectors of phrases on disk, so that set-up, training and evaluation encode each phrase once.

After an edit only new phrases are encoded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intent_service.encoder import Encoder
from intent_service.model import Matrix


class RememberingEncoder:
    """An encoder that keeps vectors of phrases on disk: after an edit only new phrases are encoded."""

    def __init__(self, encoder: Encoder, cache: Path) -> None:
        self._encoder = encoder
        self.identity = encoder.identity
        self._path = cache / f"vectors-{hashlib.sha256(encoder.identity.encode()).hexdigest()[:12]}.npz"
        self._known: dict[str, NDArray[np.float32]] = {}
        try:
            with np.load(self._path, allow_pickle=False) as archive:
                texts = json.loads(archive["texts"].tobytes())
                self._known = dict(zip(texts, archive["vectors"], strict=True))
        except (OSError, ValueError, KeyError):
            pass  # nothing kept yet, or a torn file: encoded again

    def encode(self, sentences: Sequence[str]) -> Matrix:
        """Unit rows."""
        new = [text for text in dict.fromkeys(sentences) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in sentences])

    def keep(self) -> None:
        """Writes what is known."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part.npz")
        texts = np.frombuffer(json.dumps(list(self._known)).encode(), np.uint8)
        np.savez(part, texts=texts, vectors=np.stack(list(self._known.values())))
        part.replace(self._path)
