"""The recognisers in force, one per language: loaded at start, replaced when a phrase file changes.

A bad file is refused and the old recogniser stays.

Training runs in a process of its own (`intent_service.train`), so answering goes on at full speed meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config import ROOT
from intent_service.bundle import Bundle, bundle_path, open_bundle, version_of
from intent_service.encoder import OpenedEncoder
from intent_service.language import FAQS, MAIN, OUT_OF_SCOPE, LanguageData, read_language
from intent_service.normalise import LANGUAGES
from intent_service.phrases import BadPhrases
from intent_service.recogniser import Recogniser

log = logging.getLogger(__name__)

_TRAINING_CPU_S = 600
"""Of the processor. How long that takes depends on what else the machine does, and a training that was ended for being
slow would begin again for ever."""
_TRAINING_LIMIT_S = 3_600
_NICENESS = 5
"""Of a training while the language has an older recogniser: it shares its processor with calls, and must still end on a
machine that is busy all day (a nice of 15 would leave it 3 % beside one busy process)."""
_RETRY_S, _LONGEST_RETRY_S = 15.0, 600.0
"""Wait before a failed training is tried again; it doubles."""

TrainLanguage = Callable[[str, bool], str]
"""Trains a language into the cache; returns an error, or an empty string. The second: callers of that language cannot
be understood until it is done."""
Stamp = tuple[tuple[str, int, int], ...]


@dataclass
class Recognisers:
    """Recognisers by language, swapped one at a time."""

    flows: Path
    cache: Path
    languages: tuple[str, ...]
    encoder: OpenedEncoder
    trainer: TrainLanguage
    recognisers: dict[str, Recogniser] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Language -> why its newest files are not in force."""
    reloads: dict[str, int] = field(default_factory=lambda: {"taken": 0, "refused": 0})
    clock: Callable[[], float] = time.monotonic
    """Seconds; failed trainings are tried again by it."""
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Language -> how often training failed in a row, and when it is tried again."""
    _stamps: dict[str, Stamp] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        """Takes what changed on disk since the last call; blocks while it trains. Never raises for bad files."""
        with self._lock:
            for language in self.languages:
                stamp = self._stamp(language)
                changed = stamp != self._stamps.get(language)
                failures, again_at = self._failures.get(language, (0, 0.0))
                if changed or (failures and self.clock() >= again_at):
                    self._stamps[language] = stamp
                    self._take(language, 0 if changed else failures)

    @property
    def complete(self) -> bool:
        """Whether every language answers."""
        return all(language in self.recognisers for language in self.languages)

    def _take(self, language: str, failures: int) -> None:
        self._failures.pop(language, None)
        try:
            data = read_language(self.flows, language)
            identity = self.encoder.encoder.identity if self.encoder.encoder is not None else "none"
            version = version_of(data.source, identity)
            current = self.recognisers.get(language)
            if current is None or current.version != version:
                self.recognisers[language] = Recogniser(data, self._bundle(data, version), self.encoder.encoder)
                self.reloads["taken"] += 1
                log.info("intents in force", extra={"language": language, "version": version})
            self.refused.pop(language, None)
        except (BadPhrases, RuntimeError) as error:
            if isinstance(error, RuntimeError):  # no memory, no time, no disk: may be over soon; bad phrases stay bad
                wait_s = min(_RETRY_S * 2**failures, _LONGEST_RETRY_S)
                self._failures[language] = (failures + 1, self.clock() + wait_s)
            self.refused[language] = str(error)
            self.reloads["refused"] += 1
            log.error("intents refused, the old ones stay", extra={"language": language, "reason": str(error)})

    def _bundle(self, data: LanguageData, version: str) -> Bundle:
        path = bundle_path(self.cache, data.name, version)
        try:
            return open_bundle(path)
        except FileNotFoundError:
            pass
        except ValueError as error:
            log.warning("trained file cannot be read, training again", extra={"reason": str(error)})
            path.unlink(missing_ok=True)
        failure = self.trainer(data.name, data.name not in self.recognisers)
        try:
            return open_bundle(path)
        except (FileNotFoundError, ValueError) as error:
            # also when the file changed while it was being trained: the next look at the stamps trains it again
            raise RuntimeError(f"training gave no model: {failure or error}") from error

    def _stamp(self, language: str) -> Stamp:
        files = [f"{language}/{file}" for file in (MAIN, FAQS, OUT_OF_SCOPE)]
        files += [f"{other}/{MAIN}" for other in LANGUAGES if other != language]  # whose shared intents it learns from
        stamp = []
        for file in files:
            try:
                status = (self.flows / file).stat()
                stamp.append((file, status.st_mtime_ns, status.st_size))
            except OSError:
                continue
        return tuple(stamp)


class Training:
    """Runs `python -m intent_service.train <language>` with the same settings; `stop` ends it for good."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._stopped = False

    def __call__(self, language: str, awaited: bool) -> str:
        """Trains; returns why there is no model, empty when there is one. Blocks until the child has ended. What is not
        `awaited` by callers gives way to them."""
        if self._stopped:
            return "the service is stopping"
        self._child = subprocess.Popen(
            [sys.executable, "-m", "intent_service.train", language],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with contextlib.suppress(OSError):  # ended already
            resource.prlimit(self._child.pid, resource.RLIMIT_CPU, (_TRAINING_CPU_S, _TRAINING_CPU_S))
            if not awaited:
                os.setpriority(os.PRIO_PROCESS, self._child.pid, _NICENESS)
        if self._stopped:  # asked for between the two
            self._child.kill()
        try:
            _, errors = self._child.communicate(timeout=_TRAINING_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
            return f"not done after {_TRAINING_LIMIT_S} s"
        if self._child.returncode in (-signal.SIGXCPU, -signal.SIGKILL) and not self._stopped:
            return f"ended after {_TRAINING_CPU_S} s of the processor, or by the system for want of memory"
        return "" if self._child.returncode == 0 else errors.strip()[-2000:]

    def stop(self) -> None:
        """Ends a child that trains; later calls train no more."""
        self._stopped = True
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
