"""Texts become phonemes, by espeak-ng in a process of its own; each text once."""

from __future__ import annotations

import logging
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import RLock
from typing import Final

from whisper_service.sounds import tokens_of_ipa

log = logging.getLogger("pronto.whisper")

DEADLINE_S: Final = 5.0
MOST_KEPT: Final = 20_000
_NO_SOUND: Final = re.compile(r"[^\w'’ -]|_")
"""A mark would make a clause, and a line, of its own."""


class Pronunciation:
    """How texts of one language sound, in tokens of `phonemes`. May be called from any thread."""

    def __init__(self, program: Path, language: str, phonemes: Sequence[str]) -> None:
        """`program`: espeak-ng."""
        self._command = [str(program), "-q", "--ipa", "-v", language, "--stdin"]
        self._phonemes = tuple(phonemes)
        self._known: dict[str, tuple[int, ...]] = {}
        self._lock = RLock()

    def learn(self, texts: Iterable[str]) -> None:
        """Reads texts that will be asked about; those that are known cost nothing. A thousand new ones take a third of
        a second."""
        with self._lock:
            if missing := [text for text in dict.fromkeys(texts) if text not in self._known]:
                if len(self._known) + len(missing) > MOST_KEPT:
                    self._known.clear()
                self._known.update(zip(missing, self._read(missing), strict=True))

    def of(self, texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Text -> tokens; without those that cannot be read."""
        wanted = tuple(texts)
        with self._lock:
            self.learn(wanted)
            return {text: tokens for text in wanted if (tokens := self._known.get(text))}

    def _read(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        clauses = [_NO_SOUND.sub(" ", text).strip() for text in texts]
        spoken = "\n\n".join(f"{clause}." for clause in clauses if clause)
        try:
            done = subprocess.run(self._command, input=spoken.encode(), capture_output=True, timeout=DEADLINE_S)
            lines = done.stdout.decode(errors="replace").splitlines()
            error = "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip()
        except (OSError, subprocess.TimeoutExpired) as failed:
            lines, error = [], repr(failed)
        if error or len(lines) != sum(map(bool, clauses)):
            log.warning("texts have no phonemes", extra={"error": error or f"{len(lines)} lines for {len(clauses)}"})
            return [()] * len(texts)
        read = iter(lines)
        return [tokens_of_ipa(next(read), self._phonemes) if clause else () for clause in clauses]
