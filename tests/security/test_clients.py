"""Our clients send the bearer token to the service that they are told, and to nobody that it sends them to."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import openai
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ari_controller import ari_requests
from ari_controller.actions import Synthesise
from ari_controller.ari import AriClient
from ari_controller.ari_errors import AriError
from ari_controller.speech_feeds import SpeechFeeds
from booking_service.messages import OutgoingMessage
from booking_service.sending import NotSent, WhatsAppPort
from bot_manager.intents import IntentClient, IntentError
from bot_manager.speech_ahead import SpeechAhead
from browser_audio.making import SoundMaker
from browser_audio.playing import ItemSound
from config import ROOT, TextSettings
from devstack.asterisk import Asterisk, settings_on_free_ports
from devstack.processes import ProcessFailed
from devstack.stack import Stack, StackPlan
from observability.lifecycle import cancel_all
from pronto.__main__ import main
from pronto.asking import ask
from pronto.drain_cli import url_of
from pronto.flow_chat import HttpIntents, IntentsAway
from protocol.items import SpeechItem
from rtp_receiver.whisper import RecognitionError, Utterance, WhisperClient
from speech_service.engines.port import EngineFailed
from speech_service.engines.remote import RemoteEngine
from tests.background import running
from tests.whisper.serving import SPEECH, service_on, serving
from text_service.back_part import BackPart
from whisper_service.engine import WhisperEngine

TOKEN = "a-token-of-24-characters"
UTTERANCE = Utterance("c1", "c1.wav", "fr", (), np.zeros(16_000, np.int16))


@dataclass
class Servers:
    """`here` is what a client is told to ask; all but its `/ask` is said to be `elsewhere`, with status `moved`. Both
    note the method and the header of who came."""

    here: TestServer
    elsewhere: TestServer
    moved: int = 307
    came: list[tuple[str, str]] = field(default_factory=list)
    strayed: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async def answer(request: web.Request) -> web.Response:
        found.came.append((request.method, request.headers.get("Authorization", "")))
        return web.json_response({"transcription": "oui", "intent": "yes", "score": 0.9})

    async def move(request: web.Request) -> web.Response:
        found.came.append((request.method, request.headers.get("Authorization", "")))
        location = str(found.elsewhere.make_url("/any"))
        # with a body that would do as an answer: who reads it has been sent nowhere, and believes it nevertheless
        good = {"transcription": "oui", "intent": "yes", "left": 0, "draining": True, "ping": "pong"}
        return web.json_response(good, status=found.moved, headers={"Location": location})

    async def stray(request: web.Request) -> web.Response:
        found.strayed.append((request.method, request.headers.get("Authorization", "")))
        return web.json_response({"transcription": "non", "intent": "no", "score": 0.9, "left": 0, "ping": "pong"})

    here, elsewhere = web.Application(), web.Application()
    here.router.add_post("/ask", answer)
    here.router.add_route("*", "/{any:.*}", move)
    elsewhere.router.add_route("*", "/{any:.*}", stray)
    found = Servers(TestServer(here), TestServer(elsewhere))
    await found.here.start_server()
    await found.elsewhere.start_server()
    yield found
    await found.here.close()
    await found.elsewhere.close()


async def test_receiver_and_bot_manager_send_the_token(servers: Servers) -> None:
    url = str(servers.here.make_url("/ask"))
    async with WhisperClient(url, 5.0, TOKEN) as client:
        assert (await client.transcribe(UTTERANCE)).text == "oui"
    intents = IntentClient(url, url, 5.0, TOKEN)
    assert (await intents.ask("oui", "fr", ())).intent == "yes"
    await intents.close()
    chat = HttpIntents(url, url, "fr", token=TOKEN)
    assert (await asyncio.to_thread(chat, "oui", ())).intent == "yes"
    assert servers.came == [("POST", f"Bearer {TOKEN}")] * 3


async def recognise(url: str) -> None:
    async with WhisperClient(url, 5.0, TOKEN) as client:
        with pytest.raises(RecognitionError):
            await client.transcribe(UTTERANCE)


async def ask_intents(url: str) -> None:
    intents = IntentClient(url, url, 5.0, TOKEN)
    with pytest.raises(IntentError):
        await intents.ask("oui", "fr", ())
    await intents.close()


async def speak(url: str) -> None:
    engine = RemoteEngine(url, "any", TOKEN)
    await engine.start()
    try:
        with pytest.raises(EngineFailed):
            await anext(engine.speak("any", "oui", 1.0))
    finally:
        await engine.close()


class Told:
    """A listener of what is made for calls: why it was not."""

    def __init__(self) -> None:
        self.reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def fed(self, call_id: str, feed_id: str, file: str, ms: int, voice: str) -> None:
        raise AssertionError("there is no sound")

    def feed_over(self, call_id: str, feed_id: str, reason: str) -> None:
        self.reason.set_result(reason)


async def speak_in_calls(url: str, folder: Path) -> None:
    feeds = SpeechFeeds(url, TOKEN, folder)
    feeds.listener = told = Told()
    await feeds.open()
    try:
        feeds.begin("any", Synthesise("any", SpeechItem("oui"), "fr"))
        feeds.hand_over("any", "any", dry=True)
        assert "answered 30" in await told.reason
    finally:
        await feeds.close()


async def speak_on_pages(url: str, folder: Path) -> None:
    maker = SoundMaker(folder, url, TOKEN, "")
    await maker.open()
    try:
        order = ItemSound(SpeechItem("oui"), "fr")
        await maker.make(order, "any")
        assert order.failed
    finally:
        await maker.close()


async def write_to_a_client(url: str) -> None:
    port = WhatsAppPort(url, TOKEN, "it")
    try:
        with pytest.raises(NotSent):
            await port.send(OutgoingMessage("m1", "3000000001", "booking_confirmation", {"nome": "Anna"}))
    finally:
        await port.close()


async def speak_ahead(url: str) -> None:
    assert await SpeechAhead(url, TOKEN, lambda: [("fr", "oui")]).prepare() == 0


async def follow_the_back_part(url: str, servers: Servers) -> None:
    part = BackPart(TextSettings(text_back_url=url, text_back_key=TOKEN))
    async with running(part.follow()):
        await came_or_strayed(servers)
        with pytest.raises(ConnectionError):
            await part.conversation("a-client-of-a-front")


async def command_asterisk(url: str) -> None:
    async with AriClient(url, "pronto", TOKEN, "pronto") as ari:
        for method in ("GET", "POST", "DELETE"):
            with pytest.raises(AriError):
                await ari.send(ari_requests.Request("any", method, "/channels"))


class Deaf:
    """A listener of ARI's events that is told why there is no connection."""

    def connected(self) -> None:
        raise AssertionError("there is no websocket")

    def received(self, _: str) -> None:
        raise AssertionError("there is no websocket")

    def disconnected(self, _: str) -> None:
        raise AssertionError("there was no websocket")


