"""The ladder of voices, the breaker, the cache and the turns, with engines that fail as they are told."""

import asyncio
import time

import numpy as np
import pytest

from speech_service.breaker import FAILURES, RESTS_S, Breaker
from speech_service.cache import CacheKey, SoundCache
from speech_service.engines.port import SpeechEngine
from speech_service.speaker import CannotSpeak, Order, Piece, Speaker
from speech_service.turns import TextListener, Turns
from speech_service.voices import UnknownVoice, Voice, VoiceTable, parse_voice
from tests.speech.serving import ToneEngine

LADDER = (Voice("pico-fr", "pico", "fr", "fr"), Voice("espeak-fr", "espeak", "fr", "fr"))
TEXT = "Votre rendez-vous est confirmé pour mardi, à la même heure, avec le même conseiller."


def speaker_of(first: ToneEngine, second: ToneEngine) -> Speaker:
    engines: dict[str, SpeechEngine] = {"pico": first, "espeak": second}
    gains = {(voice.name, 8_000): 0.0 for voice in LADDER}
    return Speaker(engines, gains, SoundCache(2**20), Turns(2), {})


async def said(speaker: Speaker, text: str = TEXT) -> list[Piece]:
    order = Order(text, LADDER, 1.0, 8_000, time.monotonic() + 10)
    return [piece async for piece in speaker.pieces(order)]


async def test_the_first_voice_says_it_and_the_second_is_not_asked() -> None:
    first, second = ToneEngine(), ToneEngine()
    pieces = await said(speaker_of(first, second))
    assert {piece.voice for piece in pieces} == {"pico-fr"}
    assert first.asked == [TEXT]
    assert not second.asked


@pytest.mark.parametrize("fault", ["refuse", "hang"])
async def test_a_voice_that_fails_at_once_is_replaced_from_the_beginning(fault: str) -> None:
    first, second = ToneEngine(), ToneEngine()
    first.fault = fault
    pieces = await said(speaker_of(first, second))
    assert second.asked == [TEXT]
    assert pieces[0].voice == "espeak-fr"


async def test_a_voice_that_breaks_in_the_middle_is_replaced_from_the_clause_that_was_cut() -> None:
    first, second = ToneEngine(), ToneEngine()
    first.fault = "break"
    text = "Oui bien sûr, c'est noté pour mardi prochain, à la même heure."
    pieces = await said(speaker_of(first, second), text)
    assert second.asked == ["c'est noté pour mardi prochain, à la même heure."]
    assert pieces[0].voice == "pico-fr"
    assert text[pieces[-1].begin :].startswith("Oui") or pieces[-1].begin > 0


async def test_nobody_speaks() -> None:
    first, second = ToneEngine(), ToneEngine()
    first.fault = second.fault = "refuse"
    with pytest.raises(CannotSpeak, match=r"pico-fr: refused; espeak-fr: refused"):
        await said(speaker_of(first, second))


async def test_a_voice_that_fails_again_and_again_is_left_alone() -> None:
    first, second = ToneEngine(), ToneEngine()
    first.fault = "refuse"
    speaker = speaker_of(first, second)
    for number in range(FAILURES + 3):
        await said(speaker, f"Phrase {number}.")
    assert len(first.asked) == FAILURES
    assert len(second.asked) == FAILURES + 3


async def test_what_is_kept_is_what_was_said_whole() -> None:
    first, second = ToneEngine(), ToneEngine()
    first.fault = "break"
    speaker = speaker_of(first, second)
    await said(speaker)
    first.fault = ""
    await said(speaker)
    assert len(first.asked) == 2
    await said(speaker)
    assert len(first.asked) == 2


