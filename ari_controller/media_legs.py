"""The legs beside the caller's channel: replies and events in, ARI requests and protocol events out. Pure.

StreamLegs carries the caller's audio to the receiver (snoop, external media, bridge), RecorderLeg records both sides.
Each is a small state machine with its own table; a leg that fails or dies is made anew a few times, and the call goes
on without it when that does not help. A leg enters Stasis a moment after the answer to its request, or before: only
then it may be bridged or recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ari_controller import ari_requests as ari
from ari_controller.actions import Announce, CallAction, Forget, Note, Send
from ari_controller.ari_errors import AriError, Conflict
from ari_controller.ari_events import source_of
from ari_controller.ari_requests import Request, Role
from protocol.messages import MediaStarted, RequestRefused

ENTER_TIMEOUT_S = 5.0
RETRY_AFTER_S = 1.0
ATTEMPTS = 3

LegState: TypeAlias = Literal["off", "starting", "running", "waiting", "given_up", "down"]
LegInput: TypeAlias = Literal["start", "ready", "failed", "too_often", "teardown"]

LEG_TRANSITIONS: dict[LegState, dict[LegInput, LegState]] = {
    "off": {"start": "starting", "teardown": "down"},
    "starting": {"ready": "running", "failed": "waiting", "too_often": "given_up", "teardown": "down"},
    "running": {"failed": "waiting", "too_often": "given_up", "teardown": "down"},
    "waiting": {"start": "starting", "teardown": "down"},
    "given_up": {"start": "starting", "teardown": "down"},
    "down": {},
}


@dataclass(frozen=True)
class Target:
    """Where the media goes: our Stasis application and the receiver's address."""

    app: str
    rtp_host: str
    rtp_port: int


@dataclass(frozen=True)
class Presence:
    """Which legs of a call Asterisk has, seen at `at` (seconds since the epoch)."""

    at: float
    legs: frozenset[Role]
    bridged: frozenset[Role]


@dataclass
class StreamLegs:
    """Snoop -> bridge -> external media -> receiver."""

    call_id: str
    channel_id: str
    target: Target
    state: LegState = "off"
    attempt: int = 0
    since: float = 0.0
    source: tuple[str, int] | None = None
    _entered: set[Role] = field(default_factory=set)
    _host: str = ""
    _bridging: bool = False

    def start(self, at: float) -> list[CallAction]:
        """Asks for both channels."""
        self._move("start", at)
        self.attempt += 1
        self.source, self._host, self._bridging = None, "", False
        self._entered.clear()
        target = self.target
        return [
            ari.snoop(self.channel_id, self.call_id, target.app),
            ari.external_media(self.call_id, target.app, target.rtp_host, target.rtp_port),
        ]

    def entered(self, role: Role, source: tuple[str, int] | None, at: float) -> list[CallAction]:
        """A leg is in Stasis; the external media leg may bring its source address."""
        if self.state != "starting":
            return []
        self._entered.add(role)
        self.source = self.source or source
        return self._bridge_when_ready(at)

    def replied(self, request: Request, body: Any, error: AriError | None, at: float) -> list[CallAction]:
        """The answer to one of our requests. One that could not delete says nothing about the legs made since."""
        if self.state != "starting" or request.method == "DELETE":
            return []
        match request.name:
            case "external_media" if error is None:
                self.source = self.source or source_of(body.get("channelvars") if isinstance(body, dict) else None)
                if self.source is None:
                    return [ari.source_variable(self.call_id, "ADDRESS"), ari.source_variable(self.call_id, "PORT")]
                return self._bridge_when_ready(at)
            case "source_address" | "source_port" if error is None:
                return self._learn(request.name, str(body.get("value", "")) if isinstance(body, dict) else "", at)
            case "bridge" if isinstance(error, Conflict):
                return []  # it is there already
            case "add_channel" if error is None:
                self._move("ready", at)
                return []
        return [] if error is None else self.fail(request.name, str(error), at)

    def left(self, role: Role, at: float) -> list[CallAction]:
        """A leg left Stasis although the call goes on."""
        return self.fail(role, "the channel ended", at) if self.state in ("starting", "running") else []

    def fail(self, leg: str, reason: str, at: float) -> list[CallAction]:
        """Takes down what there is, to try again later or never."""
        again = self.attempt < ATTEMPTS
        note = Note("warning", "media leg failed", {"leg": leg, "reason": reason, "attempt": self.attempt}, leg)
        actions = [note, *self._delete()]
        self._move("failed" if again else "too_often", at)
        if not again:
            actions.append(
                Send(RequestRefused(self.call_id, at, "Media", f"no audio from the caller: {leg}: {reason}"))
            )
        return actions

    def tick(self, at: float) -> list[CallAction]:
        """Time goes by: gives up waiting for Stasis, tries again."""
        if self.state == "starting" and at - self.since > ENTER_TIMEOUT_S:
            return self.fail("stasis", f"not bridged after {ENTER_TIMEOUT_S:g} s", at)
        if self.state == "waiting" and at - self.since > RETRY_AFTER_S:
            return self.start(at)
        return []

    def recheck(self, seen: Presence) -> list[CallAction]:
        """Compares with what Asterisk has after events were lost; the attempts are counted anew."""
        self.attempt = 0
        if self.state == "given_up":
            return self.start(seen.at)
        if self.state == "starting":
            return [
                action
                for role in ("snoop", "external_media")
                if role in seen.legs
                for action in self.entered(role, None, seen.at)
            ]
        if self.state == "running" and self.since < seen.at and not {"snoop", "external_media"} <= seen.bridged:
            return self.fail("bridge", "a leg is gone", seen.at)
        return []

    def teardown(self, at: float) -> list[CallAction]:
        """Deletes everything, whatever state it is in; deleting what is not there is done at once."""
        if self.state in ("off", "down"):
            self.state = "down"
            return []
        actions = self._delete()
        self._move("teardown", at)
        return actions

    def withdraw(self) -> list[CallAction]:
        """Takes the source address back."""
        return [Forget(*self.source)] if self.source else []

    def _learn(self, name: str, value: str, at: float) -> list[CallAction]:
        if name == "source_address":
            self._host = value
            return []
        self.source = source_of({"UNICASTRTP_LOCAL_ADDRESS": self._host, "UNICASTRTP_LOCAL_PORT": value})
        if self.source is None:
            return self.fail("external_media", "Asterisk does not tell where it sends from", at)
        return self._bridge_when_ready(at)

    def _bridge_when_ready(self, at: float) -> list[CallAction]:
        if self._bridging or self.source is None or not {"snoop", "external_media"} <= self._entered:
            return []
        self._bridging = True
        return [
            Announce(*self.source),
            Send(MediaStarted(self.call_id, at, *self.source)),
            ari.create_bridge(self.call_id, self.target.app),
            ari.add_to_bridge(self.call_id),
        ]

    def _delete(self) -> list[CallAction]:
        return [
            *self.withdraw(),
            ari.delete_channel(ari.external_media_id(self.call_id)),
            ari.delete_channel(ari.snoop_id(self.call_id)),
            ari.delete_bridge(ari.bridge_id(self.call_id)),
        ]

    def _move(self, step: LegInput, at: float) -> None:
        self.state, self.since = LEG_TRANSITIONS[self.state][step], at


