"""When the sound that is made becomes a part file: soon, so that Asterisk plays on when we are not there. Pure.

Sound is int16 at 8 kHz. Parts are whole packets of 20 ms: Asterisk plays them one behind the other without a seam. The
first is cut at once. Until Asterisk has `AHEAD_S` to play, what was made is cut every `EVERY_S`; beyond, as late as it
can be, so that parts are few and a stop has few to remove.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

BYTES_A_MS: Final = 16
PACKET_BYTES: Final = 320
AHEAD_S: Final = 3.0
"""What Asterisk should have to play: about what a process that is started anew needs to come back."""
EVERY_S: Final = 0.5
MARGIN_S: Final = 0.1
"""At the latest before what was handed over runs out."""
LONGEST_S: Final = 5.0


@dataclass
class PartCutter:
    """One item's. Times are of any one clock, in seconds; `ends_s` is when what was handed over has been played."""

    ends_s: float
    whole: bool = False
    """Nothing more will come."""
    _held: bytearray = field(default_factory=bytearray)
    _cut_s: float = float("-inf")

    def add(self, data: bytes) -> None:
        """Sound that was made."""
        self._held += data

    @property
    def held_ms(self) -> int:
        """How much was made and not handed over."""
        return len(self._held) // BYTES_A_MS

    def wait_s(self, now_s: float) -> float | None:
        """How long until the next part is to be cut, 0: now; None: not before more comes."""
        if self.whole:
            return 0.0 if self._held else None
        if len(self._held) < PACKET_BYTES:
            return None
        if self.held_ms >= LONGEST_S * 1_000:
            return 0.0
        ahead_s = max(self.ends_s - AHEAD_S, self._cut_s + EVERY_S)
        return max(0.0, min(ahead_s, self.ends_s - MARGIN_S) - now_s)

    def part(self, now_s: float) -> bytes:
        """What is to be played now; the odd rest of a packet waits, at the end it is filled with silence."""
        size = len(self._held) // PACKET_BYTES * PACKET_BYTES
        if self.whole:
            missing = -len(self._held) % PACKET_BYTES
            self._held += bytes(missing)
            size = len(self._held)
        data = bytes(self._held[:size])
        del self._held[:size]
        self._cut_s = now_s
        self.ends_s = max(self.ends_s, now_s) + size / BYTES_A_MS / 1_000
        return data
