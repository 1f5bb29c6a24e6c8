"""What is told of speech that is not sure to be any, with a recogniser that answers what the test says."""

import asyncio
from collections import deque

import numpy as np
import pytest

from protocol.messages import Event, Listen, UtteranceTranscribed
from rtp_receiver.call_stream import Segment
from rtp_receiver.recognition import Recognition
from rtp_receiver.whisper import RecognisedText, RecognitionError, Utterance

LISTEN = Listen("c1", 0.0, 3, "fr")


class Recogniser:
    """Gives its answers in their order."""

    def __init__(self, *answers: RecognisedText | RecognitionError) -> None:
        self._answers = deque(answers)
        self.posts: list[Utterance] = []

    async def transcribe(self, utterance: Utterance) -> RecognisedText:
        self.posts.append(utterance)
        answer = self._answers.popleft()
        if isinstance(answer, RecognitionError):
            raise answer
        return answer


def segment(utterance: int, cause: str) -> Segment:
    return Segment(LISTEN, utterance, 0, True, cause, np.zeros(8_000, np.int16), 10.0, 10.1, 10.3)


def text(words: str, reason: str = "") -> RecognisedText:
    return RecognisedText(words, 0.9 if words else 0.0, reason, 0.1)


async def told(cause: str, *answers: RecognisedText | RecognitionError) -> list[Event]:
    """What is sent when so many segments of a cause come one after the other."""
    sent: list[Event] = []
    recogniser = Recogniser(*answers)
    recognition = Recognition(recogniser, sent.append)
    for number in range(len(answers)):
        recognition.take("c1", segment(number + 1, cause))
    assert await recognition.finished(5.0)
    assert len(recogniser.posts) == len(answers)
    return sent


async def test_a_faint_word_is_told_as_any_other() -> None:
    (said,) = await told("faint", text("oui"))
    assert isinstance(said, UtteranceTranscribed)
    assert (said.turn, said.utterance, said.text, said.aside) == (3, 1, "oui", False)


async def test_a_faint_word_that_was_not_understood_is_told_as_such() -> None:
    (said,) = await told("faint", text("", "unsure"))
    assert isinstance(said, UtteranceTranscribed)
    assert (said.text, said.reason, said.aside) == ("", "unsure", False)


@pytest.mark.parametrize("reason", ["no_speech", "nothing_said", "tone", "silent", "too_short"])
async def test_what_was_no_word_after_all_has_not_happened(reason: str) -> None:
    assert await told("faint", text("", reason), RecognitionError("busy", "full")) == []


async def test_doubtful_speech_over_a_prompt_is_told_only_as_words() -> None:
    said = await told("aside", text("", "unsure"), text("oui"))
    assert [(one.text, one.aside) for one in said if isinstance(one, UtteranceTranscribed)] == [("oui", True)]


async def test_speech_that_is_confirmed_makes_a_faint_word_void() -> None:
    sent: list[Event] = []
    recognition = Recognition(Recogniser(text("oui bonjour")), sent.append)
    recognition.take("c1", segment(1, "faint"))
    await asyncio.sleep(0)
    recognition.speech_began("c1")
    recognition.take("c1", segment(1, "silence"))
    assert await recognition.finished(5.0)
    assert [one.text for one in sent if isinstance(one, UtteranceTranscribed)] == ["oui bonjour"]
