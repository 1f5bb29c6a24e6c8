"""The deployed dialplan when the controller is away and when a caller is handed off, heard by a real caller."""

from collections.abc import Iterator

import pytest

from callers.heard_audio import HeardPrompt
from callers.sip_caller import SipCaller
from devstack.asterisk import Asterisk, settings_on_free_ports


@pytest.fixture(scope="module")
def unprepared() -> Iterator[Asterisk]:
    """An Asterisk whose away prompt is missing and whose adviser is another extension of its own."""
    server = Asterisk(settings_on_free_ports(away_prompt="/nowhere/missing", adviser="Local/100@bot"))
    server.start()
    yield server
    server.stop()


async def everything_heard(asterisk: Asterisk, target: str, **account: str) -> list[HeardPrompt]:
    """Calls, listens until the other side hangs up, and gives what was heard."""
    async with SipCaller((asterisk.settings.address, asterisk.settings.sip_port), **account) as caller:
        assert await caller.dial(target) == 200
        assert await caller.ended() == "them"
        return caller.phone.prompts


async def test_a_missing_away_prompt_is_no_dead_air(unprepared: Asterisk) -> None:
    assert len(await everything_heard(unprepared, "0123456789")) == 1
    assert "/nowhere/missing" in unprepared.log()


async def test_a_hand_off_rings_the_adviser(unprepared: Asterisk) -> None:
    # the adviser of this Asterisk is the bot's number, where no controller is: it answers and beeps
    password = unprepared.settings.softphone_password
    assert len(await everything_heard(unprepared, "900", name="softphone", password=password)) == 1


@pytest.fixture
def lonely() -> Iterator[Asterisk]:
    """An Asterisk whose adviser is nowhere."""
    server = Asterisk(settings_on_free_ports(away_prompt="beep", adviser="Local/nobody@nowhere"))
    server.start()
    yield server
    server.stop()


async def test_a_hand_off_that_nobody_takes_ends_with_the_away_prompt(lonely: Asterisk) -> None:
    password = lonely.settings.softphone_password
    assert len(await everything_heard(lonely, "900", name="softphone", password=password)) == 1
