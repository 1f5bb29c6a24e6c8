"""The id of a call: unique over cells and years, in the order of time, fit for a key, a path and a file name.

`<cell>-<ULID>`: 48 bits of milliseconds since the epoch and 80 random bits in Crockford's base 32, lower case
(github.com/ulid/spec). It has nothing to do with the id that Asterisk gives the caller's channel: a caller whom the
dialplan sends back comes on the same channel and is another call.
"""

from __future__ import annotations

import re

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_OURS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}-[0-9a-hjkmnp-tv-z]{26}")
_FIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
RANDOM_BYTES = 10
ULID = 26
TEXT = "-text"
"""What the name of a cell is followed by in the ids of its conversations in writing."""
BROWSER = "-browser"
"""And in those of its calls from web pages."""


def new_call_id(cell: str, at_ms: int, random: bytes) -> str:
    """The id of a call that begins now: `at_ms` since the epoch, `random` has 10 bytes (os.urandom)."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes are needed, not {len(random)}")
    number = (at_ms & (2**48 - 1)) << 80 | int.from_bytes(random)
    return f"{cell}-" + "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def cell_of(call_id: str) -> str:
    """Where an id was made; empty for one that `new_call_id` did not make."""
    return call_id[: -(ULID + 1)] if is_call_id(call_id) else ""


def is_call_id(text: str) -> bool:
    """Whether `new_call_id` made this."""
    return bool(_OURS.fullmatch(text))


def is_fit(text: str) -> bool:
    """Whether a text may stand where the id of a call stands: also ids of earlier releases (Asterisk's channel ids)."""
    return bool(_FIT.fullmatch(text)) and ".." not in text
