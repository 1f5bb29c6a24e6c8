"""What is said in one call: commands and events in, ARI requests, protocol events and the bot-speaking state out. Pure.

One Say with its Appends is a playback of ours. It is made of parts, each one ARI playback of up to twenty files, so
that recorded prompts are played by one request; Asterisk plays the parts one after the other without a gap. Measured
with Asterisk 22: deleting the last queued one first keeps those in between from starting for a moment; a deleted
playback reports `done`, a missing file and a hang-up report `failed`; each file of a list reports its beginning; the
silence generator ends with every playback and is asked for again when nothing is left to play.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ari_controller import ari_requests as ari
from ari_controller.actions import CallAction, Note, Send, Speak
from ari_controller.ari_errors import AriError, Conflict, NotFound
from ari_controller.ari_events import FileBegan, PlaybackOver
from ari_controller.ari_requests import MAX_FILES, BadRequest
from protocol.items import Item, ItemHeard
from protocol.messages import PlaybackFinished, PlaybackStarted, PlaybackState, RequestRefused

REMEMBERED = 64


@dataclass
class Part:
    """One ARI playback. `places` are the places of its items in the playback, one file each; `began_ms` Asterisk's
    clock at the first packet of each file that began; `offset_ms` of the first file are skipped."""

    part_id: str
    places: list[int]
    offset_ms: int = 0
    began_ms: list[int] = field(default_factory=list)
    stopping: bool = False

    def heard(self, now_ms: int, end: PlaybackState) -> dict[int, ItemHeard]:
        """What became of each item, by its place, when the part is over at `now_ms`."""
        found: dict[int, ItemHeard] = {}
        for index, place in enumerate(self.places):
            if index >= len(self.began_ms):
                # Asterisk tells of the end what it did not tell of the beginning: after lost events it was heard
                found[place] = ItemHeard("skipped" if end == "stopped" else end)
                continue
            is_last = index + 1 == len(self.began_ms)
            until_ms = now_ms if is_last else self.began_ms[index + 1]
            heard_ms = max(0, until_ms - self.began_ms[index]) + (self.offset_ms if index == 0 else 0)
            found[place] = ItemHeard(end if is_last else "finished", heard_ms)
        return found


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

    @property
    def over(self) -> bool:
        """Everything was said, one way or the other."""
        return not self.parts and not self.open


@dataclass
class Playbacks:
    """Queue of playbacks of one call, the first one playing."""

    call_id: str
    channel_id: str
    keep_alive: bool
    queue: list[Playback] = field(default_factory=list)
    seen: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    speaking: bool = False

    # --- what is asked for --------------------------------------------------------------------------------------------

    def say(
        self, playback: Playback, items: Sequence[Item], where: tuple[str, str], offset_ms: int = 0
    ) -> list[CallAction]:
        """Queues a playback; one that was asked for before is left alone (a command may come twice).

        `where`: folder of the prompts and language. Raises BadRequest when there is nothing that can be played.
        """
        if playback.playback_id in self.seen:
            return []
        actions = self._add(playback, items, where, offset_ms)
        if playback.over:
            raise BadRequest(
                "nothing to say"
                if not items
                else "; ".join(str(action.fields["reason"]) for action in actions if isinstance(action, Note))
            )
        self.seen.append(playback.playback_id)
        self.queue.append(playback)
        return actions

    def append(
        self, playback_id: str, items: Sequence[Item], where: tuple[str, str], last: bool, at: float
    ) -> list[CallAction]:
        """Adds to a playback that is open. Raises BadRequest when it is not (any more)."""
        playback = next((found for found in self.queue if found.playback_id == playback_id), None)
        if playback is None or not playback.open:
            raise BadRequest(f"playback {playback_id!r} is not open")
        actions = self._add(playback, items, where, 0)
        playback.open = not last
        return actions + (self._close(playback, at) if playback.over else [])

    def _add(
        self, playback: Playback, items: Sequence[Item], where: tuple[str, str], offset_ms: int
    ) -> list[CallAction]:
        """The requests that play items, and a note for each that cannot be played: the others are said all the same."""
        actions: list[CallAction] = []
        playable: list[tuple[int, str]] = []
        for item in items:
            place = len(playback.heard)
            try:
                playable.append((place, ari.media_of(item, *where)))
                playback.heard.append(None)
            except BadRequest as error:
                playback.heard.append(ItemHeard("failed"))
                actions.append(Note("error", "item not said", {"reason": str(error)}))
        for begin in range(0, len(playable), MAX_FILES):
            chunk = playable[begin : begin + MAX_FILES]
            first = begin == 0 and playback.parts_made == 0
            part_id = playback.playback_id if first else f"{playback.playback_id}.{playback.parts_made}"
            skipped = offset_ms if first and chunk[0][0] == 0 else 0
            playback.parts.append(Part(part_id, [place for place, _ in chunk], skipped))
            playback.parts_made += 1
            actions.append(ari.play(self.channel_id, part_id, [media for _, media in chunk], skipped))
        return actions

    def stop(self, at: float) -> list[CallAction]:
        """Silences everything, the last queued one first."""
        actions: list[CallAction] = []
        for playback in reversed(list(self.queue)):
            playback.open = False
            for part in reversed(playback.parts):
                if not part.stopping:
                    part.stopping = True
                    actions.append(ari.stop_playback(part.part_id))
            if playback.over:  # it waited for more
                playback.state = "stopped"
                actions += self._close(playback, at)
        return actions

    def silence(self) -> list[CallAction]:
        """Keeps packets flowing to the caller while nothing is played."""
        is_playing = any(playback.parts for playback in self.queue)
        return [ari.start_silence(self.channel_id)] if self.keep_alive and not is_playing else []

    # --- what Asterisk tells ------------------------------------------------------------------------------------------

    def began(self, event: FileBegan, at: float) -> list[CallAction]:
        """A file started: the bot speaks. Only the first file of a playback is reported."""
        found = self._find(event.playback_id)
        if found is None:
            return []
        playback, part = found
        if len(part.began_ms) < len(part.places):
            part.began_ms.append(event.at_ms)
        if playback.began:
            return []
        playback.began = True
        actions: list[CallAction] = []
        if not self.speaking:
            self.speaking = True
            actions.append(Speak(True))
        if not playback.own:
            actions.append(Send(PlaybackStarted(self.call_id, at, playback.playback_id)))
        return actions

    def over(self, event: PlaybackOver, at: float, hanging_up: bool) -> list[CallAction]:
        """A part is over. While the channel hangs up, `failed` only means that it was cut."""
        found = self._find(event.playback_id)
        if found is None:
            return []
        _, part = found
        state: PlaybackState = "failed" if event.state == "failed" else "finished"
        if part.stopping or (hanging_up and state == "failed"):
            state = "stopped"
        actions: list[CallAction] = []
        if state == "failed":
            actions.append(Note("error", "playback failed: is the prompt there?", {"playback_id": event.playback_id}))
        return actions + self._part_over(*found, state, event.at_ms, at)

    def refused(self, part_id: str, error: AriError, at: float) -> list[CallAction]:
        """Asterisk did not take a part."""
        found = self._find(part_id)
        if found is None or isinstance(error, Conflict):  # it is playing already: the command came twice
            return []
        actions: list[CallAction] = [Note("error", "playback refused", {"playback_id": part_id, "reason": str(error)})]
        if not found[0].own:
            actions.append(Send(RequestRefused(self.call_id, at, "Say", f"{part_id}: {error}")))
        return actions + self._part_over(*found, "failed", 0, at)

    def check(self) -> list[CallAction]:
        """Asks for each part whether it still is; for use after events were lost."""
        return [ari.get_playback(part.part_id) for _, part in self._parts()]

    def checked(self, part_id: str, body: Any, error: AriError | None, at: float) -> list[CallAction]:
        """What `check` learned: gone means over; how far it came is then only known to be at most until now."""
        now_ms = round(at * 1000)
        if isinstance(error, NotFound):
            return self.over(PlaybackOver(self.channel_id, part_id, "done", now_ms), at, hanging_up=False)
        if isinstance(body, dict) and body.get("state") == "playing":
            found = self._find(part_id)
            return [] if found and found[1].began_ms else self.began(FileBegan(self.channel_id, part_id, now_ms), at)
        return []

    def _part_over(
        self, playback: Playback, part: Part, state: PlaybackState, at_ms: int, at: float
    ) -> list[CallAction]:
        for place, heard in part.heard(at_ms, state).items():
            playback.heard[place] = heard
        playback.parts.remove(part)
        if state != "finished" and playback.state != "stopped":
            playback.state = state
        return (self._close(playback, at) if playback.over else []) + self.silence()

    def _close(self, playback: Playback, at: float) -> list[CallAction]:
        self.queue.remove(playback)
        actions: list[CallAction] = []
        if not self.queue and self.speaking:
            self.speaking = False
            actions.append(Speak(False))
        if not playback.own:
            heard = tuple(item or ItemHeard("skipped") for item in playback.heard)
            total_ms = sum(item.heard_ms for item in heard)
            finished = PlaybackFinished(self.call_id, at, playback.playback_id, playback.state, total_ms, heard)
            actions.append(Send(finished))
        return actions

    def _parts(self) -> Iterator[tuple[Playback, Part]]:
        return ((playback, part) for playback in self.queue for part in playback.parts)

    def _find(self, part_id: str) -> tuple[Playback, Part] | None:
        return next((found for found in self._parts() if found[1].part_id == part_id), None)
