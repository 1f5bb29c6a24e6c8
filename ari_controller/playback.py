"""One Say with its Appends, and the ARI playbacks that it is made of. Pure: values, stored with the call.

What is said is a list of items. Recorded ones are played by the file, up to twenty in one ARI playback; of speech that
is made at run time, and of the rest of a recording that was cut, comes one part file after the other (a feed).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.items import Item, ItemHeard, ItemState
from protocol.messages import PlaybackState

PACKET_MS = 20
NO_PLACE = -1
"""Of a file that is no item: what is said where one could not be."""


@dataclass
class Part:
    """One ARI playback. `places` are the places of its items in the playback, one file each; `began_ms` Asterisk's
    clock at the first packet of each file that began, 0 where that is not known; `offset_ms` of the first file are
    skipped.

    `file`: a part file of ours, `ms` long, that is removed when it was played.
    """

    part_id: str
    places: list[int]
    offset_ms: int = 0
    began_ms: list[int] = field(default_factory=list)
    stopping: bool = False
    asked_at: float | None = None
    """Since when it is not known whether Asterisk took it: the request had no answer. None while that is known."""
    media: list[str] = field(default_factory=list)
    file: str = ""
    ms: int = 0

    def began(self, media: str, at_ms: int) -> None:
        """A file of it started, by its name; without one it is the next. Those that events were lost of have a 0."""
        index = len(self.began_ms)
        if media and media in self.media[index:]:
            index = self.media.index(media, index)
        if index < len(self.places):
            self.began_ms += [0] * (index - len(self.began_ms)) + [at_ms]

    def heard(self, now_ms: int, end: PlaybackState) -> dict[int, ItemHeard]:
        """What became of each item, by its place, when the part is over at `now_ms`.

        A file that began and was over within half a packet was not there: Asterisk tells no other way.
        """
        found: dict[int, ItemHeard] = {}
        for index, place in enumerate(self.places):
            begin = self.began_ms[index] if index < len(self.began_ms) else 0
            later = [at for at in self.began_ms[index + 1 :] if at]
            state: ItemState = "finished" if later else end
            if not begin:
                # Asterisk tells of the end what it did not tell of the beginning: after lost events it was heard
                found[place] = ItemHeard("skipped" if state == "stopped" else state)
                continue
            span_ms = max(0, (later[0] if later else now_ms) - begin)
            if span_ms < PACKET_MS // 2 and state == "finished" and not self.file and not self.offset_ms:
                found[place] = ItemHeard("failed")
                continue
            found[place] = ItemHeard(state, self._to_packets(span_ms + (self.offset_ms if index == 0 else 0)))
        return found

    def _to_packets(self, heard_ms: int) -> int:
        """Of a part file: Asterisk tells of its end up to a packet too early, and of its own silence too."""
        return min(self.ms, (heard_ms // PACKET_MS + 1) * PACKET_MS) if self.ms else heard_ms


@dataclass
class Waiting:
    """An item whose turn has not come. `begun`: its sound is being made already."""

    place: int
    item: Item
    language: str
    skip_ms: int = 0
    begun: bool = False


@dataclass
class Feed:
    """An item whose turn it is and of which part files come. `handed_ms` of it were handed over for playing, the
    `skip_ms` before them not counted; `voice` said them."""

    feed_id: str
    place: int
    item: Item
    language: str
    skip_ms: int = 0
    handed_ms: int = 0
    voice: str = ""


@dataclass
class ItemProgress:
    """What is known of an item with a feed: how much of it was heard, and how it ended if not well."""

    place: int
    heard_ms: int = 0
    end: ItemState = "finished"


@dataclass
class Playback:
    """One Say on its way. `heard` tells of each item what became of it, None while it is to come or plays.

    `own`: said by the controller itself (busy, apology); the bot is not told. `open`: more will be appended.
    """

    playback_id: str
    own: bool = False
    open: bool = False
    began: bool = False
    state: PlaybackState = "finished"
    parts: list[Part] = field(default_factory=list)
    heard: list[ItemHeard | None] = field(default_factory=list)
    parts_made: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    feed: Feed | None = None
    spoken: list[ItemProgress] = field(default_factory=list)
    apologised: bool = False

    @property
    def handed_over(self) -> bool:
        """All that was asked for so far is in Asterisk's queue."""
        return self.feed is None and not self.waiting

    @property
    def over(self) -> bool:
        """Everything was said, one way or the other."""
        return not self.parts and not self.open and self.handed_over

    def next_part_id(self) -> str:
        """The first part is called as the playback is."""
        number, self.parts_made = self.parts_made, self.parts_made + 1
        return self.playback_id if number == 0 else f"{self.playback_id}.{number}"

    def spoken_at(self, place: int) -> ItemProgress | None:
        """What is known of an item with a feed."""
        return next((spoken for spoken in self.spoken if spoken.place == place), None)
