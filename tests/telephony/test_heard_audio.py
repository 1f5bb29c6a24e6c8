"""Frames with their arrival times to prompts and answer times."""

from collections.abc import Iterable

import numpy as np

from callers.heard_audio import HeardFrame, HeardPrompt, PromptListener, Spoken, answer_times, level_rms

SILENCE = np.zeros(160, dtype=np.int16)


def frames(*spans: tuple[float, float, bool]) -> list[HeardFrame]:
    """A frame every 20 ms in each span (from second, to second, voiced)."""
    return [
        HeardFrame(round(start + 0.02 * index, 3), index, 160 * index, 1, SILENCE, is_voiced)
        for start, end, is_voiced in spans
        for index in range(round((end - start) / 0.02))
    ]


def heard(listener: PromptListener, received: Iterable[HeardFrame], end_s: float) -> list[HeardPrompt]:
    """The prompts after all frames were fed and time went on to `end_s`, in ticks of 20 ms as in a caller."""
    waiting = list(received)
    for tick in range(round(end_s / 0.02) + 1):
        now_s = round(tick * 0.02, 3)
        while waiting and waiting[0].arrival_s <= now_s:
            listener.feed(waiting.pop(0))
        listener.tick(now_s)
    return listener.prompts


def test_a_prompt_ends_when_packets_stop_coming() -> None:
    listener = PromptListener(gap_ms=120)
    prompts = heard(listener, frames((1.0, 2.0, True)), 2.08)
    assert prompts == [HeardPrompt(1.0, 1.98)]
    assert heard(listener, [], 2.12) == [HeardPrompt(1.0, 1.98, is_over=True)]


def test_a_pause_within_a_prompt_is_not_its_end() -> None:
    received = frames((1.0, 1.5, True), (1.5, 2.0, False), (2.0, 2.5, True))
    assert heard(PromptListener(120, 700), received, 4.0) == [HeardPrompt(1.0, 2.48, is_over=True)]


def test_a_prompt_ends_in_silence_that_goes_on() -> None:
    received = frames((1.0, 2.0, True), (2.0, 5.0, False), (5.0, 5.5, True))
    listener = PromptListener(120, 700)
    assert heard(listener, received, 2.66) == [HeardPrompt(1.0, 1.98)]
    prompts = heard(PromptListener(120, 700), received, 6.0)
    assert prompts == [HeardPrompt(1.0, 1.98, is_over=True), HeardPrompt(5.0, 5.48, is_over=True)]


def test_silence_is_no_prompt() -> None:
    assert heard(PromptListener(), frames((0.0, 3.0, False)), 3.0) == []


def test_the_end_of_the_call_ends_the_prompt() -> None:
    listener = PromptListener()
    heard(listener, frames((1.0, 2.0, True)), 2.0)
    assert listener.is_hearing
    listener.finish()
    assert listener.prompts == [HeardPrompt(1.0, 1.98, is_over=True)]


def spoken(first_s: float, last_s: float) -> Spoken:
    return Spoken("", first_s, last_s, last_s + 0.1)


def test_the_answer_is_the_first_voice_after_the_caller_stopped() -> None:
    received = frames((0.0, 1.0, True), (2.0, 2.4, False), (2.4, 3.0, True))
    [answer] = answer_times([spoken(1.2, 2.0)], received)
    assert answer.answer_s == 2.4
    assert round(answer.delay_ms, 3) == 400


def test_voice_that_the_caller_spoke_over_is_not_the_answer() -> None:
    received = frames((0.0, 2.2, True), (2.8, 3.0, True))
    [answer] = answer_times([spoken(1.0, 2.0)], received)
    assert answer.answer_s == 2.8


def test_each_thing_said_has_its_own_answer_or_none() -> None:
    said = [spoken(1.0, 2.0), spoken(3.0, 4.0), spoken(6.0, 7.0)]
    received = frames((2.5, 2.8, True), (7.3, 7.5, True))
    assert [(answer.spoken, answer.answer_s) for answer in answer_times(said, received)] == [
        (said[0], 2.5),
        (said[2], 7.3),
    ]


def test_nothing_heard_is_no_answer() -> None:
    assert answer_times([spoken(1.0, 2.0)], []) == []


def test_the_level_of_a_square_wave_is_its_height() -> None:
    assert level_rms(np.array([300, -300] * 80, dtype=np.int16)) == 300
    assert level_rms(np.full(160, -32_768, dtype=np.int16)) == 32_768
    assert level_rms(np.zeros(0, dtype=np.int16)) == 0
