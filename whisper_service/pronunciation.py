"""Texts become phonemes, by espeak-ng in a process of its own; each text once."""

from __future__ import annotations

import logging
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import RLock
from typing import Final

from whisper_service.sounds import tokens_of_ipa

log = logging.getLogger("pronto.whisper")

DEADLINE_S: Final = 5.0
AGAIN_AFTER_S: Final = 30.0
"""A program that failed is left alone for so long: every utterance would wait for it."""
MOST_KEPT: Final = 20_000
_NO_SOUND: Final = re.compile(r"[^\w'’ -]|_")
"""A mark would make a clause, and a line, of its own."""


class Pronunciation:
    """How texts of one language sound, in tokens of `phonemes`. May be called from any thread."""

    def __init__(
        self, program: Path, language: str, phonemes: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`program`: espeak-ng; `clock`: seconds."""
        self._command = [str(program), "-q", "--ipa", "-v", language, "--stdin"]
        self._phonemes = tuple(phonemes)
        self._known: dict[str, tuple[int, ...]] = {}
        self._lock = RLock()
        self._clock = clock
        self._left_alone_until_s = 0.0

    def learn(self, texts: Iterable[str]) -> None:
        """Reads texts that will be asked about; those that are known cost nothing. A thousand new ones take a third of
        a second."""
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._known]
            if missing and self._clock() >= self._left_alone_until_s:
                if len(self._known) + len(missing) > MOST_KEPT:
                    self._known.clear()
                self._known |= self._read(missing)

    def of(self, texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Text -> tokens; without those that cannot be read."""
        wanted = tuple(texts)
        with self._lock:
            self.learn(wanted)
            return {text: tokens for text in wanted if (tokens := self._known.get(text))}

    def _read(self, texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """Nothing where the program fails."""
        clauses = {text: _NO_SOUND.sub(" ", text).strip() for text in texts}
        spoken = "\n\n".join(f"{clause}." for clause in clauses.values() if clause)
        try:
            done = subprocess.run(self._command, input=spoken.encode(), capture_output=True, timeout=DEADLINE_S)
            lines = done.stdout.decode(errors="replace").splitlines()
            error = "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip()
        except (OSError, subprocess.TimeoutExpired) as failed:
            lines, error = [], repr(failed)
        wanted = sum(map(bool, clauses.values()))
        if error or len(lines) != wanted:
            self._left_alone_until_s = self._clock() + AGAIN_AFTER_S
            log.warning("texts have no phonemes", extra={"error": error or f"{len(lines)} lines for {wanted}"})
            return {}
        read = iter(lines)
        return {text: tokens_of_ipa(next(read), self._phonemes) if clause else () for text, clause in clauses.items()}
