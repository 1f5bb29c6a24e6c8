"""Settings become a running service: engines are started, every voice says its sentences, levels are measured.

Ready is who has a voice that spoke. A voice that did not is left out, and tried again every minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np

from audio_prompts.loudness import SilentAudio
from config import SpeechSettings
from observability.drain import Drain
from sayable import say
from speech_service.cache import SoundCache
from speech_service.engines.espeak import EspeakEngine
from speech_service.engines.port import EngineFailed, SpeechEngine
from speech_service.engines.process import EngineProcess
from speech_service.engines.remote import RemoteEngine
from speech_service.sound import TELEPHONE_HZ, Samples, gain_for
from speech_service.speaker import Speaker
from speech_service.turns import Turns
from speech_service.voices import TILT_DB, UnknownVoice, Voice, VoiceTable

log = logging.getLogger("speech_service")

SpeechState: TypeAlias = Literal["starting", "ready", "failed"]
RATES_HZ: Final = (TELEPHONE_HZ, 16_000, 24_000)
TRIED_AGAIN_S: Final = 60.0
SELF_TEST_S: Final = 10.0
SENTENCES: Final = {
    "fr": ("Bonjour, je vous appelle au sujet de votre rendez-vous de jeudi.", "Le montant total est de vingt euros."),
    "it": ("Buongiorno, la chiamo per il suo appuntamento di giovedì.", "L'importo totale è di venti euro."),
    "en": ("Hello, I am calling about your appointment on Thursday.", "The total amount is twenty pounds."),
}
"""Said by every voice when it starts: a voice that is silent or away is found before a caller finds it."""


@dataclass
class SpeechService:
    """State and parts of the service; the HTTP side reads it, `__main__` drives it."""

    settings: SpeechSettings
    table: VoiceTable
    state: SpeechState = "starting"
    reason: str = "the voices are being tried"
    inside: int = 0
    speaker: Speaker = field(init=False)
    drain: Drain = field(init=False)

    def __post_init__(self) -> None:
        self.drain = Drain(lambda: self.inside)
        cache = SoundCache(self.settings.speech_cache_mb * 2**20)
        self.speaker = Speaker(
            engines_of(self.settings, self.table), {}, cache, Turns(self.settings.speech_threads), {}
        )

    async def start(self) -> None:
        """Tries every voice; ends in `ready` or `failed`."""
        for name, engine in self.speaker.engines.items():
            try:
                await engine.start()
            except EngineFailed as error:
                log.warning("engine is away", extra={"engine": name, "reason": str(error)})
        await self._try_voices(list(self.table.voices.values()))
        heard = {name for name, _ in self.speaker.gains_db}
        without = [language for language in self.table.languages if not self._has_voice(language)]
        if without or not heard:
            self._become("failed", f"no voice speaks {', '.join(without)}")
            log.error("the service cannot speak", extra={"reason": self.reason})
        else:
            self._become("ready", "")
            log.info("ready", extra={"voices": ", ".join(sorted(heard))})

    async def try_again(self) -> None:
        """Tries the voices that did not speak once a minute, for ever."""
        while True:
            await asyncio.sleep(TRIED_AGAIN_S)
            silent = [voice for voice in self.table.voices.values() if not self.speaks(voice)]
            if silent:
                for name in {voice.engine for voice in silent}:
                    if not any(self.speaks(v) for v in self.table.voices.values() if v.engine == name):
                        try:
                            await self.speaker.engines[name].start()
                        except EngineFailed:
                            continue
                await self._try_voices(silent)
                if self.state == "failed" and all(map(self._has_voice, self.table.languages)):
                    self._become("ready", "")

    def speaks(self, voice: Voice) -> bool:
        """Whether it spoke when it was tried."""
        return (voice.name, TELEPHONE_HZ) in self.speaker.gains_db

    def ready(self) -> tuple[bool, str]:
        """Whether it takes work, and why not."""
        return self.state == "ready", self.reason

    @property
    def is_full(self) -> bool:
        """As many texts are inside as can be said in time."""
        return self.inside >= self.settings.speech_queue

    def health(self) -> dict[str, object]:
        """The fields of `/health`."""
        return {
            "status": "failed" if self.state == "failed" else "ok",
            "state": "draining" if self.drain.is_draining else self.state,
            "voices": {voice.name: self.speaks(voice) for voice in self.table.voices.values()},
            "cache_mb": round(self.speaker.cache.held_bytes / 2**20, 1),
            **({"reason": self.reason} if self.reason else {}),
        }

    async def close(self) -> None:
        """Ends the engines."""
        for engine in self.speaker.engines.values():
            await engine.close()

    def _has_voice(self, language: str) -> bool:
        return any(self.speaks(voice) for voice in self.table.voices.values() if voice.language == language)

    async def _try_voices(self, voices: Sequence[Voice]) -> None:
        for voice in voices:
            try:
                async with asyncio.timeout(SELF_TEST_S):
                    spoken = [
                        await self._spoken(voice, text) for text in SENTENCES.get(voice.language, SENTENCES["en"])
                    ]
                for rate_hz in RATES_HZ:
                    gain = gain_for(spoken, rate_hz, TILT_DB.get(voice.engine, 0.0))
                    self.speaker.gains_db[voice.name, rate_hz] = gain
            except (EngineFailed, SilentAudio, TimeoutError) as error:
                log.warning("voice does not speak", extra={"voice": voice.name, "reason": str(error) or repr(error)})

    async def _spoken(self, voice: Voice, text: str) -> tuple[Samples, int]:
        chunks = self.speaker.engines[voice.engine].speak(voice.model, say(text, voice.language), voice.speed)
        async with aclosing(chunks):
            found = [chunk async for chunk in chunks]
        if not found:
            raise EngineFailed("said nothing")
        return np.frombuffer(b"".join(chunk.data for chunk in found), "<i2"), found[0].rate_hz

    def _become(self, state: SpeechState, reason: str) -> None:
        self.state, self.reason = state, reason


def engines_of(settings: SpeechSettings, table: VoiceTable) -> dict[str, SpeechEngine]:
    """The engines that the voices need. Raises UnknownVoice for a voice of a server that is not set."""
    wanted: dict[str, list[str]] = {}
    for voice in table.voices.values():
        wanted.setdefault(voice.engine, []).append(voice.model)
    engines: dict[str, SpeechEngine] = {}
    for name, models in wanted.items():
        if name == "pico":
            engines[name] = EngineProcess("pico", settings.speech_pico_dir, models, streams=True, first_s=0.8)
        elif name == "piper":
            engines[name] = EngineProcess("piper", settings.speech_piper_dir, models, streams=False, first_s=1.5)
        elif name == "espeak":
            engines[name] = EspeakEngine(settings.speech_espeak)
        else:
            if not settings.speech_upstream_url:
                raise UnknownVoice("a voice of a server is named, and SPEECH_UPSTREAM_URL is not set")
            engines[name] = RemoteEngine(
                settings.speech_upstream_url, settings.speech_upstream_model, settings.speech_upstream_key
            )
    return engines
