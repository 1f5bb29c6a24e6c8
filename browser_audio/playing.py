"""What is said in one browser call: Say, Append and StopPlayback in, numbered frames and events of playbacks out.

Pure. Time is counted in ticks of 20 ms. A frame goes out per tick, and up to `LEAD_FRAMES` ahead of what a page can
have played, so that it has something to play while the network is late. What the caller heard is what the page says it
has played; a page that does not say so in `DEAF_TICKS` counts as having heard it all. After a stop the page tells how
far it had come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from browser_audio.sound import FRAME_BYTES, FRAME_MS
from protocol.items import Item, ItemHeard
from protocol.messages import Event, PlaybackFinished, PlaybackStarted, PlaybackState

LEAD_FRAMES: Final = 8
DEAF_TICKS: Final = 100
SETTLE_TICKS: Final = 15
"""A page that has not told by then how far it had come when it was stopped: what it told last counts."""
REMEMBERED: Final = 64
MADE_AHEAD: Final = 3
"""Items whose sound is made before their turn."""


class NothingToSay(ValueError):
    """What a command asks for cannot be said; the text says why."""


@dataclass
class ItemSound:
    """One item on its way. `sound` is made and not sent yet, `first` the number of its first frame."""

    item: Item
    language: str
    skip_ms: int = 0
    sound: bytearray = field(default_factory=bytearray)
    begun: bool = False
    """Its sound is being made."""
    whole: bool = False
    """Nothing more of it is made."""
    failed: bool = False
    first: int = -1
    sent: int = 0

    @property
    def is_sent(self) -> bool:
        """All of it is on its way."""
        return self.whole and not self.sound

    def next_frame(self) -> bytes:
        """20 ms of it; empty while they are not made. The end is filled with silence."""
        if len(self.sound) < FRAME_BYTES and not (self.whole and self.sound):
            return b""
        frame = bytes(self.sound[:FRAME_BYTES])
        del self.sound[:FRAME_BYTES]
        return frame + bytes(FRAME_BYTES - len(frame))

    def heard(self, played: int) -> ItemHeard:
        """What became of it, when the frames before number `played` were played."""
        frames = min(max(0, played - self.first), self.sent) if self.first >= 0 else 0
        heard_ms = self.skip_ms + frames * FRAME_MS if frames else 0
        if self.failed:
            return ItemHeard("failed", heard_ms)
        if self.is_sent and frames == self.sent:
            return ItemHeard("finished", heard_ms)
        return ItemHeard("stopped", heard_ms) if frames else ItemHeard("skipped")


@dataclass
class SpokenPlayback:
    """One Say with its Appends."""

    playback_id: str
    language: str
    items: list[ItemSound]
    open: bool
    began: bool = False
    end: int = 0
    """The number after its last frame."""

    @property
    def is_sent(self) -> bool:
        """All that was asked for is on its way, and nothing more will be asked for."""
        return not self.open and all(item.is_sent for item in self.items)

    def finished(self, call_id: str, at: float, state: PlaybackState, played: int) -> PlaybackFinished:
        """The report of its end."""
        heard = tuple(item.heard(played) for item in self.items)
        if state == "finished" and any(item.state == "failed" for item in heard):
            state = "failed"
        return PlaybackFinished(call_id, at, self.playback_id, state, sum(item.heard_ms for item in heard), heard)


@dataclass
class CallVoice:
    """The queue of one call. `played`: the frames before this number were heard, or dropped; `speaking`: the bot
    speaks, from the first frame to the end of what it has to say."""

    call_id: str
    queue: list[SpokenPlayback] = field(default_factory=list)
    stopped: list[SpokenPlayback] = field(default_factory=list)
    next_number: int = 0
    played: int = 0
    speaking: bool = False
    _budget: int = LEAD_FRAMES
    _deaf_ticks: int = 0
    _seen: list[str] = field(default_factory=list)

    def say(
        self, playback_id: str, language: str, items: Sequence[Item], offset_ms: int = 0, is_open: bool = False
    ) -> None:
        """Queues what a Say asks for; a command that comes twice is done once. Raises NothingToSay."""
        if playback_id in self._seen:
            return
        sounds = [ItemSound(item, language) for item in items]
        if sounds:
            sounds[0].skip_ms = offset_ms
        elif not is_open:
            raise NothingToSay("nothing to say")
        self._seen = [*self._seen, playback_id][-REMEMBERED:]
        self.queue.append(SpokenPlayback(playback_id, language, sounds, is_open))

    def append(self, playback_id: str, items: Sequence[Item], last: bool) -> None:
        """Adds to an open playback. Raises NothingToSay where it is not (any more)."""
        playback = next((one for one in self.queue if one.playback_id == playback_id and one.open), None)
        if playback is None:
            raise NothingToSay(f"playback {playback_id!r} is not open")
        playback.items += [ItemSound(item, playback.language) for item in items]
        playback.open = not last

    def to_make(self) -> list[ItemSound]:
        """Items whose sound is to be made from now on: their turn is near."""
        ahead = [item for playback in self.queue for item in playback.items if not item.is_sent][:MADE_AHEAD]
        fresh = [item for item in ahead if not item.begun]
        for item in fresh:
            item.begun = True
        return fresh

    def stop(self, at: float) -> tuple[int | None, list[Event]]:
        """Silences everything: the number of the first frame that the page may play again, None when it has nothing of
        ours; and what can be told at once. The rest is told by `settled`."""
        if not self.queue:
            return None, []
        self.stopped += self.queue
        self.queue = []
        self._deaf_ticks = 0
        if self.played >= self.next_number:  # the page has nothing
            return None, self.settled(self.played, at)
        return self.next_number, []

    def settled(self, played: int, at: float) -> list[Event]:
        """The page has stopped, and had played the frames before number `played`."""
        events: list[Event] = [
            playback.finished(self.call_id, at, "stopped", min(played, self.next_number)) for playback in self.stopped
        ]
        self.stopped = []
        self.played = self.next_number
        self._deaf_ticks = 0
        self._budget = LEAD_FRAMES
        self.speaking = self.speaking and bool(self.queue)
        return events

    def has_played(self, played: int, at: float) -> list[Event]:
        """The page has played the frames before number `played`."""
        if played > self.played:
            self.played = min(played, self.next_number)
            self._deaf_ticks = 0
        return self._over(at)

    def tick(self, at: float) -> tuple[list[bytes], list[Event]]:
        """20 ms went by: samples of the frames that go out now, the first with the number `next_number` before
        this; and what is to be told."""
        self._deaf_ticks += 1
        events: list[Event] = []
        if self.stopped:  # nothing goes out before the page has told how far it had come
            return [], self.settled(self.played, at) if self._deaf_ticks > SETTLE_TICKS else []
        self._budget = min(LEAD_FRAMES, self._budget + 1)
        frames: list[bytes] = []
        while self._budget and (found := self._next_frame(at, events)):
            frames.append(found)
            self._budget -= 1
        if frames:
            self._deaf_ticks = 0
        elif self._deaf_ticks > DEAF_TICKS and self.played < self.next_number:
            self.played = self.next_number
        return frames, events + self._over(at)

    def _next_frame(self, at: float, events: list[Event]) -> bytes:
        for playback in self.queue:
            for item in playback.items:
                if item.is_sent:
                    continue
                if not (frame := item.next_frame()):
                    return b""
                if item.first < 0:
                    item.first = self.next_number
                item.sent += 1
                self.next_number += 1
                playback.end = self.next_number
                self.speaking = True
                if not playback.began:
                    playback.began = True
                    events.append(PlaybackStarted(self.call_id, at, playback.playback_id))
                return frame
            if playback.open:
                return b""
        return b""

    def _over(self, at: float) -> list[Event]:
        """The playbacks at the head of the queue that were heard to their end."""
        events: list[Event] = []
        while self.queue and self.queue[0].is_sent and self.played >= self.queue[0].end:
            events.append(self.queue.pop(0).finished(self.call_id, at, "finished", self.played))
        if not self.queue and not self.stopped:
            self.speaking = False
        return events
