"""What a call's state machine wants done: values that the controller carries out. Pure: no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ari_controller.ari_requests import Request
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
class Note:
    """A log record. `failed_leg` counts it as the failure of a media leg, `abandoned` as a call that nobody drives,
    `held` as a caller who was asked to wait."""

    level: Literal["info", "warning", "error"]
    message: str
    fields: Mapping[str, object] = field(default_factory=dict)
    failed_leg: str = ""
    abandoned: str = ""
    held: bool = False


CallAction: TypeAlias = Request | Send | Speak | Announce | Forget | Note
