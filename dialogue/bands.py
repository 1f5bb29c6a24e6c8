"""How sure an intent must be to be acted on, asked back about, or not believed: the bands of a flow. Pure.

Without bands every intent that the intent service believes is acted on, as ever.
"""

from __future__ import annotations

from dataclasses import replace

from dialogue.conversation import Conversation
from dialogue.events import Understood
from dialogue.flow import Flow
from dialogue.meaning import Meaning, read_also


def judged(flow: Flow, conversation: Conversation, event: Understood, meaning: Meaning) -> Meaning:
    """What an utterance means once its score was looked at: `doubted` is asked back about, `no_match` is not believed.

    A plain yes or no, what was asked back about already, and an intent that leads where a value leads that was named
    beside it, need no more certainty.
    """
    band = flow.bands.get(meaning.intent)
    if meaning.kind != "intent" or band is None or event.intent in ("yes", "no") or not event.intent_score:
        return meaning
    if event.intent_score >= band.act or conversation.doubted == meaning.intent:
        return meaning
    named = read_also(flow, conversation, event.text, event.at)
    if named is not None and flow.states[conversation.state].also[named.slot] == meaning.step:
        return replace(named, intent=meaning.intent)  # a day is named, too: that it is a booking says both
    if event.intent_score < band.ask:
        return Meaning("no_match", meaning.intent, meaning.score)
    return replace(meaning, kind="doubted")
