"""What a wording of a flow comes to in a conversation: items to be said, with the values in them. Pure."""

from __future__ import annotations

import forms
from dialogue.conversation import Conversation
from dialogue.flow import Flow, Wording
from dialogue.meaning import local_time
from dialogue.readout import is_spoken, read_out
from dialogue.values.judging import Unset
from dialogue.values.templates import Field, fill
from dialogue.variables import said
from protocol.items import Item, PromptItem, SpeechItem


def items_of(flow: Flow, conversation: Conversation, wording: Wording, at: float) -> tuple[Item, ...]:
    """The items of a wording. A text whose variables are unset is left out: `flow check` lets none through."""
    found: list[Item] = []
    for entry in wording:
        if forms.is_prompt(entry):
            found.append(PromptItem(entry))
        elif entry[1:-1] in flow.slots and not is_spoken(flow.slots[entry[1:-1]]):
            found += _read_out(flow, conversation, entry[1:-1], at)
        else:
            found += _spoken(flow, conversation, entry, at)
    return tuple(found)


def _read_out(flow: Flow, conversation: Conversation, name: str, at: float) -> list[Item]:
    """The prompts for the value of a slot, as one says it where the flow's callers live; none while it is unset."""
    value = conversation.slots.get(name)
    if conversation.tentative is not None and flow.states[conversation.state].slot == name:
        value = conversation.tentative
    if value is None:
        return []
    pieces = read_out(flow.slots[name], value, flow.region, local_time(flow, at).date(), flow.prompt_ms)
    return [PromptItem(prompt) for prompt in pieces]


def _spoken(flow: Flow, conversation: Conversation, text: str, at: float) -> list[Item]:
    now = local_time(flow, at)

    def say(field: Field) -> str:
        words = said(flow, conversation, now, field)
        if words is None:
            raise Unset(field.name)
        return words

    try:
        return [SpeechItem(fill(text, say))]
    except Unset:
        return []
