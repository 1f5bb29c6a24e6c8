"""The recording of a browser call: 20 ms of both sides at a time, mixed, into a WAV file."""

from __future__ import annotations

import logging
import wave
from collections import deque
from pathlib import Path
from typing import Final

from browser_audio.sound import FRAME_MS, RATE_HZ, SILENT_FRAME, mixed

log = logging.getLogger("browser_audio")

WRITTEN_EVERY_MS: Final = 1_000
MOST_WAITING: Final = 25
"""Frames that came in a burst; more than half a second of them is cut off at the old end."""


class CallRecording:
    """One call's. Without a folder that can be written to there is none, and the call goes on."""

    def __init__(self, folder: Path, call_id: str) -> None:
        self._path = folder / f"{call_id}.wav"
        self._caller: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._bot: deque[bytes] = deque()
        self._mixed = bytearray()
        self._file: wave.Wave_write | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = wave.open(str(self._path), "wb")  # noqa: SIM115 - it is open as long as the call
            self._file.setnchannels(1)
            self._file.setsampwidth(2)
            self._file.setframerate(RATE_HZ)
        except OSError as error:
            self._fail(call_id, error)
        self._call_id = call_id

    def heard(self, frame: bytes) -> None:
        """A frame of the caller's."""
        self._caller.append(frame)

    def said(self, frame: bytes) -> None:
        """A frame that the page plays."""
        self._bot.append(frame)

    def silenced(self) -> None:
        """The page plays nothing of what it has any more."""
        self._bot.clear()

    def tick(self) -> None:
        """20 ms went by."""
        if self._file is None:
            return
        caller = self._caller.popleft() if self._caller else SILENT_FRAME
        self._mixed += mixed(caller, self._bot.popleft()) if self._bot else caller
        if len(self._mixed) >= WRITTEN_EVERY_MS // FRAME_MS * len(SILENT_FRAME):
            self._write()

    def close(self) -> str:
        """The path of the file; empty where there is none."""
        self._write()
        if self._file is None:
            return ""
        self._file.close()
        return str(self._path)

    def _write(self) -> None:
        if self._file is None:
            return
        try:
            self._file.writeframes(self._mixed)  # each time with a header that is right, for whoever is killed
        except OSError as error:
            self._fail(self._call_id, error)
        self._mixed.clear()

    def _fail(self, call_id: str, error: OSError) -> None:
        self._file = None
        log.error("not recorded", extra={"call_id": call_id, "reason": repr(error)})
