"""`POST /api/voice/process`: appointments in writing, through real services: text, bot manager, Redis, booking."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from booking_service.models import VoiceAuditRow
from config import ROOT
from devstack.processes import free_tcp_port
from devstack.redis_server import as_user
from tests.bot_manager.conftest import Exchange, IntentServer, until
from tests.bot_manager.salon import Salon, salon_of

KEY = "a-key-of-clients-1"
PATIENCE_S = 60.0
HELLO = "vorrei prenotare"


class Writing:
    """The text service as a process, and a client of it."""

    def __init__(self, environment: dict[str, str], port: int, log: Path) -> None:
        self._environment = environment
        self._port = port
        self._log = log
        self.process: asyncio.subprocess.Process | None = None
        headers = {"Authorization": f"Bearer {KEY}"}
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_S)

    async def start(self) -> None:
        with self._log.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "text_service", cwd=ROOT, env=self._environment, stderr=log
            )
        await until(self._is_ready, PATIENCE_S)

    async def end(self, how: int = signal.SIGKILL) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()

    async def post(self, **body: Any) -> httpx.Response:
        return await self.http.post("/api/voice/process", json=body)

    async def says(self, text: str, session_id: str | None = None, **more: Any) -> dict[str, Any]:
        answer = await self.post(text=text, session_id=session_id, **more)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self._log.read_text()
        with suppress(httpx.TransportError):
            return (await self.http.get("/ready")).status_code == 200
        return False


@dataclass
class Speaker:
    """A speech service that says what it was asked, and fails as it is told."""

    server: TestServer
    asked: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    async def speak(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        return web.Response(status=self.status, body=b"RIFF...", content_type="audio/wav")


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    app = web.Application()
    found = Speaker(TestServer(app))
    app.router.add_post("/v1/audio/speech", found.speak)
    await found.server.start_server()
    yield found
    await found.server.close()


@pytest.fixture
async def salon(
    bot_settings: dict[str, str], exchange: Exchange, intents: IntentServer, tmp_path: Path
) -> AsyncIterator[Salon]:
    for sentence, intent in ((HELLO, "prenotazione"), ("indietro", "go_back"), ("un operatore", "human")):
        intents.answers[sentence] = {"intent": intent, "score": 0.97, "fallback": False}
    async with salon_of(bot_settings, exchange, intents, tmp_path) as found:
        yield found


@pytest.fixture
async def writing(
    salon: Salon, bot_settings: dict[str, str], redis_url: str, tmp_path: Path, speaker: Speaker
) -> AsyncIterator[Writing]:
    port = free_tcp_port()
    more = {"TEXT_API_KEY": KEY, "TEXT_PORT": str(port), "REDIS_URL": as_user(redis_url, "text")}
    more["SPEECH_URL"] = f"http://127.0.0.1:{speaker.server.port}"
    found = Writing({**bot_settings, **more}, port, tmp_path / "text.log")
    await found.start()
    yield found
    await found.end()
    await found.http.aclose()


async def test_an_appointment_by_text_with_what_was_understood(salon: Salon, writing: Writing) -> None:
    first = await writing.says(f"  {HELLO}\u0000 ", channel="browser")
    session = first["session_id"]
    assert str(UUID(session)) == session
    assert "l'assistente automatica di Salone Aurora" in first["response"]
    assert first["response"].endswith("Mi dice il suo nome e cognome, per favore?")
    open_ones = ("session_id", "response", "latency_ms", "audio")
    assert {name: value for name, value in first.items() if name not in open_ones} == {
        "intent": "prenotazione",
        "confidence": 0.97,
        "special_command": None,
        "step": "identify",
        "slots": {},
        "handoff_requested": False,
        "completed": False,
    }
    assert first["latency_ms"] > 0
    second = await writing.says("Elena Brambini", session)
    assert (second["response"], second["step"]) == ("Quale servizio desidera?", "services")
    assert second["slots"]["caller_name"] == "Elena Brambini"
    back = await writing.says("indietro", session)
    assert (back["special_command"], back["response"]) == ("indietro", "Mi dice il suo nome e cognome, per favore?")
    await writing.end()  # what it served goes on with the next process
    await writing.start()
    await writing.says("Elena Brambini", session)
    salon.served.clock.now_s = time.time()  # as the writer's own: what they say is of today
    recap = await writing.says("taglio martedì alle nove con Giulia", session)
    if recap["step"] == "alternatives":  # should that be a holiday
        recap = await writing.says("la prima", session)
    assert recap["step"] == "recap", recap
    assert (recap["step"], recap["slots"]["services"], recap["slots"]["staff"]) == ("recap", "taglio", "Giulia")
    assert await salon.appointments() == []
    booked = await writing.says("sì", session, ref="the-yes")
    assert booked["response"].startswith("È prenotato.")
    assert (booked["intent"], booked["step"], booked["completed"]) == ("conferma", "done", True)
    lost = await writing.says("sì", session, ref="the-yes")  # its answer did not come: asked again
    assert lost["response"] == booked["response"]
    last = await writing.says("no", session)
    assert (last["response"], last["completed"], last["handoff_requested"]) == ("Grazie e arrivederci.", True, False)
    assert len(await salon.appointments()) == 1
    assert (await writing.says(HELLO, session))["session_id"] != session  # that one is over


async def test_an_answer_is_fetched_as_sound(writing: Writing, speaker: Speaker) -> None:
    first = await writing.says(HELLO)
    heard = await writing.http.get(first["audio"])
    assert (heard.status_code, heard.headers["content-type"], heard.content) == (200, "audio/wav", b"RIFF...")
    said = {"input": first["response"], "language": "it", "response_format": "wav", "sample_rate": 24_000}
    assert speaker.asked == [said]
    other = await writing.says("Elena Brambini", first["session_id"])
    assert other["audio"] != first["audio"]
    await writing.http.get(other["audio"])
    assert speaker.asked[-1]["input"] == other["response"]
    strangers = await writing.http.get(first["audio"], headers={"Authorization": "Bearer another"})
    assert strangers.status_code == 401
    nothing = await writing.http.get(first["audio"] + "x")
    assert (nothing.status_code, nothing.json()["error"]) == (404, "unknown_answer")


async def test_without_speech_the_conversation_goes_on_in_text(writing: Writing, speaker: Speaker) -> None:
    first = await writing.says(HELLO)
    speaker.status = 503
    refused = await writing.http.get(first["audio"])
    assert (refused.status_code, refused.json()["error"]) == (503, "no_speech")
    await speaker.server.close()
    refused = await writing.http.get(first["audio"])
    assert (refused.status_code, refused.json()["error"]) == (503, "no_speech")
    assert (await writing.says("Elena Brambini", first["session_id"]))["response"] == "Quale servizio desidera?"


async def test_a_hand_over_is_told(writing: Writing) -> None:
    session = (await writing.says(HELLO))["session_id"]
    human = await writing.says("un operatore", session)
    assert (human["handoff_requested"], human["special_command"], human["intent"]) == (True, "umano", "operatore")


async def test_turns_in_writing_are_in_the_log_with_their_address(salon: Salon, writing: Writing) -> None:
    await writing.says(HELLO, channel="browser")

    def rows(session: Any) -> list[tuple[str, str | None]]:
        return [(row.user_input, row.ip_address) for row in session.query(VoiceAuditRow)]

    async def is_written() -> bool:
        return await salon.served.service.read(rows) == [(HELLO, "127.0.0.1")]

    await until(is_written, PATIENCE_S)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"text": " \u0007 "}, 422),
        ({"text": "x" * 501}, 413),
        ({"text": "ciao", "session_id": "a b"}, 422),
        ({"text": "ciao", "channel": "<b>"}, 422),
        ({"text": "ciao", "who": "me"}, 422),
        ({"text": 7}, 422),
    ],
)
async def test_what_does_not_fit_is_refused(limited: Writing, body: dict[str, Any], status: int) -> None:
    answer = await limited.post(**body)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "detail"}


async def test_a_key_is_needed(limited: Writing) -> None:
    assert (await limited.http.post("/api/voice/process", json={}, headers={"Authorization": ""})).status_code == 401


@pytest.fixture
async def limited(bot_settings: dict[str, str], redis_url: str, tmp_path: Path) -> AsyncIterator[Writing]:
    """Without a bot manager: nobody answers."""
    port = free_tcp_port()
    flows = tmp_path / "flows" / "it"
    flows.mkdir()
    (flows / "booking.yaml").write_text((ROOT / "flows" / "it" / "booking.yaml").read_text(encoding="utf-8"))
    more = {"TEXT_API_KEY": KEY, "TEXT_PORT": str(port), "TEXT_ANSWER_S": "0.1"}
    found = Writing({**bot_settings, **more, "REDIS_URL": as_user(redis_url, "text")}, port, tmp_path / "text.log")
    await found.start()
    yield found
    await found.end()
    await found.http.aclose()


async def test_the_61st_request_and_the_sixth_session_of_a_minute_wait(limited: Writing) -> None:
    statuses = [(await limited.post(text="ciao")).status_code for _ in range(5)]
    assert set(statuses) == {504}  # nobody answers, but they were asked
    sixth = await limited.post(text="ciao")
    assert (sixth.status_code, sixth.json()["error"]) == (429, "too_many_requests")
    assert 1 <= int(sixth.headers["Retry-After"]) <= 60
    for _ in range(54):
        assert (await limited.post(text="ciao")).json()["detail"] == "too many new sessions"
    late = await limited.post(text="ciao")
    assert (late.status_code, late.json()["detail"]) == (429, "too many requests")
    transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=limited.http.base_url, headers=headers, transport=transport) as other:
        answer = await other.post("/api/voice/process", json={"text": "ciao"}, timeout=PATIENCE_S)
    assert answer.status_code == 504  # others are served
