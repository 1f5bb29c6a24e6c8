"""Finds the intents of one call's utterances without holding the call up: at most one question is under way.

A guess and the transcript after it are mostly the same text: the transcript then uses the guess's answer, or waits for
the one that is under way. A newer text ends the question about the older one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot_manager import metrics
from bot_manager.intents import IntentAnswer, IntentClient, IntentError
from dialogue.events import Understood
from protocol.messages import UtteranceGuessed, UtteranceTranscribed

Heard: TypeAlias = UtteranceGuessed | UtteranceTranscribed


@dataclass(frozen=True)
class Answered:
    """What came of a question: the text it was about, and the answer or the error. `final`: a whole utterance."""

    message: Heard
    answer: IntentAnswer | None
    error: IntentError | None = None

    @property
    def final(self) -> bool:
        """Whether this is about the whole utterance, not about a guess."""
        return isinstance(self.message, UtteranceTranscribed)


class Understanding:
    """The questions of one call; `report` is called with each answer, on the event loop."""

    def __init__(self, client: IntentClient, language: str, report: Callable[[Answered], None]) -> None:
        self._client = client
        self._language = language
        self._report = report
        self._asked: Heard | None = None
        self._task: asyncio.Task[None] | None = None
        self._last: Answered | None = None

    @property
    def pending(self) -> UtteranceTranscribed | None:
        """The whole utterance whose answer is awaited, None when there is none."""
        return self._asked if isinstance(self._asked, UtteranceTranscribed) else None

    def known(self, message: Heard) -> IntentAnswer | None:
        """The answer for exactly this text, when the guess before it got one already."""
        last = self._last
        if last is None or last.answer is None or not _same(last.message, message):
            return None
        metrics.LOOKUPS.labels("reused").inc()
        return last.answer

    def ask(self, message: Heard, allowed: tuple[str, ...]) -> None:
        """Begins to find the intent of a text, or goes on finding it."""
        if self._asked is not None and _same(self._asked, message):
            self._asked = message  # the guess was right: its answer counts for the whole
            metrics.LOOKUPS.labels("shared").inc()
            return
        self.cancel()
        self._asked = message
        self._task = asyncio.create_task(self._find(message, allowed))
        metrics.LOOKUPS.labels("asked").inc()

    def cancel(self) -> None:
        """Ends what is under way; nothing is reported of it."""
        if self._task is not None:
            self._task.cancel()
            self._task, self._asked = None, None
            metrics.LOOKUPS.labels("cancelled").inc()

    async def _find(self, message: Heard, allowed: tuple[str, ...]) -> None:
        answer, error = None, None
        try:
            answer = await self._client.ask(message.text, self._language, allowed)
        except IntentError as failure:
            error = failure
        found = Answered(self._asked or message, answer, error)
        self._last, self._asked, self._task = found, None, None
        self._report(found)


def is_aside(message: Heard) -> bool:
    """Whether this is doubtful speech that the prompt goes on under."""
    return isinstance(message, UtteranceTranscribed) and message.aside


def understood(message: Heard, answer: IntentAnswer, at: float) -> Understood:
    """What the dialogue is told of a text and the answer to it."""
    return Understood(
        at,
        message.turn,
        message.utterance,
        message.text,
        message.confidence,
        answer.intent,
        answer.score,
        answer.faq_set,
        answer.fallback,
        final=isinstance(message, UtteranceTranscribed),
        revision=message.revision if isinstance(message, UtteranceGuessed) else 0,
        aside=is_aside(message),
    )


def _same(one: Heard, other: Heard) -> bool:
    return one.turn == other.turn and one.utterance == other.utterance and one.text == other.text