@dataclass
class RecorderLeg:
    """Snoop of both sides -> file. Its file is closed a moment after the caller is gone."""

    call_id: str
    channel_id: str
    app: str
    state: LegState = "off"
    attempt: int = 0
    since: float = 0.0
    recorded: bool = False
    """A file was begun."""
    closed: bool = True
    """No file is open."""
    _asked: bool = False

    def start(self, at: float) -> list[CallAction]:
        """Asks for the channel."""
        self._move("start", at)
        self.attempt += 1
        self._asked = False
        return [ari.snoop_both(self.channel_id, self.call_id, self.app)]

    def entered(self) -> list[CallAction]:
        """The channel is in Stasis: record it."""
        if self.state != "starting" or self._asked:
            return []
        self._asked = True
        return [ari.record(self.call_id)]

    def replied(self, request: Request, error: AriError | None, at: float) -> list[CallAction]:
        """The answer to one of our requests. A conflict means that it is recorded already."""
        if request.name == "record" and (error is None or isinstance(error, Conflict)):
            self.recorded, self.closed = True, False
            if self.state == "starting":
                self._move("ready", at)
            return []
        if error is None or self.state != "starting":
            return []
        return self.fail(str(error), at)

    def over(self, failed: bool, cause: str, at: float) -> list[CallAction]:
        """The file is closed, or could not be written (disk full)."""
        self.closed = True
        return self.fail(f"recording failed: {cause}", at) if failed and self.state in ("starting", "running") else []

    def left(self, at: float) -> list[CallAction]:
        """The channel ended although the call goes on."""
        return self.fail("the channel ended", at) if self.state in ("starting", "running") else []

    def fail(self, reason: str, at: float) -> list[CallAction]:
        """The call goes on without, and tries again later or never."""
        again = self.attempt < ATTEMPTS
        fields = {"leg": "recording", "reason": reason, "attempt": self.attempt}
        self._move("failed" if again else "too_often", at)
        return [Note("error", "recording failed", fields, "recording"), *self._delete()]

    def tick(self, at: float) -> list[CallAction]:
        """Time goes by: gives up waiting for Stasis, tries again."""
        if self.state == "starting" and at - self.since > ENTER_TIMEOUT_S:
            return self.fail(f"not recorded after {ENTER_TIMEOUT_S:g} s", at)
        return self.start(at) if self.state == "waiting" and at - self.since > RETRY_AFTER_S else []

    def recheck(self, seen: Presence) -> list[CallAction]:
        """Compares with what Asterisk has after events were lost; the attempts are counted anew."""
        self.attempt = 0
        if self.state == "given_up":
            return self.start(seen.at)
        if self.state == "starting" and "recording" in seen.legs:
            return self.entered()
        if self.state == "running" and self.since < seen.at and "recording" not in seen.legs:
            self.closed = True
            return self.fail("the channel is gone", seen.at)
        return []

    def teardown(self, at: float) -> list[CallAction]:
        """Deletes the channel; Asterisk closes the file."""
        if self.state in ("off", "down"):
            self.state = "down"
            return []
        self._move("teardown", at)
        return self._delete()

    def _delete(self) -> list[CallAction]:
        return [ari.delete_channel(ari.recorder_id(self.call_id))]

    def _move(self, step: LegInput, at: float) -> None:
        self.state, self.since = LEG_TRANSITIONS[self.state][step], at
