"""The answer cache: what was said to the same words in the same place of the same flow, by anybody. Pure.

Only answers that hold nothing of a client are kept. An answer may be kept when all of this holds:

- It is a function of the flow and of what the client has written in this conversation, and of nothing else: the flow
  asks no other system and no clock (`FlowNote.is_plain`), and a conversation in writing begins with no number and no
  facts.
- All that was written in this conversation, from its first query on, is in the key; the same words in another place of
  the conversation, or after other ones, have another key.
- Everything that was said is recorded prompts that the flow's file names. What is composed while somebody writes (a
  value that is read back, a name, a time) is not.
- No query of the conversation has a digit or more than MOST_SIGNS signs: those are about somebody. So nobody learns by
  `cached` either whether another one wrote their number.
- The conversation goes on.

Keys are hashes: no query is kept.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from text_service.conversation import TextConversation, TextMessage

MOST_ANSWERS: Final = 1_000
KEPT_S: Final = 3_600.0
MOST_SIGNS: Final = 80
MOST_QUERIES: Final = 10
_END: Final = re.compile(r"[\s.,;:!?…]+$")
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True)
class FlowNote:
    """What the cache needs of a flow: a version that changes with every edit of what it says or understands, whether it
    asks nothing of the world, and the prompts that its file names."""

    version: str
    is_plain: bool
    prompts: frozenset[str]


def normalised(query: str) -> str:
    """A query without what makes no difference: capitals, blanks, the sign at its end."""
    return _END.sub("", _BLANKS.sub(" ", query.casefold()).strip())


def queries_of(now: TextConversation) -> tuple[str, ...]:
    """What was written in this conversation so far."""
    return tuple(message.content for message in _of_this(now) if message.role == "user")


def answer_key(flow: str, version: str, queries: Sequence[str]) -> str:
    """Under which the answer to the last one of these queries is kept; empty where none may be."""
    if not 1 <= len(queries) <= MOST_QUERIES:
        return ""
    if any(len(query) > MOST_SIGNS or any(sign.isnumeric() for sign in query) for query in queries):
        return ""
    parts = [flow, version, *(normalised(query) for query in queries)]
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def to_keep(now: TextConversation, note: FlowNote, message_id: str) -> tuple[str, tuple[str, ...]]:
    """The key and the texts of the answer to a query that was just answered; an empty key where it may not be kept."""
    mine = _of_this(now)
    said = [message for message in mine if message.role == "assistant"]
    texts = tuple(message.content for message in said if message.answers == message_id)
    fits = note.is_plain and now.goes_on and texts and all(message.prompts for message in said)
    if not fits or not all(set(message.prompts) <= note.prompts for message in said):
        return "", ()
    return answer_key(now.flow, note.version, queries_of(now)), texts


def _of_this(now: TextConversation) -> list[TextMessage]:
    """The messages of the conversation that goes on, without those of the ones before it."""
    queries = {message.id for message in now.messages if message.id.startswith(f"q-{now.call_id}-")}
    return [message for message in now.messages if message.id in queries or message.answers in queries]


class AnswerCache:
    """Answers by key; of too many the one that was used longest ago goes. Times are seconds of any clock."""

    def __init__(self, most: int = MOST_ANSWERS, kept_s: float = KEPT_S) -> None:
        self._most = most
        self._kept_s = kept_s
        self._answers: OrderedDict[str, tuple[tuple[str, ...], str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str, at_s: float) -> tuple[str, ...]:
        """The texts of an answer; none where there is no such answer any more."""
        texts, _, since_s = self._answers.get(key, ((), "", 0.0))
        if texts and at_s - since_s >= self._kept_s:
            del self._answers[key]
            return ()
        if texts:
            self._answers.move_to_end(key)
        return texts

    def keep(self, key: str, texts: tuple[str, ...], client_id: str, at_s: float) -> None:
        """Keeps an answer that a client was given."""
        self._answers[key] = (texts, hashlib.sha256(client_id.encode()).hexdigest(), at_s)
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def forget(self, client_id: str) -> None:
        """Nothing is kept any more that this client was given."""
        whose = hashlib.sha256(client_id.encode()).hexdigest()
        for key in [key for key, answer in self._answers.items() if answer[1] == whose]:
            del self._answers[key]
