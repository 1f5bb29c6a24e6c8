"""What a page shows of its call: its state, what was heard, how long answers take. Pure: events in, frames out.

connecting -> greeting -> listening -> thinking -> speaking -> listening -> ... -> transferred | ended
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from protocol.messages import (
    Event,
    Listen,
    PlaybackFinished,
    PlaybackStarted,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)

PageState: TypeAlias = Literal["connecting", "greeting", "listening", "thinking", "speaking"]
PageFrame: TypeAlias = tuple[str, dict[str, Any]]
"""Type and fields of a frame."""


@dataclass
class CallProgress:
    """One call's, for its page. `ended_at`: when the caller stopped speaking who has had no answer yet."""

    state: PageState = "connecting"
    turn: int = -1
    ended_at: float = 0.0
    guessed: bool = False
    """The page shows a guess of which it is not known yet whether it is the whole."""
    taken: int = -1
    """The turn of which the bot took such a guess."""
    _told: PageState | None = None

    def event(self, event: Event, speaking: bool) -> list[PageFrame]:
        """Something happened; `speaking`: the bot speaks now."""
        frames: list[PageFrame] = []
        match event:
            case PlaybackStarted(at=at):
                if self.ended_at:
                    frames.append(("turn", {"answer_ms": max(0, round((at - self.ended_at) * 1_000))}))
                    self.ended_at = 0.0
                self.state = "greeting" if self.state in ("connecting", "greeting") else "speaking"
            case PlaybackFinished() if not speaking and self.state in ("greeting", "speaking"):
                self.state = "listening"
            case UtteranceGuessed(text=text, turn=turn, speech_ended_at=ended_at) if text:
                frames.append(("guess", {"text": text}))
                self.guessed = True
                self._understood(turn, ended_at, speaking)
            case UtteranceTranscribed(text=text, turn=turn, speech_ended_at=ended_at, aside=aside) if text:
                if turn != self.taken:  # else it was told when the bot took its guess for the whole
                    frames.append(("heard", {"text": text}))
                    self.guessed = False
                if not aside:
                    self._understood(turn, ended_at, speaking)
            case TurnTaken(turn=turn, text=text) if self.guessed and text:
                frames.append(("heard", {"text": text}))
                self.guessed, self.taken = False, turn
        return frames + self.shown()

    def _understood(self, turn: int, ended_at: float, speaking: bool) -> None:
        if turn == self.turn:
            self.ended_at = ended_at
            if not speaking:
                self.state = "thinking"

    def listens(self, listen: Listen, speaking: bool) -> list[PageFrame]:
        """The bot awaits an answer from now on."""
        self.turn = listen.turn
        if self.state == "thinking" and listen.asks and not speaking:
            self.state = "listening"
        return self.shown()

    def shown(self) -> list[PageFrame]:
        """The state, where the page was told another one."""
        if self.state == self._told:
            return []
        self._told = self.state
        return [("call_state", {"state": self.state})]
