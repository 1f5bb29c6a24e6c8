"""The states of a call and the steps between them, and what of the settings a call needs. Pure: tables and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ari_controller.media_legs import Target

CallState: TypeAlias = Literal["answering", "up", "leaving", "transferring", "hanging_up", "ending", "ended"]
CallStep: TypeAlias = Literal["answered", "say_farewell", "transfer", "stay", "hang_up", "left", "closed"]

CALL_TRANSITIONS: dict[CallState, dict[CallStep, CallState]] = {
    "answering": {"answered": "up", "hang_up": "hanging_up", "left": "ending"},
    "up": {"say_farewell": "leaving", "transfer": "transferring", "hang_up": "hanging_up", "left": "ending"},
    "leaving": {"transfer": "transferring", "hang_up": "hanging_up", "left": "ending"},
    "transferring": {"stay": "up", "hang_up": "hanging_up", "left": "ending"},
    "hanging_up": {"left": "ending"},
    "ending": {"closed": "ended"},
    "ended": {},
}


@dataclass(frozen=True)
class Rules:
    """What of the settings a call needs."""

    target: Target
    prompts_dir: str
    recordings_dir: str
    record_calls: bool
    keep_alive_silence: bool
    handoff_context: str
    handoff_extension: str
    language: str
    busy_extension: str = ""
    parts_dir: str = ""
    """Where part files lie, as Asterisk sees it too; empty: none are made."""
    speaks: bool = False
    """There is a speech service."""
    speech_apology: str = ""
    """Said where speech could not be; empty: nothing."""
    hold_prompt: str = "one_moment"
    """Said to a caller whom the bot keeps waiting; empty: nothing."""
    region: str = ""
    """Whose telephone numbers the trunk writes without a country code; empty: they stay as they are."""
    answer_silence_ms: int = 0
    """Between the answer and the first prompt: the way to the caller may not be open yet."""
    goodbye_silence_ms: int = 0
    """Between the last word and the end of the call or its hand-over: it is still on its way to their ear."""
    max_call_s: float = 3_600.0
    """After so long a caller who still talks with the bot is handed over."""


@dataclass(frozen=True)
class Farewell:
    """A prompt of the controller's own and what follows it."""

    prompt: str
    then: Literal["overflow", "hand_off"]
    """`overflow`: to `busy_extension`; `hand_off`: to `handoff_extension`; without one, the end."""


BUSY = Farewell("busy", "overflow")
APOLOGY = Farewell("apology", "hand_off")
