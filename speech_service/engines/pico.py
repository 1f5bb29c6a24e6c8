"""SVOX Pico through its C library: text to samples, a little at a time (libttspico0 of Debian, `picoapi.h`).

Loaded in a process of its own (`speech_service.engines.worker`): a fault in C costs one utterance.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import byref, c_int16, c_uint32, c_void_p
from pathlib import Path
from typing import Final

RATE_HZ: Final = 16_000
VOICES: Final = {
    "fr": ("fr-FR", "nk0"),
    "it": ("it-IT", "cm0"),
    "en": ("en-GB", "kh0"),
    "en-us": ("en-US", "lh0"),
    "es": ("es-ES", "zl0"),
    "de": ("de-DE", "gl0"),
}
"""Language -> what its two files are called after."""
_MEMORY_BYTES = 2_500_000
_BUSY = 201  # PICO_STEP_BUSY: there is more to come
_TEXT_BYTES = 8_192
_SLOWEST, _FASTEST = 20, 500  # per cent, of its <speed> mark


class PicoFailed(RuntimeError):
    """The library is missing, or answered an error; `code` is its own."""


class Pico:
    """One language, loaded: 2.5 MB."""

    def __init__(self, folder: Path, language: str) -> None:
        """`folder` holds `libttspico.so.0` and `lang/`. Raises PicoFailed."""
        if language not in VOICES:
            raise PicoFailed(f"no language {language!r}; there are {', '.join(VOICES)}")
        try:
            self._lib = ctypes.CDLL(str(folder / "libttspico.so.0"))
        except OSError as error:
            raise PicoFailed(f"{error} (run `make setup`)") from error
        locale, speaker = VOICES[language]
        self._memory = ctypes.create_string_buffer(_MEMORY_BYTES)
        self._system, self._engine = c_void_p(), c_void_p()
        self._ask("initialize", self._memory, c_uint32(_MEMORY_BYTES), byref(self._system))
        names = []
        for file in (f"{locale}_ta.bin", f"{locale}_{speaker}_sg.bin"):
            resource, name = c_void_p(), ctypes.create_string_buffer(64)
            self._ask("loadResource", self._system, str(folder / "lang" / file).encode(), byref(resource))
            self._ask("getResourceName", self._system, resource, name)
            names.append(name.value)
        self._ask("createVoiceDefinition", self._system, b"voice")
        for found in names:
            self._ask("addResourceToVoiceDefinition", self._system, b"voice", found)
        self._ask("newEngine", self._system, b"voice", byref(self._engine))

    def speak(self, text: str, speed: float = 1.0) -> Iterator[bytes]:
        """The text as little-endian int16 at 16 kHz, some milliseconds at a time. Raises PicoFailed."""
        # < and > would be marks to it
        plain = "".join(" " if sign in "<>" or not sign.isprintable() else sign for sign in text)
        level = min(_FASTEST, max(_SLOWEST, round(speed * 100)))
        marked = f'<speed level="{level}">{plain}</speed>' if level != 100 else plain
        data = marked.encode()[:_TEXT_BYTES] + b"\0"
        buffer, taken, came, kind = ctypes.create_string_buffer(2_048), c_int16(), c_int16(), c_int16()
        at = 0
        while at < len(data):
            rest = data[at:]
            self._ask("putTextUtf8", self._engine, rest, c_int16(len(rest)), byref(taken))
            at += taken.value
            status = _BUSY
            while status == _BUSY:
                status = self._lib.pico_getData(self._engine, buffer, c_int16(1_024), byref(came), byref(kind))
                if came.value > 0:
                    yield buffer.raw[: came.value]
            if status < 0:
                raise PicoFailed(f"getData: {status}")

    def _ask(self, name: str, *arguments: object) -> None:
        status = getattr(self._lib, f"pico_{name}")(*arguments)
        if status != 0:
            raise PicoFailed(f"{name}: {status}")
