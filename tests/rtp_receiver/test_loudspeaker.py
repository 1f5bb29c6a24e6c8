"""A loudspeaker telephone: what the bot says comes back, softer and later, and must neither stop it nor answer it.

The shipped prompts and real voices through the receiver's own pieces, packet by packet: reordering, detector,
endpointing. Echo levels are those of the field: 24 dB below the prompt and softer it stays one.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from audio_prompts.espeak import EspeakVoice, speak
from callers.caller_voice import read_wav
from config import ROOT
from protocol.messages import Listen
from rtp_receiver.call_stream import CallStream, Confirmed, Segment, StreamEvent, StreamSettings
from rtp_receiver.silero import SileroVad
from tests.rtp_receiver.packets import packets_of

Samples = NDArray[np.float64]
RATE_HZ = 16_000
PROMPTS = ("ask_eligibility", "ask_owner_house", "zip_code_why_answer", "very_well", "faq8_answer", "goodbye_not_owner")
LISTEN = Listen("c1", 0.0, 1, "fr", 100, 700, barge_in=True, barge_in_ms=100, commit_silence_ms=160)


@cache
def prompt(name: str) -> Samples:
    """A shipped prompt at 16 kHz, as a caller's telephone hears it."""
    narrow = read_wav(ROOT / "audio_prompts" / "fr" / f"{name}.wav")
    return np.asarray(soxr.resample(narrow.astype(np.float64) / 32_768, 8_000, RATE_HZ))


@cache
def word(text: str, level_dbfs: float, voice: str = "fr+f2") -> Samples:
    """A word of a caller, its louder parts at this level."""
    said = speak(text, EspeakVoice(voice)).astype(np.float64) / 32_768
    wide = soxr.resample(said, 8_000, RATE_HZ)
    active = wide[np.abs(wide) > 0.05 * np.abs(wide).max()]
    return np.asarray(wide * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(active**2)))


def line(seconds: float, *sounds: tuple[float, Samples]) -> NDArray[np.int16]:
    """Sounds at their times, in seconds, over faint line noise."""
    mixed = np.random.default_rng(1).normal(0, 3e-4, round(seconds * RATE_HZ))
    for at_s, sound in sounds:
        first = round(at_s * RATE_HZ)
        mixed[first : first + len(sound)] += sound[: len(mixed) - first]
    return np.round(np.clip(mixed, -1, 1) * 32_767).astype(np.int16)


def heard(audio: NDArray[np.int16], speaks: Iterable[tuple[float, float]]) -> list[StreamEvent]:
    """What the receiver makes of it; the bot speaks between the given times."""
    vad, stream = SileroVad(), CallStream("c1", StreamSettings(threshold=0.4))
    detector = vad.open()
    stream.listen(LISTEN)
    changes = sorted((at, on) for begin, end in speaks for at, on in ((begin, True), (end, False)))
    events: list[StreamEvent] = []
    for number, packet in enumerate(packets_of(audio)):
        while changes and changes[0][0] <= number * 0.02:
            stream.bot_speaks(changes.pop(0)[1])
        stream.push(packet, number * 0.02)
        while stream.waiting:
            chunk = stream.next_chunk().astype(np.int16)[None]
            events += stream.heard(float(vad.step([detector], chunk)[0]))
    return events


@pytest.mark.parametrize("delay_s", [0.15, 0.35])
@pytest.mark.parametrize("echo_db", [-24, -30])
@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_is_not_stopped_by_its_own_echo_and_nothing_answers_it(
    name: str, echo_db: int, delay_s: float
) -> None:
    said = prompt(name)
    echo = said * 10 ** (echo_db / 20)
    end_s = 1.0 + len(said) / RATE_HZ
    events = heard(line(end_s + 2.0, (1.0 + delay_s, echo)), [(1.0, end_s)])
    assert not [event for event in events if isinstance(event, Confirmed)]
    # what is heard is told aside, where the dialogue knows its own words again
    assert {event.cause for event in events if isinstance(event, Segment)} <= {"aside"}


@pytest.mark.parametrize("delay_s", [0.15, 0.35])
@pytest.mark.parametrize("echo_db", [-24, -30])
def test_a_real_yes_over_a_prompt_stops_it_whatever_echoes(echo_db: int, delay_s: float) -> None:
    said = prompt("ask_eligibility")
    echo, end_s = said * 10 ** (echo_db / 20), 1.0 + len(said) / RATE_HZ
    yes_at_s = 2.5
    events = heard(line(end_s + 2.0, (1.0 + delay_s, echo), (yes_at_s, word("oui", -22))), [(1.0, yes_at_s + 0.3)])
    assert any(isinstance(event, Confirmed) for event in events)
    end = next(event for event in events if isinstance(event, Segment) and event.is_end and not event.aside)
    spoken = len(word("oui", -22)) / RATE_HZ
    assert 0.9 * spoken < len(end.samples) / RATE_HZ, "all of the word is in it"


@pytest.mark.parametrize("level_dbfs", [-20, -30, -40])
@pytest.mark.parametrize("after_s", [0.1, 0.4, 1.0])
def test_an_answer_after_the_prompt_is_heard_however_soft(level_dbfs: int, after_s: float) -> None:
    said = prompt("ask_owner_house")
    end_s = 1.0 + len(said) / RATE_HZ
    answer = word("oui", level_dbfs)
    events = heard(line(end_s + 3.0, (1.15, said * 10 ** (-24 / 20)), (end_s + after_s, answer)), [(1.0, end_s)])
    posted = [event for event in events if isinstance(event, Segment) and event.is_end]
    assert any(event.speech_ended_at >= end_s + after_s for event in posted)
