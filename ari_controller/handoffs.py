"""What becomes of callers who were handed over: Asterisk's dial events in, results of hand-offs out. Pure.

A caller who leaves to the dialplan is nobody's call any more; that somebody answered, or that they gave up while it
rang, is told by events of their channel, which the application stays subscribed to. When nobody takes the call, the
dialplan sends the caller back to us with Asterisk's DIALSTATUS.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from protocol.messages import HandoffResult

MOST = 5_000
ADVISER, CALL_BEFORE = "adviser", "call_before"
"""Facts of a call that came back: what became of the hand-off, and the call that was handed over."""
RESULTS: dict[str, HandoffResult] = {
    "ANSWER": "answered",
    "BUSY": "busy",
    "DECLINED": "declined",
    "NOANSWER": "no_answer",
    "CHANUNAVAIL": "unreachable",
    "CONGESTION": "unreachable",
    "CANCEL": "given_up",
}


def result_of(status: str) -> HandoffResult:
    """What a DIALSTATUS says of a hand-off."""
    return RESULTS.get(status, "other")


def facts(args: Sequence[str]) -> dict[str, str]:
    """The `name=value` facts among the arguments of Stasis(), which follow the flow."""
    found = {name: value for name, sign, value in (arg.partition("=") for arg in args[1:]) if sign}
    if ADVISER in found:
        found[ADVISER] = result_of(found[ADVISER])
    return found


@dataclass
class Handoffs:
    """The callers who are in the dialplan, by their channels, as long as it is open who takes them."""

    calls: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """Channel of a caller -> the call that was handed over."""
    ringing: set[str] = field(default_factory=set)
    """Channels for which somebody is rung."""

    def began(self, channel_id: str, call_id: str) -> None:
        """A caller left to the dialplan."""
        self.calls[channel_id] = call_id
        while len(self.calls) > MOST:
            self.ringing.discard(self.calls.popitem(last=False)[0])

    def dialled(self, channel_id: str, status: str) -> str:
        """Somebody is rung, or has answered: the call that is over with that, else nothing."""
        if channel_id not in self.calls:
            return ""
        if status != "ANSWER":
            self.ringing.add(channel_id)
            return ""
        return self._settled(channel_id)

    def gone(self, channel_id: str) -> str:
        """The channel is gone: the call whose caller gave up while somebody was rung, else nothing."""
        rang = channel_id in self.ringing
        call_id = self._settled(channel_id)
        return call_id if rang else ""

    def returned(self, channel_id: str) -> None:
        """The caller is back."""
        self._settled(channel_id)

    def _settled(self, channel_id: str) -> str:
        self.ringing.discard(channel_id)
        return self.calls.pop(channel_id, "")
