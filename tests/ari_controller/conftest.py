"""A controller as its own process between a real Asterisk and a real Redis."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from ari_controller.ari import AriClient
from callers.sip_caller import SipCaller
from devstack.asterisk import ARI_USER, Asterisk
from devstack.processes import wait_for
from protocol.bus import connect
from tests.ari_controller.switchboard import Bot, ControllerProcess, Media
from tests.background import running

RATE_HZ = 8_000

# Prompts that can be told apart by ear: name -> (Hz, ms) of each tone.
PROMPTS = {
    "hello": [(400, 400)],
    "question": [(700, 400)],
    "story": [(400, 1_000), (800, 1_000), (1_200, 1_000), (1_600, 1_000)],
    "busy": [(2_000, 300)],
    "apology": [(2_400, 300)],
    "one_moment": [(3_000, 300)],
}


@pytest.fixture(scope="session")
def prompts_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of prompts, as `pronto prompts build` makes them: 8 kHz, 16 bit, mono."""
    folder = tmp_path_factory.mktemp("prompts")
    (folder / "fr").mkdir()
    for name, tones in PROMPTS.items():
        samples = [8_000 * np.sin(2 * np.pi * hz * np.arange(RATE_HZ * ms // 1_000) / RATE_HZ) for hz, ms in tones]
        with wave.open(str(folder / "fr" / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(np.concatenate(samples).astype("<i2").tobytes())
    return folder


@pytest.fixture
async def media() -> AsyncIterator[Media]:
    """A UDP socket in the receiver's place."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Media, local_addr=("127.0.0.1", 0))
    protocol.port = transport.get_extra_info("sockname")[1]
    yield protocol
    transport.close()


@pytest.fixture
async def stopped_controller(
    asterisk: Asterisk, redis_url: str, prompts_dir: Path, tmp_path: Path, media: Media
) -> AsyncIterator[ControllerProcess]:
    """A controller that the test starts itself."""
    controller = ControllerProcess(asterisk, redis_url, prompts_dir, tmp_path / "controller.log", media.port)
    yield controller
    if await asyncio.to_thread(controller.is_ready):  # it leaves calls as they are when it is stopped
        await asyncio.to_thread(wait_for, lambda: controller.channels() == [], 5.0)
    await controller.stop()
    left = sorted(path.name for path in controller.parts.glob("*"))
    controller.parts_folder.remove()
    assert left == [], "part files were left"
    assert "Traceback" not in controller.log(), controller.log()


@pytest.fixture
async def controller(stopped_controller: ControllerProcess) -> ControllerProcess:
    """A controller that takes calls."""
    await stopped_controller.start()
    return stopped_controller


@pytest.fixture
async def bot(redis_url: str) -> AsyncIterator[Bot]:
    """The bot manager's side of the bus."""
    redis = connect(redis_url)
    bot = Bot(redis)
    async with running(bot.read(), bot.outbox.run()):
        yield bot
    await redis.aclose()


@pytest.fixture
async def ari(asterisk: Asterisk) -> AsyncIterator[AriClient]:
    """A second ARI client, to look and to break things."""
    async with AriClient(asterisk.ari_url, ARI_USER, asterisk.settings.ari_password, "tests") as client:
        yield client


@pytest.fixture
async def caller(asterisk: Asterisk) -> AsyncIterator[SipCaller]:
    """A caller who hangs up at the latest when the test ends."""
    async with SipCaller(("127.0.0.1", asterisk.settings.sip_port), "+33123456789") as caller:
        yield caller
