"""The interpreter of a flow: (flow, dialogue, event) -> (dialogue, actions). Pure: times come with the events."""

from __future__ import annotations

from bot_manager.dialogue_events import Action, DialogueEvent, Understood
from bot_manager.dialogue_state import Dialogue
from bot_manager.flow import Flow


def handle(flow: Flow, dialogue: Dialogue, event: DialogueEvent) -> tuple[Dialogue, list[Action]]:
    """What the event makes of the dialogue, and what is to be done now. Seeing an event twice does no harm.

    A new call is `handle(flow, Dialogue(), Begun(...))`.
    """
    raise NotImplementedError


def allowed_intents(flow: Flow, dialogue: Dialogue) -> tuple[str, ...]:
    """The main intents that mean something in this state: what `allowed` of the intent service is set to."""
    raise NotImplementedError


def needs_intent(flow: Flow, dialogue: Dialogue, text: str, at: float) -> bool:
    """False when the text answers by itself (a zip code, a bare yes): the intent service need not be asked."""
    raise NotImplementedError


def certain(flow: Flow, dialogue: Dialogue, event: Understood) -> bool:
    """Whether a guess may be taken before the end of the utterance."""
    raise NotImplementedError
