"""A bot says a name, a date, an amount and a telephone number that were never recorded, in French and in Italian; the
recording of the call is given to Whisper, which must find them again.

Nothing in between is replaced: bot manager, bus, controller, speech service, Asterisk, a caller's telephone. The
values are of no list that a voice or a rule was tried on.
"""

import asyncio
import re
import shutil
import unicodedata
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from callers.sip_caller import SipCaller
from config import ROOT
from devstack.recogniser import WHISPER_BASE, is_there
from devstack.stack import Stack, StackPlan

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched"),
]

FLOW = """
flow: said
language: {language}
timezone: Europe/Paris
start: tell
max_turns: 5
too_long: tell
transfer_failed: "{wait}"
trouble: {{say: "{wait}", retries: 1, then: tell}}
defaults:
  no_input: {{say: ["{wait}"], retries: 1, then: tell}}
  no_match: {{say: ["{wait}"], retries: 1, then: tell}}
constants:
  who: {{type: name, value: {who}}}
  day: {{type: date, value: 2026-12-17}}
  amount: {{type: money, currency: EUR, value: "{amount}"}}
  call_us: {{type: telephone, value: "{number}"}}
states:
  tell:
    say: {texts}
    hangup: true
    outcome: said
"""
FRENCH = {
    "language": "fr",
    "wait": "Un instant, je vous prie.",
    "who": "Martine Delacroix",
    "amount": "386.50",
    "number": "+33472196805",
    "texts": '["Bonjour {who}.", "Votre rendez-vous est le {day}.", "Le montant est de {amount}.", '
    '"Rappelez-nous au {call_us}, merci."]',
}
ITALIAN = {
    "language": "it",
    "wait": "Un momento, per favore.",
    "who": "Marco Bellini",
    "amount": "745.00",
    "number": "+390245871936",
    "texts": '["Buongiorno {who}.", "Il suo appuntamento è il {day}.", "L\'importo è di {amount}.", '
    '"Ci richiami al numero {call_us}, grazie."]',
}


def recognised(path: Path, language: str) -> str:
    """What Whisper base hears in a recording, in small letters without accents."""
    from faster_whisper import WhisperModel

    model = WhisperModel(str(WHISPER_BASE), device="cpu", compute_type="int8", cpu_threads=2)
    segments, _ = model.transcribe(str(path), language=language, beam_size=5)
    text = unicodedata.normalize("NFKD", " ".join(segment.text for segment in segments).lower())
    return "".join(sign for sign in text if not unicodedata.combining(sign))


async def called(flow: dict[str, str], folder: Path) -> Path:
    """Calls a bot with that flow, hears it out; the recording of the call."""
    flows = folder / "flows"
    shutil.copytree(ROOT / "flows", flows)
    (flows / flow["language"] / "said.yaml").write_text(FLOW.format(**flow), encoding="utf-8")
    stack = Stack(
        StackPlan(
            run_dir=folder / "run",
            state_dir=folder / "state",
            settings={"FLOWS_DIR": str(flows), "DEFAULT_FLOW": f"{flow['language']}/said", "STRAIN_LIMIT": "0"},
        )
    )
    await asyncio.to_thread(stack.start)
    try:
        async with SipCaller(("127.0.0.1", stack.sip_port), name="+33199000001") as caller:
            assert await caller.dial("bot") == 200
            await caller.ended()
        assert list(stack.parts.path.glob("*/*")) == []
    finally:
        await asyncio.to_thread(stack.stop)
    assert not stack.parts.path.exists()
    (recording,) = stack.recordings_dir.glob("*.wav")
    return recording


def alike(heard: str, said: str) -> float:
    """How much of the letters and digits is the same, from 0 to 1; Whisper base is wrong in one word of six or so."""
    return SequenceMatcher(None, re.sub(r"[^a-z0-9 ]", "", heard), said, autojunk=False).ratio()


async def test_what_was_never_recorded_is_said_in_french(tmp_path: Path) -> None:
    text = recognised(await called(FRENCH, tmp_path), "fr")
    said = (
        "bonjour martine delacroix votre rendezvous est le jeudi 17 decembre le montant est de 386 euros 50 "
        "rappeleznous au 04 72 19 68 05 merci"
    )
    assert alike(text, said) > 0.75, text
    found = (re.search("martine? de ?la ?croi", text), re.search("(17|dix.sept) decembre", text), "386" in text)
    assert sum(map(bool, found)) >= 2, text


async def test_what_was_never_recorded_is_said_in_italian(tmp_path: Path) -> None:
    text = recognised(await called(ITALIAN, tmp_path), "it")
    said = (
        "buongiorno marco bellini il suo appuntamento e il giovedi 17 dicembre limporto e di 745 euro "
        "ci richiami al numero 02 4587 1936 grazie"
    )
    assert alike(text, said) > 0.75, text
    found = ("marco bellini" in text, re.search("(17|diciassette) dicembre", text), "745" in text)
    assert sum(map(bool, found)) >= 2, text
