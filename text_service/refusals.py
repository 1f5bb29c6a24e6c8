"""What clients may send: names, lengths and forms, and how what does not fit is refused. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

MAX_BODY_BYTES: Final = 16 * 1024
"""Of a request's body and of a frame."""
MAX_QUERY: Final = 2_000
MAX_COMMENT: Final = 1_000
CLIENT: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
RatingValue: TypeAlias = Literal["up", "down"] | Annotated[int, Meta(ge=1, le=5)]
MessageId: TypeAlias = Annotated[str, Meta(max_length=200)]
Reference: TypeAlias = Annotated[str, Meta(max_length=64)]
Comment: TypeAlias = Annotated[str, Meta(max_length=MAX_COMMENT)]
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Unfit(Exception):
    """An answer that is an error. `status` is that of HTTP."""

    def __init__(self, status: int, code: str, detail: str, retry_after_s: int = 0) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.retry_after_s = status, code, detail, retry_after_s


def clean(text: str) -> str:
    """What was written, without control characters and the blanks around it."""
    return _CONTROL.sub(" ", text).strip()


def client_of(client_id: str) -> str:
    """The id of a client. Raises Unfit."""
    if not CLIENT.fullmatch(client_id):
        raise Unfit(422, "invalid_input", "client_id must be 8 to 64 letters, digits, - and _")
    return client_id


def query_of(text: str) -> str:
    """A query as it is asked. Raises Unfit."""
    cleaned = clean(text)
    if not cleaned:
        raise Unfit(422, "invalid_input", "query is empty")
    if len(cleaned) > MAX_QUERY:
        raise Unfit(413, "query_too_long", f"query has more than {MAX_QUERY} characters")
    return cleaned


def read(data: bytes | str, kind: Any) -> Any:
    """JSON as a value of this kind. Raises Unfit."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise Unfit(422, "invalid_input", str(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unfit(422, "invalid_input", f"no JSON: {error}") from None
