"""What is known of one call from the messages on the bus: prompts, texts, turns, state, slots, how it ended.

Pure: fold messages with `CallView.see`; a script's expectations ask the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.items import SpeechItem, label
from protocol.messages import (
    CallConcluded,
    CallEnded,
    CallStarted,
    Message,
    PlaybackFinished,
    PlaybackStarted,
    RecognitionFailed,
    RequestRefused,
    Say,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)


@dataclass
class CallView:
    """One call, as a watcher of the bus sees it. `seen` is every message in order of arrival."""

    call_id: str
    seen: list[Message] = field(default_factory=list)
    state: str = ""
    slots: dict[str, str] = field(default_factory=dict)
    outcome: str = ""
    lead: dict[str, str] = field(default_factory=dict)
    end_reason: str = ""
    recording: str = ""
    prompts: dict[str, Say] = field(default_factory=dict)
    playing: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    begun: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def see(self, message: Message) -> None:
        """Takes one message of this call in."""
        self.seen.append(message)
        match message:
            case Say():
                self.prompts[message.playback_id] = message
                self.awaited.add(message.playback_id)
            case PlaybackStarted():
                self.awaited.discard(message.playback_id)
                self.playing.add(message.playback_id)
                command = self.prompts.get(message.playback_id)
                names = tuple(label(item) for item in command.items) if command else ()
                self.begun.append((message.playback_id, names))
            case PlaybackFinished():
                self.awaited.discard(message.playback_id)
                self.playing.discard(message.playback_id)
            case TurnTaken():
                self.state = message.next_state
                self.slots = pairs(message.slots)
            case CallConcluded():
                self.outcome, self.lead = message.outcome, pairs(message.lead)
            case CallEnded():
                self.end_reason, self.recording = message.reason, message.recording
                self.playing.clear()
                self.awaited.clear()

    @property
    def ended(self) -> bool:
        """The caller's channel is gone."""
        return bool(self.end_reason)

    @property
    def bot_silent(self) -> bool:
        """Nothing plays and nothing that was asked for has yet to begin."""
        return not self.playing and not self.awaited

    def prompts_since(self, mark: int) -> list[str]:
        """Names of the prompts begun since `mark` (a length of `begun`)."""
        return [name for _, names in self.begun[mark:] for name in names]

    def texts_since(self, mark: int) -> list[str]:
        """What was said as speech in what was begun since `mark`."""
        said = [self.prompts[playback_id].items for playback_id, _ in self.begun[mark:] if playback_id in self.prompts]
        return [item.text for items in said for item in items if isinstance(item, SpeechItem)]


def pairs(entries: tuple[str, ...]) -> dict[str, str]:
    """`("a=1", "b=2")` as a dict."""
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}


def one_line(message: Message) -> str:
    """A message as a line of the printed conversation, empty for what nobody needs to read."""
    match message:
        case CallStarted():
            return f"call {message.call_id} answered"
        case Say():
            return f"bot says      {' + '.join(label(item) for item in message.items)}"
        case UtteranceGuessed() if message.text:
            return f"  heard so far  {message.text!r} ({message.confidence:.2f})"
        case UtteranceTranscribed():
            heard = f"{message.text!r} ({message.confidence:.2f})" if message.text else f"nothing: {message.reason}"
            return f"  heard         {heard}"
        case RecognitionFailed():
            return f"  recogniser failed: {message.reason}"
        case RequestRefused():
            return f"  refused: {message.command}: {message.reason}"
        case TurnTaken():
            move = message.state if message.state == message.next_state else f"{message.state} -> {message.next_state}"
            known = f"  [{', '.join(message.slots)}]" if message.slots else ""
            return f"  understood    {message.intent or '-'} ({message.score:.2f}, {message.committed})  {move}{known}"
        case CallConcluded():
            return f"outcome {message.outcome}: {', '.join(message.lead) or 'no lead'}"
        case CallEnded():
            return f"call ended: {message.reason}"
    return ""
