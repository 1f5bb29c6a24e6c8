"""The page of a call in a real browser: whole calls through its microphone, a barge-in, a microphone that is refused, a
service that is killed; by keyboard, and without a grave fault."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright, expect

from browser_audio.sound import RATE_HZ, Samples, twice_as_fast
from callers.caller_voice import speak
from callers.script import Caller, SpokenLine
from devstack.processes import wait_for
from devstack.stack import FROM_BROWSERS, Stack, StackPlan
from records.call import CallRecord, TurnRecord
from records.engines import connect
from records.queries import latest_calls, one_call
from tests.in_browser import grave_faults, opened

pytestmark = pytest.mark.timeout(600)

LONG_MS = 90_000
PATIENCE = 3
QUALIFIED = (
    ("oui bonjour", "ask_zip_code"),
    ("soixante-quinze mille onze", "ask_zip_code"),
    ("oui c'est ça", "ask_owner_house"),
    ("oui je suis propriétaire", "ask_which_heating"),
    ("au gaz", "ask_be_called_back"),
    ("oui", "ask_slot_call_back"),
    ("demain à quatorze heures", "ask_slot_call_back"),
    ("oui", ""),
)
"""What the caller says one after the other."""
MICROPHONE = """
const context = new AudioContext({ sampleRate: 16000 });
const microphone = context.createMediaStreamDestination();
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.wanted = wanted;
  await context.resume();
  return microphone.stream.clone();
};
window.speak = (pcm) => new Promise((resolve) => {
  const bytes = Uint8Array.from(atob(pcm), (sign) => sign.charCodeAt(0));
  const samples = Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768);
  const sound = context.createBuffer(1, samples.length, 16000);
  sound.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer: sound });
  source.connect(microphone);
  source.onended = resolve;
  source.start();
});
"""
"""A microphone into which a test speaks when it likes."""
STATES = """
window.states = [];
new MutationObserver(() => window.states.push(document.getElementById("state").className))
  .observe(document, { subtree: true, attributes: true, attributeFilter: ["class"] });
"""

INTO_THE_GREETING = """
(pcm) => {
  const state = document.getElementById("state");
  const watching = new MutationObserver(() => {
    if (state.className !== "greeting") return;
    watching.disconnect();
    speak(pcm);
  });
  watching.observe(state, { attributes: true });
}
"""
"""Speaks at once when the bot begins to."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("call-page")
    settings = {"STRAIN_LIMIT": "0", "BROWSER_DRAIN_S": "0.5"}
    with Stack(StackPlan(folder / "logs", folder / "state", settings=settings, services=FROM_BROWSERS)) as one:
        yield one


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as one:
        yield one


@asynccontextmanager
async def browser_with(playwright: Playwright, chromium: Path, *arguments: str) -> AsyncIterator[Browser]:
    """A browser that may play sound without a click."""
    always = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", *arguments)
    browser = await playwright.chromium.launch(executable_path=chromium, args=list(always))
    try:
        yield browser
    finally:
        await browser.close()


@pytest.fixture
async def browser(playwright: Playwright, chromium: Path) -> AsyncIterator[Browser]:
    async with browser_with(playwright, chromium) as one:
        yield one


def call_url(stack: Stack) -> str:
    return f"{stack.url('browser_audio')}/call/call.html?language=fr&flow=fr/heating"


def voice(text: str) -> Samples:
    """As a caller on the telephone sounds, at 16 kHz."""
    return twice_as_fast(speak(SpokenLine(text), Caller()))


def sound_of(text: str) -> str:
    """What `speak` of the page takes."""
    return base64.b64encode(voice(text).astype("<i2").tobytes()).decode()


async def say_into(page: Page, text: str) -> None:
    await page.evaluate("speak", sound_of(text))


def newest(stack: Stack) -> tuple[CallRecord, list[TurnRecord]] | None:
    """The record of the last call, once it has an end."""
    engine = connect(stack.database_url)
    try:
        for row in latest_calls(engine, 1):
            found = one_call(engine, row["id"])
            return found if found and found[0].ended_at else None
    finally:
        engine.dispose()
    return None


async def recorded(stack: Stack, before: str = "") -> tuple[CallRecord, list[TurnRecord]]:
    """The record of the call after that one."""
    found: list[tuple[CallRecord, list[TurnRecord]]] = []

    def is_there() -> bool:
        one = newest(stack)
        if one is None or one[0].id == before:
            return False
        found.append(one)
        return True

    assert await asyncio.to_thread(wait_for, is_there, 30.0)
    return found[-1]


async def say_until_heard(page: Page, text: str, heard: int) -> int:
    """Says it, and again where the bot asks again without having heard anything, as on a starved machine; `heard`: what
    it has heard so far. How many lines of the bot there were before the last time."""
    bot, you = page.locator("#log p.bot"), page.locator("#log p.you:not(.guess)")
    for _ in range(PATIENCE):
        answers = await bot.count()
        await say_into(page, text)
        await expect(you.nth(heard).or_(bot.nth(answers)).first).to_be_visible(timeout=LONG_MS)
        if await you.count() > heard:
            return answers
        await expect(page.locator("#state")).to_have_class("listening", timeout=LONG_MS)
        if await you.count() > heard:
            return answers
    raise AssertionError(f"not heard: {text}")


