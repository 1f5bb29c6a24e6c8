"""What flows say is made by a real speech service before it is asked for."""

import json

import aiohttp
import pytest

from bot_manager.speech_ahead import SpeechAhead
from tests.speech.serving import service_of, serving

FIXED = [("fr", "Bonjour. Bienvenue chez nous."), ("it", "Un momento, per favore.")]


async def is_cached(url: str, language: str, text: str) -> bool:
    """Whether all of a text's sound was there before."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/speech", json={"text": text, "language": language}) as answer,
    ):
        cached = True
        while not (head := json.loads(await answer.content.readline())).get("over"):
            await answer.content.readexactly(head["bytes"])
            cached = cached and head["cached"]
        return cached


async def test_sentences_of_flows_are_there_before_they_are_asked_for() -> None:
    async with serving(service_of("espeak-fr,espeak-it")) as url:
        ahead = SpeechAhead(url, "", lambda: FIXED)
        assert await ahead.prepare() == 2
        # also as a part of what is said with a name in it
        assert await is_cached(url, "fr", "Bienvenue chez nous.")
        assert await is_cached(url, "it", "Un momento, per favore.")
        assert not await is_cached(url, "fr", "Bonjour. Madame Keller vous attend.")


async def test_a_service_that_is_away_is_told() -> None:
    with pytest.raises(aiohttp.ClientError):
        await SpeechAhead("http://127.0.0.1:9", "", lambda: FIXED).prepare()
