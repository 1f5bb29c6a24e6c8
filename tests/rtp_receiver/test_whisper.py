"""The client of the recogniser against a real HTTP server."""

import asyncio

import numpy as np
import pytest
from aiohttp import web

from rtp_receiver.whisper import RecognisedText, RecognitionError, Utterance, WhisperClient
from tests.rtp_receiver.packets import silence
from tests.rtp_receiver.speech import say
from tests.rtp_receiver.whisper_server import WhisperServer

TEXT = "oui bonjour"


def utterance() -> Utterance:
    audio = np.concatenate([silence(0.2), say(TEXT), silence(0.2)])
    return Utterance(
        "c1", "c1-2-3.wav", "fr", ("oui", "non"), audio, awaited=("yes_no", "zip_code"), choices=("gaz|au gaz", "bois")
    )


async def transcribe(server: WhisperServer, deadline_s: float = 10.0) -> RecognisedText:
    async with WhisperClient(server.url, deadline_s) as client:
        return await client.transcribe(utterance())


async def test_everything_is_posted_and_the_answer_comes_back() -> None:
    async with WhisperServer([TEXT, "non merci"]) as server:
        assert await transcribe(server) == RecognisedText(TEXT, 0.9, "", 0.0)
        body = server.posts[0]
        assert (body["filename"], body["connection_id"], body["language"]) == ("c1-2-3.wav", "c1", "fr")
        assert body["hints"] == ["oui", "non"]
        assert body["awaited"] == ["yes_no", "zip_code"]
        assert body["choices"] == ["gaz|au gaz", "bois"]
        assert 0 < body["deadline_ms"] <= 10_000
        assert np.array_equal(server.wavs[0], utterance().samples)


async def test_fields_that_are_not_there_have_defaults() -> None:
    async with WhisperServer([]) as server:
        server.refusals.append(web.json_response({"transcription": " bonjour "}))
        assert await transcribe(server) == RecognisedText("bonjour", 1.0, "", 0.0)


async def test_a_service_that_restarts_is_asked_until_it_is_back() -> None:
    async with WhisperServer([TEXT]) as server:
        server.breaks = 4
        assert (await transcribe(server)).text == TEXT
        assert len(server.posts) == 5


async def test_connections_that_break_until_the_deadline_are_unreachable() -> None:
    async with WhisperServer([TEXT]) as server:
        server.breaks = 99
        with pytest.raises(RecognitionError) as caught:
            await transcribe(server, deadline_s=0.3)
        assert caught.value.code == "unreachable"
        assert len(server.posts) > 1


async def test_nobody_there_is_unreachable() -> None:
    server = WhisperServer([TEXT])
    async with server:
        url = server.url
    async with WhisperClient(url, 0.3) as client:
        with pytest.raises(RecognitionError) as caught:
            await client.transcribe(utterance())
    assert caught.value.code == "unreachable"


async def test_a_full_recogniser_is_asked_again_when_it_says() -> None:
    async with WhisperServer([TEXT]) as server:
        server.refusals.append(web.Response(status=503, headers={"Retry-After": "0.05"}))
        assert (await transcribe(server)).text == TEXT
        assert len(server.posts) == 2


@pytest.mark.parametrize(
    ("answers", "code", "posts"),
    [
        ([web.Response(status=503)], "busy", 1),
        ([web.Response(status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})], "busy", 1),
        ([web.Response(status=503, headers={"Retry-After": "60"})], "busy", 1),
        ([web.Response(status=503, headers={"Retry-After": "0"})] * 2, "busy", 2),
        ([web.Response(status=504)], "too_late", 1),
        ([web.Response(status=400, text="too short")], "refused", 1),
        ([web.Response(text="hello")], "bad_answer", 1),
        ([web.json_response({"text": "x"})], "bad_answer", 1),
        ([web.json_response([])], "bad_answer", 1),
    ],
)
async def test_every_failure_has_its_code(answers: list[web.Response], code: str, posts: int) -> None:
    async with WhisperServer([TEXT]) as server:
        server.refusals += [
            web.Response(status=answer.status, body=answer.body, headers=answer.headers) for answer in answers
        ]
        with pytest.raises(RecognitionError) as caught:
            await transcribe(server)
        assert (caught.value.code, len(server.posts)) == (code, posts)


async def test_a_recogniser_that_hangs_is_too_late() -> None:
    async with WhisperServer([TEXT]) as server:
        server.hold = asyncio.Event()
        with pytest.raises(RecognitionError) as caught:
            await transcribe(server, deadline_s=0.2)
        assert caught.value.code == "too_late"
        server.hold.set()
