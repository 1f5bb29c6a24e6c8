"""Calls that this process begins to hear: what is known of them is read, and the media thread is told.

Another process may have heard the call before. This one goes on counting where that one stopped. When that one died in
an utterance, what is heard first is the rest of it: that is no answer and is left out, and RecognitionFailed(restart)
makes the dialogue ask again. Nothing of this is done for an utterance whose end the other process still tells.

When nobody heard for a while, a caller who was to answer may have done so: they are asked again, too, if they are
heard in the middle of it or stay silent. When nobody heard for a moment only, they may have said a short answer in it:
they are asked again if they stay silent for long.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError

from protocol.codec import BadMessage, decode
from protocol.keys import speaking_key
from protocol.messages import Listen, RecognitionFailed
from rtp_receiver import metrics
from rtp_receiver.call_lines import Audible, Silent
from rtp_receiver.call_stream import Confirmed, Segment, StreamEvent
from rtp_receiver.kept_state import OF_CALL, KeptState, kept_utterance, read_utterance
from rtp_receiver.media_thread import MediaThread
from rtp_receiver.sources import Address

log = logging.getLogger("pronto.receiver")

TAKEN_UP_S = 0.7  # the process before us, should it live, has told the end of what it heard by then
REDIS_WAIT_S = 0.5
HEARING_EVERY_S = 0.25
DEAF_S = 0.75  # callers who were heard by nobody for longer may have answered meanwhile
TAKES_UP_S = 5.0  # after the start
IN_THE_MIDDLE_S = 0.4  # who is heard speaking so soon has begun before
ANSWERED_S = 1.2  # who is silent for so long has answered before, or takes their time
ANSWERED_IN_A_MOMENT_S = 2.0  # so long few think before they answer


@dataclass(slots=True)
class KnownCall:
    """What is known of a call apart from its audio."""

    listen: Listen | None = None
    speaking: bool = False
    utterance: int = 0
    """The newest that was confirmed here."""


@dataclass(slots=True)
class _Rest:
    """What is heard of a call whose utterance began with the process before us. `open`: speech that begins now is the
    rest of that utterance and no answer; `utterances` are those that began so."""

    open: bool = True
    utterances: set[int] = field(default_factory=set)


class TakeOver:
    """All calls of this process, from the first that is known of them until `forget`."""

    def __init__(
        self,
        state: KeptState,
        media: MediaThread,
        receiver_id: str,
        tell: Callable[[RecognitionFailed], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._state = state
        self._media = media
        self._receiver_id = receiver_id
        self._tell = tell
        self._spawn = spawn
        self._adopted: set[str] = set()
        self._rests: dict[str, _Rest] = {}
        self._deaf_calls_until = 0.0
        self._deaf_for_a_moment = False

    async def look_back(self, follows: bool) -> None:
        """Before anything is heard: whether the process before us went a while ago, or, as this one `follows` it, just
        now."""
        try:
            async with asyncio.timeout(REDIS_WAIT_S):
                ago_s = await self._state.heard_ago_s(self._receiver_id)
            if ago_s is not None and (follows or ago_s > DEAF_S):
                self._deaf_calls_until = time.monotonic() + TAKES_UP_S
                self._deaf_for_a_moment = ago_s <= DEAF_S
        except (RedisError, OSError) as error:
            log.warning("state not read", extra={"error": repr(error)})

    async def note_hearing(self) -> None:
        """Keeps until when this process heard, for ever."""
        while True:
            self._state.put_hearing(self._receiver_id, str(time.time()))
            await asyncio.sleep(HEARING_EVERY_S)

    async def adopt(self, source: Address, call_id: str, call: KnownCall) -> None:
        """Begins to receive a call from `source`, with what `call` knows of it, or Redis; `call` knows it then, too."""
        speaking_before = call.speaking
        taken_up, number, turn, who = call_id not in self._adopted, 0, None, None
        self._adopted.add(call_id)
        try:
            async with asyncio.timeout(REDIS_WAIT_S):
                stored, last, who, speaking = await self._state.values(
                    *(self._state.key(name, call_id) for name in OF_CALL), speaking_key(call_id)
                )
            number, turn = read_utterance(last)
            if call.listen is None:
                call.listen = _listen_in(stored)
            turn = _still_open(turn, call.listen)
            if call.speaking == speaking_before:  # else the subscription told us meanwhile
                call.speaking = speaking == "True"
        except (RedisError, OSError, BadMessage) as error:
            log.warning("state not read", extra={"call_id": call_id, "error": repr(error)})
        if call_id not in self._adopted:
            return
        was_deaf = who == self._receiver_id and time.monotonic() < self._deaf_calls_until
        maybe = None  # a call that may have begun an utterance while nobody heard it
        if taken_up and turn is None and was_deaf and call.listen is not None and not call.speaking:
            number, turn, maybe = number + 1, call.listen.turn, call
            self._state.put("utterance", call_id, kept_utterance(number, turn))
        self._media.assign(source, call_id, call.listen, call.speaking, number + 1)
        if taken_up and turn is not None:
            self._expect_rest(call_id, number, turn, maybe)

    async def begin_to_hear(self, call_id: str) -> None:
        """Packets come here, perhaps because the receiver process that heard the call before is gone."""
        try:
            who = await self._state.get("hears", call_id)
            if who not in (None, self._receiver_id):
                number, turn = read_utterance(await self._state.get("utterance", call_id))
                turn = _still_open(turn, _listen_in(await self._state.get("listen", call_id)))
                self._media.continue_after(call_id, number)
                metrics.TAKEN_OVER.inc()
                log.info("call taken over", extra={"call_id": call_id, "from": who})
                if turn is not None:
                    self._expect_rest(call_id, number, turn)
        except (RedisError, OSError, BadMessage) as error:
            log.warning("state not read", extra={"call_id": call_id, "error": repr(error)})
        if call_id in self._adopted:
            self._state.put("hears", call_id, self._receiver_id)

    def is_rest(self, call_id: str, heard: StreamEvent | Silent | Audible) -> bool:
        """Whether this is the rest of an utterance whose beginning was lost with the process before us."""
        rest = self._rests.get(call_id)
        if rest is None or not isinstance(heard, Confirmed | Segment):
            return False
        if rest.open:
            rest.utterances.add(heard.utterance)
        if heard.utterance not in rest.utterances:
            return False
        metrics.IGNORED.labels("cut_off").inc()
        return True

    def forget(self, call_id: str) -> None:
        """The call is over."""
        self._adopted.discard(call_id)
        self._rests.pop(call_id, None)

    def _expect_rest(self, call_id: str, number: int, turn: int, maybe: KnownCall | None = None) -> None:
        self._rests[call_id] = _Rest(open=not (maybe and self._deaf_for_a_moment))
        self._spawn(self._cut_off(call_id, number, turn, maybe))

    async def _cut_off(self, call_id: str, number: int, turn: int, maybe: KnownCall | None) -> None:
        """An utterance began with the process before us: if that was killed in it, the caller must be asked again. So
        must one who `maybe` answered while nobody heard them, unless the bot speaks by now."""
        rest = self._rests[call_id]
        if maybe and self._deaf_for_a_moment:
            await asyncio.sleep(ANSWERED_IN_A_MOMENT_S)  # what they say by then has a number of its own
        else:
            await asyncio.sleep(IN_THE_MIDDLE_S if maybe else TAKEN_UP_S)
            rest.open = False
            if maybe and not rest.utterances:
                await asyncio.sleep(ANSWERED_S - IN_THE_MIDDLE_S)
        try:
            now = read_utterance(await self._state.get("utterance", call_id))
        except (RedisError, OSError, BadMessage) as error:
            log.warning("state not read", extra={"call_id": call_id, "error": repr(error)})
            return
        if maybe is not None and maybe.speaking:
            self._state.put("utterance", call_id, kept_utterance(number, None))
        elif now == (number, turn) and call_id in self._adopted:
            metrics.CUT_OFF.inc()
            log.warning("utterance cut off by a restart", extra={"call_id": call_id, "turn": turn})
            self._tell(RecognitionFailed(call_id, time.time(), turn, number, "restart"))


def _listen_in(stored: str | None) -> Listen | None:
    """A stored Listen. Raises BadMessage."""
    found = decode(stored) if stored is not None else None
    return found if isinstance(found, Listen) else None


def _still_open(turn: int | None, listen: Listen | None) -> int | None:
    """The turn of an utterance that began before us; None where another question was asked since: it was answered
    before its end, by what was guessed of it, and what is heard now is an answer of its own."""
    return turn if listen is None or turn == listen.turn else None