async def came_or_strayed(servers: Servers) -> None:
    while len(servers.came) < 2 and not servers.strayed:  # noqa: ASYNC110 - it comes again, so it has not strayed
        await asyncio.sleep(0.01)


async def listen_to_asterisk(url: str, servers: Servers) -> None:
    async with AriClient(url, "pronto", TOKEN, "pronto") as ari:
        listening = asyncio.create_task(ari.listen(Deaf()))
        await came_or_strayed(servers)
        await cancel_all(listening)


def chat(url: str) -> None:
    with pytest.raises(IntentsAway):
        HttpIntents(url, url, "fr", token=TOKEN)("oui", ())


def command_line(url: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        with pytest.raises(OSError, match="30"):
            ask(method, url, TOKEN)
    assert main(["drain", "bot_manager", "--url", url]) == 1
    assert main(["drain", "bot_manager", "--url", url, "--undo"]) == 1


def stack_looks(url: str, folder: Path) -> None:
    stack = Stack(StackPlan(folder, settings={"PRONTO_TOKEN": TOKEN}))
    stack.ports["bot_manager"] = port_of(url)
    assert not stack.is_ready("bot_manager", 1)
    assert not stack.is_ready("bot_manager")


def asterisk_looks(url: str) -> None:
    asterisk = Asterisk(settings_on_free_ports(http_port=port_of(url)))
    with pytest.raises(ProcessFailed, match="30"):
        asterisk.get("asterisk/ping")


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


CLIENTS = {
    "rtp_receiver/posts.py",
    "bot_manager/intents.py",
    "bot_manager/speech_ahead.py",
    "ari_controller/ari.py",
    "ari_controller/speech_feeds.py",
    "browser_audio/making.py",
    "pronto/asking.py",
    "speech_service/engines/remote.py",
    "booking_service/sending.py",
    "text_service/back_part.py",
    "devstack/stack.py",
    "devstack/asterisk.py",
}
"""Every module that asks over HTTP. The test below tries them all."""
TRIED_ELSEWHERE = {
    "bot_manager/actions.py",  # tests/bot_manager/test_actions.py: no redirect, no address that is not listed
    "bot_manager/webhooks.py",  # tests/bot_manager/test_webhooks.py, the same
    "text_service/voice_audio.py",  # asks the speech service of its settings, and follows no redirect
    "text_service/handover.py",  # tests/text/test_handover.py: no redirect, no proxy
    "bot_manager/targets.py",  # the addresses that it may ask, and their names
    "devstack/order_server.py",  # a server
}
"""What the test below need not try."""
HTTP = re.compile(r"(aiohttp|httptools|httpx|requests|openai|urllib3|urllib\.request|http\.client)\b")
"""What they ask with."""


def test_every_client_is_known() -> None:
    found = set()
    for path in ROOT.glob("*/**/*.py"):
        name = path.relative_to(ROOT)
        if name.parts[0] in ("tests", "benchmarks", ".venv", ".pronto"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            if any(map(HTTP.match, names)):
                found.add(str(name))
    assert found == CLIENTS | TRIED_ELSEWHERE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_client_follows_to_another_server(
    servers: Servers, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONTO_TOKEN", TOKEN)
    servers.moved = status
    url = str(servers.here.make_url("/any"))
    elsewhere = str(servers.elsewhere.make_url("/proxy"))
    monkeypatch.setenv("http_proxy", elsewhere)  # a proxy would be told the token too
    for client in (
        recognise,
        ask_intents,
        speak,
        speak_ahead,
        lambda url: speak_in_calls(url, tmp_path),
        lambda url: speak_on_pages(url, tmp_path),
        write_to_a_client,
        command_asterisk,
        lambda url: listen_to_asterisk(url, servers),
        lambda url: follow_the_back_part(url, servers),
    ):
        servers.came.clear()
        await client(url)
        assert servers.came
        assert servers.strayed == []
    for blocking in (chat, command_line, asterisk_looks, lambda url: stack_looks(url, tmp_path)):
        servers.came.clear()
        await asyncio.to_thread(blocking, url)
        assert servers.came
        assert servers.strayed == []


def test_a_service_on_an_ipv6_address_is_asked_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pronto.drain_cli.STACK_FILE", tmp_path / "no stack")
    monkeypatch.setenv("BOT_HOST", "::1")
    monkeypatch.setenv("BOT_PORT", "8083")
    assert url_of("bot_manager") == "http://[::1]:8083"
    monkeypatch.setenv("BOT_HOST", "127.0.0.1")
    assert url_of("bot_manager") == "http://127.0.0.1:8083"


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
