"""Text -> speech with a phoneme alignment, through libespeak-ng in this process (five times faster than the program).

espeak-ng reports each phoneme with its sample position, so that every training frame knows what is being said:
this is what lets a small network learn in minutes on a CPU.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AUDIO_OUTPUT_SYNCHRONOUS = 2
OPTION_PHONEME_EVENTS_IPA = 0x0003
CHARS_UTF8 = 1
EVENT_END_OF_LIST = 0
EVENT_PHONEME = 7
RATE, VOLUME, PITCH, PITCH_RANGE = 1, 2, 3, 4

STRESS_AND_LENGTH = set("ˈˌː_-|'ˑ.()͡‿:;,~ ")

LANGUAGES = ("fr", "fr", "fr", "fr", "fr-be", "fr-ch")
HELD_OUT_VARIANTS = ("f4", "michel", "linda", "steph", "Henrique", "m6")
TRAINED_VARIANTS = tuple(
    "m1 m2 m3 m4 m5 m7 m8 f1 f2 f3 f5 Alex Alicia Andrea Annie Denis Diogo Gene Hugo Jacky Lee Marco Mario Michael "
    "Mike adam anika antonio belinda benjamin boris caleb david ed edward grandma grandpa gustave iven john marcelo "
    "max miguel norbert pablo paul pedro quincy rob robert sandro shelby travis victor zac aunty steph2 klatt2 klatt4 "
    "announcer".split()
)


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Prosody:
    """How espeak-ng is asked to speak: its own scales (speed in words per minute, the others 0 to 99)."""

    voice: str
    speed_wpm: int = 160
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True, slots=True)
class Speech:
    """Samples in [-1, 1] at `sample_rate_hz`, and (start sample, IPA phoneme) in order; an empty phoneme is a pause."""

    samples: NDArray[np.float32]
    sample_rate_hz: int
    phonemes: tuple[tuple[int, str], ...]


class EspeakError(RuntimeError):
    """libespeak-ng is missing, or refused a voice or a text."""


class Espeak:
    """The library, once per process (it holds global state)."""

    def __init__(self, library: str = "", data_folder: str = "") -> None:
        """library, data_folder: paths; by default PRONTO_ESPEAK_LIBRARY and PRONTO_ESPEAK_DATA, then the system's."""
        name = library or os.environ.get("PRONTO_ESPEAK_LIBRARY", "") or ctypes.util.find_library("espeak-ng")
        if not name:
            raise EspeakError("libespeak-ng was not found; install espeak-ng or set PRONTO_ESPEAK_LIBRARY")
        self._library = ctypes.CDLL(name)
        folder = data_folder or os.environ.get("PRONTO_ESPEAK_DATA", "")
        self.sample_rate_hz = int(
            self._library.espeak_Initialize(
                AUDIO_OUTPUT_SYNCHRONOUS, 0, folder.encode() if folder else None, OPTION_PHONEME_EVENTS_IPA
            )
        )
        if self.sample_rate_hz <= 0:
            raise EspeakError("espeak_Initialize failed; is espeak-ng-data there?")
        self._blocks: list[NDArray[np.int16]] = []
        self._phonemes: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._received)  # kept: the library holds a bare pointer to it
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def _received(self, wav: ctypes._Pointer[ctypes.c_short], n_samples: int, events: ctypes._Pointer[_Event]) -> int:
        if wav and n_samples > 0:
            self._blocks.append(np.ctypeslib.as_array(wav, shape=(n_samples,)).copy())
        i = 0
        while events[i].type != EVENT_END_OF_LIST:
            if events[i].type == EVENT_PHONEME:
                raw = bytes(events[i].id.string)
                self._phonemes.append((int(events[i].sample), plain_phoneme(raw.decode("utf-8", "ignore"))))
            i += 1
        return 0

    def speak(self, text: str, prosody: Prosody) -> Speech:
        """One phrase; commas in `text` are pauses."""
        if prosody.voice != self._voice:
            if self._library.espeak_SetVoiceByName(prosody.voice.encode()) != 0:
                raise EspeakError(f"espeak-ng has no voice {prosody.voice!r}")
            self._voice = prosody.voice
        for parameter, value in ((RATE, prosody.speed_wpm), (PITCH, prosody.pitch), (PITCH_RANGE, prosody.pitch_range)):
            self._library.espeak_SetParameter(parameter, int(value), 0)
        self._blocks.clear()
        self._phonemes.clear()
        data = text.encode()
        status = self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, CHARS_UTF8, None, None)
        if status != 0 or not self._blocks:
            raise EspeakError(f"espeak-ng did not speak {text!r} (status {status})")
        samples = np.concatenate(self._blocks).astype(np.float32) / np.float32(32768)
        return Speech(samples, self.sample_rate_hz, tuple(self._phonemes))


def plain_phoneme(ipa: str) -> str:
    """IPA of one phoneme without stress, length and tie marks; '' for a pause."""
    decomposed = unicodedata.normalize("NFC", ipa)
    return "".join(c for c in decomposed if c not in STRESS_AND_LENGTH and c.isprintable())
