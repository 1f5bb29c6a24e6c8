"""What is said in one call: commands and events in, ARI requests, protocol events and the bot-speaking state out. Pure.

A playback of ours is made of parts (ari_controller.playback). Asterisk plays them one after the other without a gap.
Speech is made beside: `Synthesise` begins it, `HandOver` says that its turn has come, then part files come in by `fed`
and each is played at once; what follows it in the queue waits until the last one is there. The bot speaks from the
first packet to the end of the queue, also while a voice makes it wait.

Measured with Asterisk 22: deleting what is queued before what plays keeps it from starting for a moment; a
deleted playback reports `done`, a hang-up reports `failed`, and so does a missing file that is the last; in a list a
missing file is passed over, its beginning and the next one's are told within a millisecond; the silence generator
ends with every playback and is asked for again when nothing is left to play; `offsetms` plays the first packet before
it jumps, so the rest of a recording is played as a part.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ari_controller import ari_requests as ari
from ari_controller.actions import (
    AtOnce,
    CallAction,
    DropFile,
    EndFeed,
    HandOver,
    Note,
    RanDry,
    Send,
    Speak,
    Synthesise,
)
from ari_controller.ari_errors import AriError, Conflict, NotFound, Unreachable
from ari_controller.ari_events import FileBegan, PlaybackOver
from ari_controller.ari_requests import MAX_FILES, BadRequest, Request
from ari_controller.playback import NO_PLACE, Feed, ItemProgress, Part, Playback, Waiting
from protocol.items import Item, ItemHeard, PromptItem, SpeechItem
from protocol.messages import PlaybackFinished, PlaybackStarted, PlaybackState, RequestRefused

REMEMBERED = 64
ASK_AGAIN_S = 2.0
MADE_AHEAD = 2
"""Items whose sound is made before their turn."""


@dataclass
class Playbacks:
    """Queue of playbacks of one call, the first one playing. `parts_dir`: where part files lie, empty: none are
    made; `apology`: the prompt that is said where speech could not be."""

    call_id: str
    channel_id: str
    keep_alive: bool
    parts_dir: str = ""
    speaks: bool = False
    apology: str = ""
    prompts_dir: str = ""
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
        if offset_ms < 0:
            raise BadRequest(f"offset_ms {offset_ms} is negative")
        actions = self._add(playback, items, where, offset_ms)
        if playback.over:
            raise BadRequest(
                "nothing to say"
                if not items
                else "; ".join(str(action.fields["reason"]) for action in actions if isinstance(action, Note))
            )
        self.seen.append(playback.playback_id)
        self.queue.append(playback)
        return actions + self._advance()

    def append(
        self, playback_id: str, items: Sequence[Item], where: tuple[str, str], last: bool, at: float
    ) -> list[CallAction]:
        """Adds to a playback that is open. Raises BadRequest when it is not (any more)."""
        playback = next((found for found in self.queue if found.playback_id == playback_id), None)
        if playback is None or not playback.open:
            raise BadRequest(f"playback {playback_id!r} is not open")
        actions = self._add(playback, items, where, 0) + self._advance()
        playback.open = not last
        return actions + (self._close(playback, at) if playback.over else [])

    def _add(
        self, playback: Playback, items: Sequence[Item], where: tuple[str, str], offset_ms: int
    ) -> list[CallAction]:
        """Lets the items wait, with a note for each that cannot be played: the others are said all the same."""
        actions: list[CallAction] = []
        for item in items:
            place = len(playback.heard)
            try:
                if not isinstance(item, SpeechItem):
                    ari.media_of(item, *where)
                elif not self.speaks:
                    raise BadRequest("there is no speech service")
                playback.heard.append(None)
                language = (item.language if isinstance(item, SpeechItem) else "") or where[1]
                skip_ms = offset_ms if place == 0 else 0
                playback.waiting.append(Waiting(place, item, language, skip_ms))
            except BadRequest as error:
                playback.heard.append(ItemHeard("failed"))
                actions.append(Note("error", "item not said", {"reason": str(error)}))
        return actions

    def _advance(self) -> list[CallAction]:
        """Hands over whatever's turn has come: recordings at once, of what has to be made the first."""
        actions: list[CallAction] = []
        for playback in self.queue:
            while playback.feed is None and playback.waiting:
                if self._is_made(playback.waiting[0]):
                    actions += self._begin_feed(playback)
                else:
                    actions.append(self._play_recorded(playback))
            if playback.feed is not None:
                break
        ahead = [waiting for playback in self.queue for waiting in playback.waiting if self._is_made(waiting)]
        for waiting, playback in self._made_ahead(ahead):
            waiting.begun = True
            actions.append(self._synthesise(playback, waiting))
        return actions

    def _is_made(self, waiting: Waiting) -> bool:
        """Whether part files are made of it: speech, and the rest of a recording."""
        is_rest = isinstance(waiting.item, PromptItem) and waiting.skip_ms > 0
        return bool(self.parts_dir) and (isinstance(waiting.item, SpeechItem) or is_rest)

    def _made_ahead(self, ahead: list[Waiting]) -> Iterator[tuple[Waiting, Playback]]:
        for waiting in ahead[:MADE_AHEAD]:
            if not waiting.begun:
                yield waiting, next(found for found in self.queue if any(one is waiting for one in found.waiting))

    def _feed_id(self, playback: Playback, place: int) -> str:
        return f"{playback.playback_id}~{place}"

    def _synthesise(self, playback: Playback, waiting: Waiting) -> Synthesise:
        path = ""
        if isinstance(waiting.item, PromptItem):
            path = f"{self.prompts_dir}/{waiting.language}/{waiting.item.name}.wav"
        feed_id = self._feed_id(playback, waiting.place)
        return Synthesise(feed_id, waiting.item, waiting.language, waiting.skip_ms, path)

    def _begin_feed(self, playback: Playback) -> list[CallAction]:
        waiting = playback.waiting.pop(0)
        feed_id = self._feed_id(playback, waiting.place)
        playback.feed = Feed(feed_id, waiting.place, waiting.item, waiting.language, waiting.skip_ms)
        playback.spoken.append(ItemProgress(waiting.place, waiting.skip_ms))
        begin: list[CallAction] = [] if waiting.begun else [self._synthesise(playback, waiting)]
        return [*begin, HandOver(feed_id, self._is_dry)]

    def _play_recorded(self, playback: Playback) -> CallAction:
        """One ARI playback of the recordings that come next."""
        chunk: list[Waiting] = []
        while playback.waiting and len(chunk) < MAX_FILES and not self._is_made(playback.waiting[0]):
            chunk.append(playback.waiting.pop(0))
        media = [ari.media_of(waiting.item, self.prompts_dir, waiting.language) for waiting in chunk]
        part = Part(playback.next_part_id(), [waiting.place for waiting in chunk], chunk[0].skip_ms, media=media)
        playback.parts.append(part)
        return ari.play(self.channel_id, part.part_id, media, part.offset_ms)

    def stop(self, at: float) -> list[CallAction]:
        """Silences everything: first what waits in Asterisk's queue, or it would begin, then what plays."""
        actions: list[CallAction] = []
        stops: list[Request] = []
        for playback in reversed(list(self.queue)):
            playback.open = False
            actions += [EndFeed(self._feed_id(playback, one.place)) for one in playback.waiting if one.begun]
            playback.waiting.clear()
            if playback.feed is not None:
                actions.append(EndFeed(playback.feed.feed_id))
                place, playback.feed = playback.feed.place, None
                if (spoken := playback.spoken_at(place)) is not None:
                    spoken.end = "stopped"
            for part in reversed(playback.parts):
                if not part.stopping:
                    part.stopping = True
                    stops.append(ari.stop_playback(part.part_id))
            if playback.over:  # it waited for more
                playback.state = "stopped"
                actions += self._close(playback, at)
        queued, playing = stops[:-1], stops[-1:]
        return [*actions, *([AtOnce(tuple(queued))] if len(queued) > 1 else queued), *playing]

    def silence(self) -> list[CallAction]:
        """Keeps packets flowing to the caller while nothing is played."""
        return [ari.start_silence(self.channel_id)] if self.keep_alive and self._is_dry else []

    # --- what is made beside ------------------------------------------------------------------------------------------

    def fed(self, feed_id: str, file: str, ms: int, voice: str, at: float) -> list[CallAction]:
        """A part file of a feed is there: it is played. One that nobody waits for (any more) is removed."""
        playback = next((one for one in self.queue if one.feed is not None and one.feed.feed_id == feed_id), None)
        if playback is None or playback.feed is None:
            return [DropFile(file)]
        feed = playback.feed
        feed.handed_ms += ms
        feed.voice = voice or feed.voice
        part = Part(playback.next_part_id(), [feed.place], media=[f"sound:{self.parts_dir}/{file}"], file=file, ms=ms)
        playback.parts.append(part)
        return [ari.play(self.channel_id, part.part_id, part.media)]

    def feed_over(self, feed_id: str, reason: str, at: float) -> list[CallAction]:
        """Nothing more comes of a feed; with a `reason` it is not whole, and a recording says so."""
        playback = next((one for one in self.queue if one.feed is not None and one.feed.feed_id == feed_id), None)
        if playback is None or playback.feed is None:
            return []
        feed, playback.feed = playback.feed, None
        actions: list[CallAction] = []
        if reason:
            actions += self._not_made(playback, feed, reason)
        actions += self._advance() + self._settle(playback, feed.place)
        return actions + (self._close(playback, at) if playback.over else [])

    def _not_made(self, playback: Playback, feed: Feed, reason: str) -> list[CallAction]:
        note = Note("error", "item not said", {"reason": reason}, unsaid=True)
        spoken = playback.spoken_at(feed.place)
        if isinstance(feed.item, PromptItem) and not feed.handed_ms:
            # the file cannot be read from here: Asterisk plays it, with its click
            if spoken is not None:
                playback.spoken.remove(spoken)
            media = [ari.media_of(feed.item, self.prompts_dir, feed.language)]
            part = Part(playback.next_part_id(), [feed.place], feed.skip_ms, media=media)
            playback.parts.append(part)
            return [note, ari.play(self.channel_id, part.part_id, media, feed.skip_ms)]
        if spoken is not None:
            spoken.end = "failed"
        if playback.state == "finished":
            playback.state = "failed"
        if not self.apology or playback.apologised:
            return [note]
        playback.apologised = True
        media = [ari.media_of(PromptItem(self.apology), self.prompts_dir, feed.language)]
        part = Part(playback.next_part_id(), [NO_PLACE], media=media)
        playback.parts.append(part)
        return [note, ari.play(self.channel_id, part.part_id, media)]

    def resume_feeds(self) -> list[CallAction]:
        """After a restart: what was being made is made on from where it was handed over."""
        actions: list[CallAction] = []
        for playback in self.queue:
            for waiting in playback.waiting:
                waiting.begun = False
            feed = playback.feed
            if feed is not None:
                rest = Waiting(feed.place, feed.item, feed.language, feed.skip_ms + feed.handed_ms)
                if isinstance(feed.item, SpeechItem) and feed.voice:
                    rest.item = SpeechItem(feed.item.text, feed.voice, feed.item.language)
                actions += [self._synthesise(playback, rest), HandOver(feed.feed_id, self._is_dry)]
        return actions + self._advance()

    # --- what Asterisk tells ------------------------------------------------------------------------------------------

    def began(self, event: FileBegan, at: float) -> list[CallAction]:
        """A file started: the bot speaks. Only the first file of a playback is reported."""
        found = self._find(event.playback_id)
        if found is None:
            return []
        playback, part = found
        part.began(event.media, event.at_ms)
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
        if isinstance(error, Unreachable):  # it may play all the same: it must be known to be stopped, and told of
            found[1].asked_at = at
            return [ari.get_playback(part_id)]
        actions: list[CallAction] = [Note("error", "playback refused", {"playback_id": part_id, "reason": str(error)})]
        if not found[0].own:
            actions.append(Send(RequestRefused(self.call_id, at, "Say", f"{part_id}: {error}")))
        return actions + self._part_over(*found, "failed", 0, at)

    def check(self) -> list[CallAction]:
        """Asks for each part whether it still is; for use after events were lost."""
        return [ari.get_playback(part.part_id) for _, part in self._parts()]

    def tick(self, at: float) -> list[CallAction]:
        """Asks again for what Asterisk has not answered."""
        asked = [part for _, part in self._parts() if part.asked_at is not None and at - part.asked_at > ASK_AGAIN_S]
        for part in asked:
            part.asked_at = at
        return [ari.get_playback(part.part_id) for part in asked]

    def checked(self, part_id: str, body: Any, error: AriError | None, at: float) -> list[CallAction]:
        """What `check` learned: gone means over; how far it came is then only known to be at most until now."""
        now_ms = round(at * 1000)
        found = self._find(part_id)
        if found is not None and found[1].asked_at is not None:
            if isinstance(error, Unreachable):
                return []  # `tick` asks again
            found[1].asked_at = None
            if isinstance(error, NotFound) and not found[1].began_ms:
                return self.refused(part_id, error, at)
            if found[1].stopping and error is None:  # it was asked to stop before Asterisk had it
                return [ari.stop_playback(part_id)]
        if isinstance(error, NotFound):
            gone = PlaybackOver(self.channel_id, part_id, "done", now_ms)
            return self.over(gone, at, hanging_up=False)
        if isinstance(body, dict) and body.get("state") == "playing":
            return [] if found and found[1].began_ms else self.began(FileBegan(self.channel_id, part_id, now_ms), at)
        return []

    def _part_over(
        self, playback: Playback, part: Part, state: PlaybackState, at_ms: int, at: float
    ) -> list[CallAction]:
        actions: list[CallAction] = [DropFile(part.file)] if part.file else []
        playback.parts.remove(part)
        heard = part.heard(at_ms, state)
        missing = [
            media for place, media in zip(part.places, part.media, strict=False) if heard[place].state == "failed"
        ]
        if missing and state != "stopped":
            state = "failed"
            actions.append(Note("error", "a file was passed over: is the prompt there?", {"media": ",".join(missing)}))
        for place, item in heard.items():
            spoken = playback.spoken_at(place)
            if spoken is not None:
                spoken.heard_ms += item.heard_ms
                if spoken.end == "finished" and item.state != "finished":
                    spoken.end = "stopped" if item.state == "skipped" else item.state
                actions += self._settle(playback, place)
            elif place != NO_PLACE:
                playback.heard[place] = item
        if state != "finished" and playback.state != "stopped":
            playback.state = state
        if self._is_dry:
            actions += [RanDry(waits.feed.feed_id) for waits in self.queue if waits.feed is not None]
        return actions + (self._close(playback, at) if playback.over else []) + self.silence()

    @property
    def _is_dry(self) -> bool:
        """Whether Asterisk has nothing of ours to play."""
        return not any(playback.parts for playback in self.queue)

    def _settle(self, playback: Playback, place: int) -> list[CallAction]:
        """An item with a feed is over when nothing more comes of it and its last part was played."""
        spoken = playback.spoken_at(place)
        is_fed = playback.feed is not None and playback.feed.place == place
        if spoken is not None and not is_fed and not any(place in part.places for part in playback.parts):
            playback.heard[place] = ItemHeard(spoken.end, spoken.heard_ms)
        return []

    def _close(self, playback: Playback, at: float) -> list[CallAction]:
        self.queue.remove(playback)
        for spoken in playback.spoken:
            self._settle(playback, spoken.place)
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
