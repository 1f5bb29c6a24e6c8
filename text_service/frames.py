"""The frames of `/ws/text`: what browsers send, as values, and what they are sent, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from text_service.conversation import TextConversation, TextMessage
from text_service.refusals import (
    MAX_BODY_BYTES,
    MAX_QUERY,
    Comment,
    MessageId,
    RatingValue,
    Reference,
    Unfit,
    read,
)

MOST_WAITING: Final = 5
"""Queries of a socket that wait for the ones before."""


class HelloFrame(Struct, tag_field="type", tag="hello", forbid_unknown_fields=True):
    """The first frame. No `client_id`: one is made. `last_message_id`: the last message that is shown already. `link`:
    the secret of a link that a caller was sent."""

    client_id: str = ""
    last_message_id: MessageId = ""
    flow: Annotated[str, Meta(max_length=80)] = ""
    link: Annotated[str, Meta(max_length=64)] = ""


class QueryFrame(Struct, tag_field="type", tag="query", forbid_unknown_fields=True):
    """A query; sent again with its `ref`, it is not asked again."""

    ref: Annotated[str, Meta(min_length=1, max_length=64)]
    query: str


class FeedbackFrame(Struct, tag_field="type", tag="feedback", forbid_unknown_fields=True):
    """What a client thinks of an answer."""

    message_id: MessageId
    rating: RatingValue
    comment: Comment = ""


class TypingFrame(Struct, tag_field="type", tag="typing", forbid_unknown_fields=True):
    """The client is writing."""


class CancelFrame(Struct, tag_field="type", tag="cancel", forbid_unknown_fields=True):
    """A query that waits for the one before is not to be asked."""

    ref: Reference


class ForgetFrame(Struct, tag_field="type", tag="forget", forbid_unknown_fields=True):
    """A new conversation: this one ends, and what was written is forgotten."""


class PingFrame(Struct, tag_field="type", tag="ping", forbid_unknown_fields=True):
    """Is anybody there?"""


Frame: TypeAlias = HelloFrame | QueryFrame | FeedbackFrame | TypingFrame | CancelFrame | ForgetFrame | PingFrame


def frame_of(data: str | bytes | None) -> Frame:
    """What a browser sent. Raises Unfit for what is no frame."""
    if not isinstance(data, str):
        raise Unfit(422, "invalid_input", "frames are text")
    if len(data.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise Unfit(413, "query_too_long", f"a frame has more than {MAX_BODY_BYTES} bytes")
    frame: Frame = read(data, Frame)
    return frame


def shown_message(message: TextMessage) -> dict[str, Any]:
    """A message of the history."""
    shown = {"id": message.id, "role": message.role, "content": message.content, "at": round(message.at, 3)}
    return {**shown, "answered_by": message.answered_by} if message.answered_by else shown


def shown_answer(
    messages: Sequence[TextMessage], message_id: str, ended: str, elapsed_ms: int, client_id: str
) -> dict[str, Any]:
    """The whole answer to a query; `message_id` is that of the query, for where nothing was said."""
    return {
        "client_id": client_id,
        "message_id": messages[-1].id if messages else message_id,
        "response": "\n".join(message.content for message in messages),
        "cached": bool(messages) and all(message.answered_by == "cache" for message in messages),
        "elapsed_ms": elapsed_ms,
        "model": "person" if message_id.startswith("p-") else "flow",
        "ended": ended,
    }


def missed(now: TextConversation, last_message_id: str) -> tuple[TextMessage, ...]:
    """The messages after one; all of them where it is not known any more."""
    for back, message in enumerate(reversed(now.messages)):
        if message.id == last_message_id:
            return now.messages[len(now.messages) - back :]
    return now.messages


def welcome(now: TextConversation, last_message_id: str, query_rate: int) -> dict[str, Any]:
    """The answer to `hello`: what the client has missed, and what they may do."""
    return {
        "client_id": now.client_id,
        "messages": [shown_message(message) for message in missed(now, last_message_id)],
        "pending": now.pending,
        "ended": now.ended,
        "limits": {"query": MAX_QUERY, "queries_a_minute": query_rate, "waiting": MOST_WAITING},
    }


def frame_text(kind: str, **fields: Any) -> str:
    """A frame for a browser."""
    return msgspec.json.encode({"type": kind, **fields}).decode()
