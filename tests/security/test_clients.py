"""Our clients send the bearer token to the service that they are told, and to nobody that it sends them to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import openai
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_manager.intents import IntentClient, IntentError
from pronto.flow_chat import HttpIntents
from rtp_receiver.whisper import RecognitionError, Utterance, WhisperClient
from tests.whisper.serving import SPEECH, service_on, serving
from whisper_service.engine import WhisperEngine

TOKEN = "a-token-of-24-characters"
UTTERANCE = Utterance("c1", "c1.wav", "fr", (), np.zeros(16_000, np.int16))


@dataclass
class Servers:
    """`here` is what a client is told to ask; `elsewhere` is where `/moved` leads. Both note the tokens that came."""

    here: TestServer
    elsewhere: TestServer
    came: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async def answer(request: web.Request) -> web.Response:
        found.came.append(request.headers.get("Authorization", ""))
        return web.json_response({"transcription": "oui", "intent": "yes", "score": 0.9})

    async def move(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(found.elsewhere.make_url("/any"))

    async def stray(request: web.Request) -> web.Response:
        found.strayed.append(request.headers.get("Authorization", ""))
        return web.json_response({"transcription": "non", "intent": "no", "score": 0.9})

    here, elsewhere = web.Application(), web.Application()
    here.router.add_post("/ask", answer)
    here.router.add_post("/moved", move)
    elsewhere.router.add_post("/any", stray)
    found = Servers(TestServer(here), TestServer(elsewhere))
    await found.here.start_server()
    await found.elsewhere.start_server()
    yield found
    await found.here.close()
    await found.elsewhere.close()


async def test_receiver_and_bot_manager_send_the_token(servers: Servers) -> None:
    url = str(servers.here.make_url("/ask"))
    async with WhisperClient.session(TOKEN) as session:
        assert (await WhisperClient(session, url, 5.0).transcribe(UTTERANCE)).text == "oui"
    intents = IntentClient(url, url, 5.0, TOKEN)
    assert (await intents.ask("oui", "fr", ())).intent == "yes"
    await intents.close()
    chat = HttpIntents(url, url, "fr", token=TOKEN)
    assert (await asyncio.to_thread(chat, "oui", ())).intent == "yes"
    assert servers.came == [f"Bearer {TOKEN}"] * 3


async def test_no_client_follows_to_another_server(servers: Servers) -> None:
    url = str(servers.here.make_url("/moved"))
    async with WhisperClient.session(TOKEN) as session:
        with pytest.raises(RecognitionError):
            await WhisperClient(session, url, 5.0).transcribe(UTTERANCE)
    intents = IntentClient(url, url, 5.0, TOKEN)
    with pytest.raises(IntentError):
        await intents.ask("oui", "fr", ())
    await intents.close()
    assert servers.strayed == []


def test_an_openai_client_comes_in_with_the_token_as_its_key(engine: WhisperEngine) -> None:
    with serving(service_on(engine, PRONTO_TOKEN=TOKEN)) as url:
        speech = ("c.wav", SPEECH)
        with openai.OpenAI(base_url=f"{url}/v1", api_key=TOKEN) as client:
            client.audio.transcriptions.create(file=speech, model="any", language="fr")
        with (
            openai.OpenAI(base_url=f"{url}/v1", api_key="another-key", max_retries=0) as stranger,
            pytest.raises(openai.AuthenticationError, match="a bearer token is needed"),
        ):
            stranger.audio.transcriptions.create(file=speech, model="any", language="fr")