async def test_a_whole_call_is_qualified_recorded_transcribed_and_kept_like_a_telephone_call(
    stack: Stack, browser: Browser
) -> None:
    page, troubles = await opened(browser, call_url(stack), script=MICROPHONE + STATES)
    await page.get_by_role("button", name="Appeler").focus()
    await page.keyboard.press("Enter")
    lines = page.locator("#log p.bot")
    await expect(page.locator("#state")).to_have_class("listening", timeout=LONG_MS)
    for said, (text, _) in enumerate(QUALIFIED):
        answers = await say_until_heard(page, text, said)
        if said + 1 < len(QUALIFIED):
            await expect(lines.nth(answers)).to_be_visible(timeout=LONG_MS)
            await expect(page.locator("#state")).to_have_class("listening", timeout=LONG_MS)
    await expect(page.get_by_role("alert")).to_have_text("L'appel est terminé.", timeout=LONG_MS)
    assert (await page.evaluate("wanted"))["audio"]["echoCancellation"] is True
    states = await page.evaluate("states")
    for state in ("connecting", "greeting", "listening", "thinking", "speaking", "ended"):
        assert state in states
    assert re.fullmatch(r"Réponse en \d+ ms", await page.locator("#answer").inner_text())
    call, turns = await recorded(stack)
    assert (call.direction, call.outcome, call.end_reason) == ("browser", "qualified", "bot_hung_up")
    lead = {name: call.lead[name] for name in ("zip_code", "owner", "heating", "callback")}
    assert lead == {"zip_code": "75011", "owner": "yes", "heating": "gas", "callback": "yes"}
    assert call.lead["callback_slot"].endswith("T14:00")
    assert len([turn for turn in turns if turn.text]) == len(QUALIFIED)
    with wave.open(call.recording) as file:
        sound = np.frombuffer(file.readframes(-1), "<i2")
        seconds = len(sound) / file.getframerate()
    assert call.ended_at is not None
    assert seconds > (call.ended_at - call.started_at) / 2  # a machine that is too slow leaves out what it was late for
    assert np.abs(sound).max() > 3_000
    assert troubles == []


async def test_who_speaks_into_a_prompt_silences_it(stack: Stack, browser: Browser) -> None:
    before = await asyncio.to_thread(newest, stack)
    page, troubles = await opened(browser, call_url(stack), script=MICROPHONE + STATES)
    await page.evaluate(INTO_THE_GREETING, sound_of("oui ça m'intéresse"))
    await page.get_by_role("button", name="Appeler").click()
    await expect(page.locator("#log p.you:not(.guess)")).to_have_count(1, timeout=LONG_MS)
    await expect(page.locator("#state")).to_have_class("listening", timeout=LONG_MS)
    await page.get_by_role("button", name="Raccrocher").click()
    await expect(page.get_by_role("alert")).to_have_text("Vous avez raccroché.")
    call, turns = await recorded(stack, before[0].id if before else "")
    assert call.end_reason == "caller_hung_up"
    assert turns[0].text == "oui ça m'intéresse"
    assert "stopped" in {item["state"] for item in turns[0].said}
    assert troubles == []


async def test_a_microphone_that_is_a_wav_file_is_heard(
    stack: Stack, playwright: Playwright, chromium: Path, tmp_path: Path
) -> None:
    silence = np.zeros(5 * RATE_HZ, np.int16)
    path = tmp_path / "caller.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate((silence, voice("oui bonjour"), silence)).astype("<i2").tobytes())
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    async with browser_with(playwright, chromium, *fake, f"--use-file-for-fake-audio-capture={path}") as browser:
        page, troubles = await opened(browser, call_url(stack))
        await page.get_by_role("button", name="Appeler").click()
        heard = page.locator("#log p.you:not(.guess)").first
        await expect(heard).to_contain_text("oui", timeout=LONG_MS)
        await page.get_by_role("button", name="Raccrocher").click()
        assert troubles == []


async def test_a_refused_microphone_is_explained_and_costs_no_call(
    stack: Stack, playwright: Playwright, chromium: Path
) -> None:
    async with browser_with(
        playwright, chromium, "--use-fake-device-for-media-stream", "--deny-permission-prompts"
    ) as browser:
        page, _ = await opened(browser, call_url(stack))
        await page.get_by_role("button", name="Appeler").click()
        await expect(page.get_by_role("alert")).to_contain_text("permettez le microphone", timeout=LONG_MS)
        await expect(page.get_by_role("button", name="Rappeler")).to_be_focused()


async def test_a_killed_service_is_told_and_the_next_call_goes_through(stack: Stack, browser: Browser) -> None:
    page, _ = await opened(browser, call_url(stack), script=MICROPHONE)
    await page.get_by_role("button", name="Appeler").click()
    await expect(page.locator("#state")).to_have_class("greeting", timeout=LONG_MS)
    before = stack.restarts["browser_audio"]
    os.kill(stack.services["browser_audio"].pid, signal.SIGKILL)
    await expect(page.get_by_role("alert")).to_have_text("La connexion est perdue.", timeout=LONG_MS)

    def is_back() -> bool:
        return stack.restarts["browser_audio"] > before and stack.is_ready("browser_audio")

    assert await asyncio.to_thread(wait_for, is_back, 60.0)
    await page.get_by_role("button", name="Rappeler").click()
    await expect(page.locator("#state")).to_have_class("greeting", timeout=LONG_MS)
    await page.get_by_role("button", name="Raccrocher").click()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 640)])
async def test_the_page_has_no_grave_fault(stack: Stack, browser: Browser, axe: str, width: int, height: int) -> None:
    page, troubles = await opened(browser, call_url(stack), width, height, script=MICROPHONE)
    assert await grave_faults(page, axe) == []
    await page.get_by_role("button", name="Appeler").click()
    await expect(page.locator("#log p.bot").first).to_be_visible(timeout=LONG_MS)
    assert await grave_faults(page, axe) == []
    wide = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide
    await page.get_by_role("button", name="Raccrocher").click()
    assert troubles == []
