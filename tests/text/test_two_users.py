"""Two users of one flow, in any interleaving of what they write and what the bot says to them: no word crosses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from config import TextSettings
from protocol.items import Item, SpeechItem
from protocol.messages import CallStarted, Command, Event, Listen, Say, UtteranceTranscribed
from text_service.conversation import TextConversation
from text_service.frames import frame_of
from text_service.refusals import Unfit
from text_service.service import QueryAsked, TextService

WHO = {"a": "client-of-anna", "b": "client-of-berta"}
OWN = {"a": "anna", "b": "berta"}


class Kept:
    """What TextStore keeps, in memory."""

    def __init__(self) -> None:
        self.conversations: dict[str, TextConversation] = {}
        self.owners: dict[str, str] = {}

    async def get(self, client_id: str) -> TextConversation | None:
        await asyncio.sleep(0)
        return self.conversations.get(client_id)

    async def put(self, now: TextConversation) -> None:
        await asyncio.sleep(0)
        self.conversations[now.client_id] = now
        self.owners[now.call_id] = now.client_id

    async def client_of(self, call_id: str) -> str:
        return self.owners.get(call_id, "")


class Bot:
    """The bus with a bot behind it that says what it heard: events in, commands out, each call's in their order."""

    def __init__(self) -> None:
        self.commands: dict[str, list[Command]] = {}
        self.turns: dict[str, int] = {}

    def send(self, event: Event) -> None:
        match event:
            case CallStarted(call_id=call_id):
                self._says(call_id, "welcome")
            case UtteranceTranscribed(call_id=call_id, text=text):
                self._says(call_id, f"heard {text}")
            case _:
                pass

    async def flush(self) -> None:
        await asyncio.sleep(0)

    def _says(self, call_id: str, text: str) -> None:
        turn = self.turns[call_id] = self.turns.get(call_id, 0) + 1
        say = Say(call_id, 1.0, turn, f"p-{call_id}-{turn}", "fr", (SpeechItem(text, "fr"),))
        self.commands.setdefault(call_id, []).extend([Listen(call_id, 1.0, turn, "fr"), say])


def texts(_: str, items: tuple[Item, ...]) -> str:
    return " ".join(item.text for item in items if isinstance(item, SpeechItem))


STEPS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["write", "bot", "both"])), max_size=40)


async def played(steps: Sequence[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What each wrote, and what each has in their history."""
    kept, bot = Kept(), Bot()
    service = TextService(TextSettings(), kept, bot, texts)  # type: ignore[arg-type]  # they have what it uses
    written: dict[str, list[str]] = {"a": [], "b": []}

    async def write(who: str) -> None:
        text = f"{OWN[who]} {len(written[who])}"
        if await service.put_question(WHO[who], QueryAsked(text, ref=text)):
            written[who].append(text)

    async def hear(who: str) -> None:
        now = kept.conversations.get(WHO[who])
        waiting = bot.commands.get(now.call_id, []) if now else []
        if waiting:
            await service.take_command(waiting.pop(0))

    for who, what in steps:
        if what == "both":
            await asyncio.gather(write("a"), hear("b"), write("b"), hear("a"))
        else:
            await (write(who) if what == "write" else hear(who))
    for who in "ab":
        while (now := kept.conversations.get(WHO[who])) and bot.commands.get(now.call_id):
            await hear(who)
    histories = {who: await service.history(WHO[who], 200) or () for who in "ab"}
    return written, {who: [message.content for message in messages] for who, messages in histories.items()}


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_no_word_crosses(steps: list[tuple[str, str]]) -> None:
    written, shown = asyncio.run(played(steps))
    for who, other in (("a", "b"), ("b", "a")):
        assert not any(OWN[other] in text for text in shown[who])
        assert [text for text in shown[who] if text.startswith(OWN[who])] == written[who]
        answers = [text for text in shown[who] if not text.startswith(OWN[who])]
        assert answers == (["welcome", *(f"heard {text}" for text in written[who])] if written[who] else [])


@settings(max_examples=300, deadline=None)
@given(
    data=st.one_of(
        st.text(),
        st.binary(),
        st.none(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "ref", "query", "x"]), inner),
        ).map(json.dumps),
    )
)
def test_whatever_a_browser_sends_is_a_frame_or_refused_with_a_code(data: str | bytes | None) -> None:
    assert verdict(data) in {"frame", "422 invalid_input", "413 query_too_long"}


def verdict(data: str | bytes | None) -> str:
    try:
        frame_of(data)
    except Unfit as error:
        return f"{error.status} {error.code}"
    return "frame"
