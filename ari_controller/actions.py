"""What a call's state machine wants done: values that the controller carries out. Pure: no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ari_controller.ari_requests import Request
from protocol.items import Item
from protocol.messages import Event


@dataclass(frozen=True)
class Send:
    """Tell the other services."""

    event: Event


@dataclass(frozen=True)
class Speak:
    """Share whether the bot speaks."""

    speaking: bool


@dataclass(frozen=True)
class Announce:
    """Share which source address the call's audio comes from; done before any later request of the media lane."""

    host: str
    port: int


@dataclass(frozen=True)
class Forget:
    """Take that back; done before the channel is deleted, as its port is used again at once."""

    host: str
    port: int


@dataclass(frozen=True)
class Pause:
    """Let so much time go by before the later requests of the control lane, which keep their order."""

    seconds: float


@dataclass(frozen=True)
class AtOnce:
    """Requests of the control lane whose order among them does not matter: sent without waiting for each other."""

    requests: tuple[Request, ...]


@dataclass(frozen=True)
class AwaitMedia:
    """Before the later requests of the control lane: wait until Asterisk knows where the caller's audio goes (a
    trunk may tell only after the answer), for `longest_s` at most."""

    channel_id: str
    longest_s: float


@dataclass(frozen=True)
class Synthesise:
    """Begin to make the sound of an item: of a text, or of the recording at `path`; without its first `skip_ms`."""

    feed_id: str
    item: Item
    language: str
    skip_ms: int = 0
    path: str = ""


@dataclass(frozen=True)
class HandOver:
    """Its turn has come: part files may be cut from now on, the first one at once. `dry`: nothing plays before it."""

    feed_id: str
    dry: bool = True


@dataclass(frozen=True)
class RanDry:
    """Asterisk has nothing to play any more, and waits for parts of it: from now on the caller hears silence."""

    feed_id: str


@dataclass(frozen=True)
class EndFeed:
    """Nobody wants it any more."""

    feed_id: str


@dataclass(frozen=True)
class EndFeeds:
    """The call is over: nothing is made for it any more, and its part files go."""


@dataclass(frozen=True)
class DropFile:
    """A part file was played."""

    file: str


@dataclass(frozen=True)
class Note:
    """A log record. `failed_leg` counts it as the failure of a media leg, `abandoned` as a call that nobody drives,
    `held` as a caller who was asked to wait, `unsaid` as an item that could not be said."""

    level: Literal["info", "warning", "error"]
    message: str
    fields: Mapping[str, object] = field(default_factory=dict)
    failed_leg: str = ""
    abandoned: str = ""
    held: bool = False
    unsaid: bool = False


SpeechAction: TypeAlias = Synthesise | HandOver | RanDry | EndFeed | EndFeeds | DropFile
CallAction: TypeAlias = Request | AtOnce | Send | Speak | Announce | Forget | Pause | AwaitMedia | SpeechAction | Note
