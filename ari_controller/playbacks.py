"""The prompts of one call: playback requests and events in, requests, events and the bot-speaking state out. Pure.

Asterisk plays one playback after the other. Measured with Asterisk 22: deleting the last queued one first keeps those
in between from starting for a moment; a deleted playback reports `done`, a missing file and a hang-up report `failed`;
the silence generator ends with every playback and is asked for again when the queue is empty.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ari_controller import ari_requests as ari
from ari_controller.actions import Action, Note, Send, Speak
from ari_controller.ari_errors import AriError, Conflict, NotFound
from ari_controller.ari_events import PlaybackBegan, PlaybackOver
from ari_controller.ari_requests import Request
from protocol.messages import PlaybackFinished, PlaybackStarted, PlaybackState, RequestRefused

REMEMBERED = 64


@dataclass
class Playback:
    """One PlayPrompts command on its way. `began_ms`: Asterisk's clock at its first packet, None before."""

    playback_id: str
    offset_ms: int
    own: bool = False
    """Played by the controller itself (busy, apology): the bot is not told."""
    began_ms: int | None = None
    stopping: bool = False

    def played_ms(self, now_ms: int) -> int:
        """How much of it the caller heard, counted from the beginning of its first file."""
        return 0 if self.began_ms is None else self.offset_ms + max(0, now_ms - self.began_ms)


@dataclass
class Playbacks:
    """Queue of playbacks of one call, the first one playing."""

    call_id: str
    keep_alive: bool
    queue: list[Playback] = field(default_factory=list)
    seen: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    speaking: bool = False

    def play(self, request: Request, playback: Playback) -> list[Action]:
        """Queues a playback; one that was asked for before is left alone (a command may come twice)."""
        if playback.playback_id in self.seen:
            return []
        self.seen.append(playback.playback_id)
        self.queue.append(playback)
        return [request]

    def stop(self) -> list[Action]:
        """Silences everything, the last queued one first."""
        actions: list[Action] = []
        for playback in reversed(self.queue):
            if not playback.stopping:
                playback.stopping = True
                actions.append(ari.stop_playback(playback.playback_id))
        return actions

    def silence(self) -> list[Action]:
        """Keeps packets flowing to the caller while nothing is played."""
        return [ari.start_silence(self.call_id)] if self.keep_alive and not self.queue else []

    def began(self, event: PlaybackBegan, at: float) -> list[Action]:
        """A file started: the bot speaks. Only the first file of a playback is reported."""
        playback = self._find(event.playback_id)
        if playback is None or playback.began_ms is not None:
            return []
        playback.began_ms = event.at_ms
        actions: list[Action] = []
        if not self.speaking:
            self.speaking = True
            actions.append(Speak(True))
        if not playback.own:
            actions.append(Send(PlaybackStarted(self.call_id, at, playback.playback_id)))
        return actions

    def over(self, event: PlaybackOver, at: float, hanging_up: bool) -> list[Action]:
        """A playback is over. While the channel hangs up, `failed` only means that it was cut."""
        playback = self._find(event.playback_id)
        if playback is None:
            return []
        state: PlaybackState = "failed" if event.state == "failed" else "finished"
        if playback.stopping or (hanging_up and state == "failed"):
            state = "stopped"
        actions: list[Action] = []
        if state == "failed":
            actions.append(Note("error", "playback failed: is the prompt there?", {"playback_id": event.playback_id}))
        return actions + self._remove(playback, state, playback.played_ms(event.at_ms), at)

    def refused(self, playback_id: str, error: AriError, at: float) -> list[Action]:
        """Asterisk did not take a playback."""
        playback = self._find(playback_id)
        if playback is None or isinstance(error, Conflict):  # it is playing already: the command came twice
            return []
        actions: list[Action] = [
            Note("error", "playback refused", {"playback_id": playback_id, "reason": str(error)}),
        ]
        if not playback.own:
            actions.append(Send(RequestRefused(self.call_id, at, "PlayPrompts", f"{playback_id}: {error}")))
        return actions + self._remove(playback, "failed", 0, at)

    def check(self) -> list[Action]:
        """Asks for each playback whether it still is; for use after events were lost."""
        return [ari.get_playback(playback.playback_id) for playback in self.queue]

    def checked(self, playback_id: str, body: Any, error: AriError | None, at: float) -> list[Action]:
        """What `check` learned: gone means over; how far it came is then only known to be at most until now."""
        now_ms = round(at * 1000)
        if isinstance(error, NotFound):
            return self.over(PlaybackOver(self.call_id, playback_id, "done", now_ms), at, hanging_up=False)
        if isinstance(body, dict) and body.get("state") == "playing":
            return self.began(PlaybackBegan(self.call_id, playback_id, now_ms), at)
        return []

    def _find(self, playback_id: str) -> Playback | None:
        return next((playback for playback in self.queue if playback.playback_id == playback_id), None)

    def _remove(self, playback: Playback, state: PlaybackState, offset_ms: int, at: float) -> list[Action]:
        self.queue.remove(playback)
        actions: list[Action] = []
        if not self.queue and self.speaking:
            self.speaking = False
            actions.append(Speak(False))
        if not playback.own:
            actions.append(Send(PlaybackFinished(self.call_id, at, playback.playback_id, state, offset_ms)))
        return actions + self.silence()