def test_a_breaker_tries_again_after_a_rest_and_rests_longer_each_time() -> None:
    breaker = Breaker()
    for _ in range(FAILURES):
        assert breaker.may(0.0)
        breaker.failed(0.0)
    assert not breaker.may(RESTS_S[0] - 0.1)
    assert breaker.may(RESTS_S[0])
    assert not breaker.may(RESTS_S[0]), "one tries it, the others wait for how that comes out"
    breaker.failed(RESTS_S[0])
    assert not breaker.may(RESTS_S[0] + RESTS_S[1] - 0.1)
    assert breaker.may(RESTS_S[0] + RESTS_S[1])
    breaker.worked()
    assert breaker.may(0.0)
    assert not breaker.is_open(0.0)


def test_the_cache_keeps_what_was_used_last_within_its_bound() -> None:
    def key(text: str) -> CacheKey:
        return CacheKey(text, "v", 1.0, 8_000, "1")

    sound = np.arange(1_000, dtype=np.int16)
    cache = SoundCache(3 * 2_500)
    for text in ("a", "b", "c"):
        cache.put(key(text), sound)
    assert cache.get(key("a")) is not None
    cache.put(key("d"), sound)
    assert cache.get(key("b")) is None
    assert cache.held_bytes <= 3 * 2_500
    cache.put(key("e"), np.zeros(10_000, np.int16))
    assert cache.get(key("e")) is None
    assert len(cache) == 3
    assert cache.get(CacheKey("a", "v", 1.0, 8_000, "2")) is None, "another engine, another sound"


async def test_who_would_hear_a_hole_comes_first_then_who_heard_nothing_yet() -> None:
    turns, order = Turns(1, lambda: 10.0), list[str]()
    listeners = {
        "has enough": TextListener(12.0, begun=True),
        "has less": TextListener(11.0, begun=True),
        "new": TextListener(9.5),
        "new, and waits longer": TextListener(9.0),
        "soon a hole": TextListener(10.1, begun=True),
        "gone": TextListener(8.0),
    }

    async def work(name: str) -> None:
        async with turns.turn(listeners[name]):
            order.append(name)
            await asyncio.sleep(0)

    async with turns.turn(TextListener(0.0)):
        waiting = {name: asyncio.create_task(work(name)) for name in listeners}
        await asyncio.sleep(0)
        waiting["gone"].cancel()
        await asyncio.gather(waiting.pop("gone"), return_exceptions=True)
        assert turns.waiting == 5
    await asyncio.gather(*waiting.values())
    assert order == ["soon a hole", "new, and waits longer", "new", "has less", "has enough"]
    async with turns.turn(TextListener(0.0)):
        pass  # no place was lost


def test_sound_that_comes_late_is_heard_later() -> None:
    listener = TextListener(10.0)
    listener.given(0.5, 10.2)
    assert listener.ends_s == pytest.approx(10.7)
    assert listener.begun
    listener.given(0.5, 11.0)
    assert listener.ends_s == pytest.approx(11.5)


def test_voices_are_read_by_name_and_fall_in_for_those_of_their_language() -> None:
    table = VoiceTable("pico-fr, it_IT-paola-medium@1.1, pico-it,espeak-it, server:alloy/en,espeak-en-us+f3")
    assert table.voices["it_IT-paola-medium"] == Voice("it_IT-paola-medium", "piper", "it_IT-paola-medium", "it", 1.1)
    assert [voice.name for voice in table.ladder("", "it-IT")] == ["it_IT-paola-medium", "pico-it", "espeak-it"]
    assert [voice.name for voice in table.ladder("pico-it", "fr")] == ["pico-it", "it_IT-paola-medium", "espeak-it"]
    assert [voice.name for voice in table.ladder("nova", "")] == ["pico-fr"]
    assert parse_voice("espeak-en-us+f3").model == "en-us+f3"
    for name, language in (("nobody", ""), ("", "pt")):
        with pytest.raises(UnknownVoice):
            table.ladder(name, language)
    for name in ("pico-xx", "robot", "pico-fr@9", "server:x", "../x-y-z", ""):
        with pytest.raises(UnknownVoice):
            parse_voice(name) if name else VoiceTable(name)
