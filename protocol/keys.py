"""Every key that Pronto has in Redis, and how long each lives. Nobody else writes a key's name.

| key | what |
|---|---|
| `pronto:<cell>:events`, `...:commands` | the two streams of the bus |
| `pronto:<cell>:position:<consumer>:<stream>` | where a reader stopped |
| `pronto:<cell>:draining` | the service because of which new calls are refused |
| `pronto:<cell>:strain` | hash: how near each service is to what it can carry |
| `pronto:<cell>:writable:<service>` | nothing: written to see whether Redis takes it |
| `pronto:<cell>:controller` | the controller that signed last |
| `pronto:<cell>:lease:<role>`, `...:fence:<role>`, `...:committed:<role>` | who does a job of the cell alone |
| `pronto:<cell>:driven` | sorted set: which calls a bot manager drives, until when (ms of Redis' clock) |
| `pronto:call:<call_id>` | the conversation of a call, for the next bot manager |
| `pronto:<cell>:legs:<call_id>` | the legs of a call, for the next controller |
| `pronto:<cell>:media:<host>:<port>` | the call that an RTP source belongs to |
| `pronto:<cell>:listen:<call_id>`, `...:utterance:...`, `...:hears:...` | what the next receiver needs of a call |
| `pronto:<cell>:hearing:<receiver_id>` | until when a receiver heard |
| `pronto:<cell>:text:<client_id>` | a conversation in writing |
| `pronto:<cell>:text_of:<call_id>` | whose conversation that is |
| `pronto:<cell>:text_resting` | sorted set: the clients whose conversations go on, by when something was last said |
| `pronto:<cell>:text_outgoing` | set: the clients of whom a person's system is still to be told something |
| `pronto:<cell>:text_link:<hash>`, `...:<hash>:owner` | what a link leads to; the client who opened it |
| `pronto:<cell>:browser_calls` | sorted set: the calls from web pages, until when they live (ms of Redis' clock) |
| `bot_speaking:<call_id>` | whether the bot speaks; changes are published on the channel `bot_speaking` |
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Stream: TypeAlias = Literal["events", "commands"]
OfCall: TypeAlias = Literal["listen", "utterance", "hears"]

STREAM_LENGTH = 20_000
"""Entries kept; about 20 minutes of 100 busy calls. What was read is in the consumers' hands."""
POSITION_EXPIRY_S = 7 * 86_400
DRAINING_EXPIRY_S = 5
WRITABLE_EXPIRY_S = 60
STRAIN_EXPIRY_S = 60
CONTROLLER_EXPIRY_S = 86_400
DRIVEN_EXPIRY_S = 86_400
CALL_EXPIRY_S = 4 * 3_600
"""Longer than any call."""
OVER_EXPIRY_S = 900
"""An ended call is remembered so long: its first event may be seen again after a crash."""
LEGS_EXPIRY_S = 3_600
RECEIVER_EXPIRY_S = 6 * 3_600
MEDIA_EXPIRY_S = 6 * 3_600
SPEAKING_EXPIRY_S = 3_600
SPEAKING_CHANNEL = "bot_speaking"


def stream_key(cell: str, stream: Stream) -> str:
    """A stream of the bus."""
    return f"pronto:{cell}:{stream}"


def position_key(cell: str, stream: Stream, consumer: str) -> str:
    """How far a consumer has dealt with a stream."""
    return f"pronto:{cell}:position:{consumer}:{stream}"


def draining_key(cell: str) -> str:
    """The service that wants no new calls."""
    return f"pronto:{cell}:draining"


def strain_key(cell: str) -> str:
    """How near the services are to what they can carry."""
    return f"pronto:{cell}:strain"


def writable_key(cell: str, service: str) -> str:
    """What a service writes to see whether Redis takes it."""
    return f"pronto:{cell}:writable:{service}"


def controller_key(cell: str) -> str:
    """The controller that signed last."""
    return f"pronto:{cell}:controller"


def lease_key(cell: str, role: str) -> str:
    """The fencing number of who does a job now; it expires when that one stops renewing it."""
    return f"pronto:{cell}:lease:{role}"


def fence_key(cell: str, role: str) -> str:
    """The last fencing number that was given for a job."""
    return f"pronto:{cell}:fence:{role}"


def committed_key(cell: str, role: str) -> str:
    """`<fencing number>:<serial>` of the last commit: one that is sent again is not done again."""
    return f"pronto:{cell}:committed:{role}"


def driven_key(cell: str) -> str:
    """Which calls are driven, until when."""
    return f"pronto:{cell}:driven"


def call_key(call_id: str) -> str:
    """The conversation of a call."""
    return f"pronto:call:{call_id}"


def legs_key(cell: str, call_id: str) -> str:
    """The legs of a call."""
    return f"pronto:{cell}:legs:{call_id}"


def media_key(cell: str, host: str, port: int) -> str:
    """The call of an RTP source."""
    return f"pronto:{cell}:media:{host}:{port}"


def receiver_key(cell: str, name: OfCall, call_id: str) -> str:
    """What the next receiver needs of a call."""
    return f"pronto:{cell}:{name}:{call_id}"


def hearing_key(cell: str, receiver_id: str) -> str:
    """Until when a receiver heard."""
    return f"pronto:{cell}:hearing:{receiver_id}"


def text_key(cell: str, client_id: str) -> str:
    """What a client and the bot have written to each other."""
    return f"pronto:{cell}:text:{client_id}"


def text_of_key(cell: str, call_id: str) -> str:
    """The client of a conversation in writing."""
    return f"pronto:{cell}:text_of:{call_id}"


def text_resting_key(cell: str) -> str:
    """Who is in a conversation, by when something was last said."""
    return f"pronto:{cell}:text_resting"


def text_outgoing_key(cell: str) -> str:
    """Of whose conversations something is still to be told to a person's system."""
    return f"pronto:{cell}:text_outgoing"


def text_link_key(cell: str, name: str) -> str:
    """What a link that a caller was sent leads to, by the hash of its secret."""
    return f"pronto:{cell}:text_link:{name}"


def text_link_owner_key(cell: str, name: str) -> str:
    """The client who opened it first."""
    return f"pronto:{cell}:text_link:{name}:owner"


def browser_calls_key(cell: str) -> str:
    """The calls from web pages, until when they count as live."""
    return f"pronto:{cell}:browser_calls"


def speaking_key(call_id: str) -> str:
    """Whether the bot speaks: "True" or "False"."""
    return f"bot_speaking:{call_id}"
