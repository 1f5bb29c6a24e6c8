"""One call: ARI events, ARI replies, commands and time go in; ARI requests and protocol events come out. Pure.

    answering -> up -> (leaving) -> transferring | hanging_up -> ending -> ended

`leaving` is the controller's own good-bye: the busy prompt for the one too many, the apology when nobody drives the
call. `ending` begins when the caller's channel is gone or went on in the dialplan: the legs are deleted, the recording
is closed, then CallEnded is sent. CALL_TRANSITIONS (in call_states) is the whole picture; any other step is a bug
and raises.

TransferCall and HangUp act at once: a prompt that still plays is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ari_controller import ari_requests as ari
from ari_controller.actions import AwaitMedia, CallAction, DropFile, EndFeeds, Note, Pause, Send, Speak
from ari_controller.ari_errors import AriError, NotFound, ServerFault
from ari_controller.ari_events import (
    AriEvent,
    Channel,
    DtmfPressed,
    FileBegan,
    HangupRequested,
    PlaybackOver,
    PutOnHold,
    RecordingOver,
    StasisEnded,
    StasisStarted,
    TakenOffHold,
)
from ari_controller.ari_requests import BadRequest, Request, role_of
from ari_controller.call_states import APOLOGY, BUSY, CALL_TRANSITIONS, CallState, CallStep, Farewell, Rules
from ari_controller.handoffs import facts
from ari_controller.media_legs import Presence, RecorderLeg, StreamLegs
from ari_controller.numbers import spelled
from ari_controller.playback import Playback
from ari_controller.playbacks import Playbacks
from protocol.bus import is_after
from protocol.items import ItemHeard, PromptItem
from protocol.messages import (
    Append,
    CallEnded,
    CallHeld,
    CallStarted,
    CallTakenBack,
    Command,
    DtmfReceived,
    EndReason,
    HangUp,
    Listen,
    PlaybackFinished,
    RequestRefused,
    Say,
    StopPlayback,
    TransferCall,
)

FIRST_COMMAND_S = 6.0
MEDIA_AT_MOST_S = 3.0
"""A telephone that offers nothing has told by then where it wants its audio."""
HOLD_S = 1.5
"""A caller whom nobody greets, or to whom nobody answers, is asked to wait after so long."""
HOLD_AGAIN_S = 6.0
GIVEN_UP_S = 20.0
UNDRIVEN_HOLD_S = 4.0
UNDRIVEN_S = 17.0
"""With the lease that has to run out first the caller is handed over within 20 s."""
FAREWELL_S = 20.0
HANG_UP_AGAIN_S = 3.0
RECORDING_CLOSES_S = 1.0
TEARDOWN_S = 15.0


@dataclass
class CallLegs:
    """The state of one call. `admitted` is False for one that only hears `busy`: the bot never learns of it."""

    call_id: str
    rules: Rules
    arrived_at: float
    flow: str = ""
    caller_number: str = ""
    called_number: str = ""
    channel_id: str = ""
    """Asterisk's id of the caller's channel; that of the call where the release before began it."""
    technology: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    admitted: bool = True
    state: CallState = "answering"
    since: float = 0.0
    announced: bool = False
    """CallStarted was sent: the bot knows of this call and must learn of its end."""
    commanded: bool = False
    spoke_until: float = 0.0
    """When the last prompt was over."""
    language: str = ""
    """Of what is being said."""
    held_at: float = 0.0
    on_hold: bool = False
    """The caller put the call on hold: nothing is said to them, and they are not handed over."""
    farewell: Farewell | None = None
    extension: str = ""
    continuing: bool = False
    """`continue` was asked for: the next StasisEnd is the transfer."""
    dropped_by: Literal["", "caller", "line"] = ""
    reason: EndReason = "caller_hung_up"
    left_at: float = 0.0
    end_is_told: bool = False
    handled: str = ""
    """Stream entry of the last command: one that comes again after a restart is not done again."""
    undriven_since: float | None = None
    """Since when no bot manager says that it drives this call; None while one does."""
    was_driven: bool = False
    """One has said so: a bot manager of the release before never does."""
    closing: list[Request] = field(default_factory=list)
    stream: StreamLegs = field(init=False)
    recorder: RecorderLeg = field(init=False)
    playbacks: Playbacks = field(init=False)

    def __post_init__(self) -> None:
        self.channel_id = self.channel_id or self.call_id
        self.stream = StreamLegs(self.call_id, self.channel_id, self.rules.target)
        self.recorder = RecorderLeg(self.call_id, self.channel_id, self.rules.target.app)
        self.playbacks = Playbacks(
            self.call_id,
            self.channel_id,
            self.rules.keep_alive_silence,
            self.rules.parts_dir,
            self.rules.speaks,
            self.rules.speech_apology,
            self.rules.prompts_dir,
        )

    @classmethod
    def arrive(
        cls, call_id: str, channel: Channel, args: Sequence[str], rules: Rules, at: float, farewell: Farewell | None
    ) -> tuple[CallLegs, list[CallAction]]:
        """A caller is there. With a `farewell` they are answered only to hear that.

        `args` are those of Stasis(): the flow, then `name=value` facts of the call.
        """
        flow = args[0] if args else ""
        caller, called = (spelled(number, rules.region) for number in (channel.caller_number, channel.called_number))
        call = cls(call_id, rules, at, flow, caller, called, channel.channel_id)
        call.variables = facts(args)
        call.technology = channel.technology
        call.admitted, call.farewell, call.since = farewell is not BUSY, farewell, at
        return call, [ari.answer(call.channel_id)]

    @property
    def live(self) -> bool:
        """Whether the caller is with us."""
        return self.state not in ("ending", "ended")

    # --- what Asterisk tells ------------------------------------------------------------------------------------------

    def event(self, event: AriEvent, at: float) -> list[CallAction]:
        """One ARI event of this call's channels."""
        match event:
            case StasisStarted():
                return self._entered(event, at) if self.live else []
            case StasisEnded(channel_id):
                return self._left(channel_id, at)
            case HangupRequested(channel_id, soft):
                if channel_id == self.channel_id and self.state != "hanging_up" and not self.dropped_by:
                    self.dropped_by = "line" if soft else "caller"
            case DtmfPressed(channel_id, digit) if channel_id == self.channel_id:
                if digit not in "0123456789*#" or len(digit) != 1:
                    return [Note("warning", "key ignored", {"digit": digit})]
                return [Send(DtmfReceived(self.call_id, at, digit))] if self.state == "up" else []
            case PutOnHold(channel_id) | TakenOffHold(channel_id) if channel_id == self.channel_id:
                return self._held(isinstance(event, PutOnHold), at)
            case FileBegan():
                return self.playbacks.began(event, at) if self.live else []
            case PlaybackOver():
                return self._after_playback(self.playbacks.over(event, at, bool(self.dropped_by)), at)
            case RecordingOver(_, failed, cause):
                return [*self.recorder.over(failed, cause, at), *self._tell_end(at)]
        return []

    def _held(self, on_hold: bool, at: float) -> list[CallAction]:
        if on_hold == self.on_hold or not self.live:
            return []
        self.on_hold = on_hold
        if not self.announced:
            return []
        return [Send(CallHeld(self.call_id, at) if on_hold else CallTakenBack(self.call_id, at))]

    def _entered(self, event: StasisStarted, at: float) -> list[CallAction]:
        role, _ = role_of(event.channel_id)
        if role == "recording":
            return self.recorder.entered()
        return [] if role == "main" else self.stream.entered(role, event.channel.source, at)

    def _left(self, channel_id: str, at: float) -> list[CallAction]:
        role, _ = role_of(channel_id)
        if role == "main":
            return self.gone(None, at)
        if not self.live or self.dropped_by:  # the legs follow the caller
            return []
        return self.recorder.left(at) if role == "recording" else self.stream.left(role, at)

    def gone(self, reason: EndReason | None, at: float) -> list[CallAction]:
        """The caller's channel is not ours any more. `reason` None: as seen from the state."""
        if not self.live:
            return []
        self.reason = reason or self._end_reason()
        self._move("left", at)
        self.left_at = at
        self.playbacks.queue.clear()
        actions: list[CallAction] = [Speak(False)] if self.playbacks.speaking else []
        self.playbacks.speaking = False
        actions += [EndFeeds()] if self.rules.parts_dir else []
        actions += [*self.stream.teardown(at), *self.recorder.teardown(at)]
        self.closing = [action for action in actions if isinstance(action, Request)]
        return actions + self._tell_end(at)

    def finish(self, reason: EndReason | None, at: float) -> list[CallAction]:
        """Asterisk does not have this call any more, and nobody told us."""
        if self.live:
            return self.gone(reason, at)
        # the controller before us began to clean up, and may have been stopped in it; its legs are swept as orphans
        return [*self.stream.withdraw(), *self._tell_end(at)]

    def _end_reason(self) -> EndReason:
        if self.dropped_by:
            return "caller_hung_up" if self.dropped_by == "caller" else "lost"
        if self.state == "hanging_up":
            return "bot_hung_up"
        return "transferred" if self.continuing else "caller_hung_up"

    def _tell_end(self, at: float) -> list[CallAction]:
        """CallEnded, once the recording's file is closed or that takes too long; then the call may be forgotten."""
        if self.state != "ending":
            return []
        actions: list[CallAction] = []
        if not self.end_is_told and (self.recorder.closed or at - self.left_at > RECORDING_CLOSES_S):
            self.end_is_told = True
            if self.announced:
                recording = f"{self.rules.recordings_dir}/{self.call_id}.wav" if self.recorder.recorded else ""
                actions.append(Send(CallEnded(self.call_id, self.left_at, self.reason, recording)))
        if self.end_is_told and (not self.closing or at - self.left_at > TEARDOWN_S):
            self._move("closed", at)
        return actions

    # --- what Asterisk answers ----------------------------------------------------------------------------------------

    def replied(self, request: Request, body: Any, error: AriError | None, at: float) -> list[CallAction]:
        """The answer to one of this call's requests: JSON, or the error."""
        if request in self.closing:
            self.closing.remove(request)
            return self._tell_end(at)
        if not self.live:
            return []
        if request.lane == "media":
            if request.name in ("snoop_both", "record"):
                return self.recorder.replied(request, error, at)
            return self.stream.replied(request, body, error, at)
        playback_id = request.path.rsplit("/", 1)[-1]
        match request.name:
            case "answer":
                return self._answered(at) if error is None else self._answer_failed(error, at)
            case "play" if error is not None:
                return self._after_playback(self.playbacks.refused(playback_id, error, at), at)
            case "get_playback":
                return self._after_playback(self.playbacks.checked(playback_id, body, error, at), at)
            case "extension_exists" if self.state == "transferring" and not self.continuing:
                return self._extension_checked(body, error, at)
            case "continue" if error is not None and self.state == "transferring":
                return self._stay(str(error), at)
        if error is None or isinstance(error, NotFound):
            return []
        return [Note("warning", "request failed", {"request": request.name, "reason": str(error)})]

    def _answered(self, at: float) -> list[CallAction]:
        if self.state != "answering":
            return []
        self._move("answered", at)
        actions: list[CallAction] = []
        if self.admitted:
            self.announced = True
            actions.append(Send(self._started(at)))
            actions += self.stream.start(at)
            actions += self.recorder.start(at) if self.rules.record_calls else []
        actions += self._open_line()
        return actions + (self._say(self.farewell, at) if self.farewell else [])

    def _open_line(self) -> list[CallAction]:
        """What comes before the first prompt, and before no other: silence on a way that is there."""
        actions: list[CallAction] = [AwaitMedia(self.channel_id, MEDIA_AT_MOST_S)] if self.technology == "PJSIP" else []
        silence_ms = self.rules.answer_silence_ms
        if silence_ms or not self.farewell:
            actions += self.playbacks.silence()
        return [*actions, Pause(silence_ms / 1_000)] if silence_ms else actions

    def _let_ring_out(self, at: float) -> list[CallAction]:
        """The last word is in the caller's jitter buffer, or in that of a gateway before them."""
        left_s = round(self.spoke_until + self.rules.goodbye_silence_ms / 1_000 - at, 3)
        return [Pause(left_s)] if left_s > 0 and not self.dropped_by else []

    def _started(self, at: float) -> CallStarted:
        return CallStarted(
            self.call_id,
            at,
            self.caller_number,
            self.called_number,
            self.flow,
            self.channel_id,
            variables=dict(self.variables),
        )

    def _answer_failed(self, error: AriError, at: float) -> list[CallAction]:
        """The caller gave up already (their StasisEnd is on its way), or Asterisk could not."""
        if self.state != "answering" or isinstance(error, NotFound):
            return []
        return [Note("error", "call not answered", {"reason": str(error)}), *self._hang_up(at)]

    def fed(self, feed_id: str, file: str, ms: int, voice: str, at: float) -> list[CallAction]:
        """A part file of what is being made is there."""
        return self.playbacks.fed(feed_id, file, ms, voice, at) if self.live else [DropFile(file)]

    def feed_over(self, feed_id: str, reason: str, at: float) -> list[CallAction]:
        """Nothing more comes of what was being made; with a `reason` it is not whole."""
        return self._after_playback(self.playbacks.feed_over(feed_id, reason, at), at) if self.live else []

    # --- what the bot wants -------------------------------------------------------------------------------------------

    def command(self, command: Command, entry_id: str, at: float) -> list[CallAction]:
        """The command of a stream entry. What cannot be done is answered with RequestRefused."""
        if not is_after(entry_id, self.handled):
            return []
        self.handled = entry_id
        self.commanded = True
        if isinstance(command, Listen):
            return []
        if isinstance(command, HangUp) and self.state in ("up", "leaving", "transferring"):
            return self._hang_up(at)
        if self.state != "up":
            return [] if self.state == "hanging_up" else self._refuse(command, f"the call is {self.state}", at)
        match command:
            case Say() | Append():
                return self._speak(command, at)
            case StopPlayback():
                return self._after_playback(self.playbacks.stop(at), at)
            case TransferCall(extension=extension):
                return self._transfer(extension, at)
        return []

    def _speak(self, command: Say | Append, at: float) -> list[CallAction]:
        rules, items, playback_id = self.rules, command.items, command.playback_id
        try:
            if isinstance(command, Append):
                where = (rules.prompts_dir, self.language or rules.language)
                return self.playbacks.append(playback_id, items, where, command.last, at)
            self.language = command.language
            playback, where = Playback(playback_id, open=command.open), (rules.prompts_dir, command.language)
            return self.playbacks.say(playback, items, where, command.offset_ms)
        except BadRequest as error:
            refused = self._refuse(command, str(error), at)
            if isinstance(command, Append):
                return refused
            heard = tuple(ItemHeard("failed") for _ in items)
            return [*refused, Send(PlaybackFinished(self.call_id, at, playback_id, "failed", 0, heard))]

    def _say_own(self, prompt: str, playback_id: str) -> list[CallAction]:
        """A prompt of the controller's own."""
        where = (self.rules.prompts_dir, self.rules.language)
        return self.playbacks.say(Playback(playback_id, own=True), (PromptItem(prompt),), where)

    def _refuse(self, command: Command, reason: str, at: float) -> list[CallAction]:
        return [Send(RequestRefused(self.call_id, at, type(command).__name__, reason))]

    def _transfer(self, extension: str, at: float) -> list[CallAction]:
        try:
            request = ari.extension_exists(self.channel_id, self.rules.handoff_context, extension)
        except BadRequest as error:
            self.extension = extension
            self._move("transfer", at)
            return self._stay(str(error), at)
        self.extension = extension
        self._move("transfer", at)
        return [request]

    def _extension_checked(self, body: Any, error: AriError | None, at: float) -> list[CallAction]:
        if isinstance(error, NotFound):
            return []  # the caller is gone; their StasisEnd is on its way
        if error is not None and not isinstance(error, ServerFault):
            return self._stay(str(error), at)
        actions: list[CallAction] = []
        if error is not None:
            actions.append(Note("warning", "extension not checked: is func_dialplan loaded?", {"reason": str(error)}))
        elif not isinstance(body, dict) or body.get("value") != "1":
            return self._stay(f"no extension {self.extension} in context {self.rules.handoff_context}", at)
        self.continuing = True
        self.playbacks.keep_alive = False
        actions += [*self.playbacks.stop(at), *self._let_ring_out(at)]
        actions += [ari.stop_silence(self.channel_id)] if self.rules.keep_alive_silence else []
        if self.announced:  # should nobody take the call, the dialplan sends the caller back with the id of this one
            actions.append(ari.set_variable(self.channel_id, "PRONTO_CALL", self.call_id))
            actions.append(ari.set_variable(self.channel_id, "PRONTO_FLOW", self.flow))
            actions.append(ari.stay_subscribed(self.channel_id, self.rules.target.app))
        return [*actions, ari.leave_to_dialplan(self.channel_id, self.rules.handoff_context, self.extension)]

    def _stay(self, reason: str, at: float) -> list[CallAction]:
        """The transfer is not possible: the bot goes on; after a good-bye there is nothing left but to hang up."""
        self.continuing = False
        self.playbacks.keep_alive = self.rules.keep_alive_silence
        if self.farewell:
            return [Note("error", "hand-off refused", {"reason": reason}), *self._hang_up(at)]
        self._move("stay", at)
        return [Send(RequestRefused(self.call_id, at, "TransferCall", reason)), *self.playbacks.silence()]

    def _hang_up(self, at: float) -> list[CallAction]:
        self._move("hang_up", at)
        return [*self._let_ring_out(at), ari.hang_up(self.channel_id)]

    # --- what the controller itself wants -----------------------------------------------------------------------------

    def abandon(self, reason: str, at: float) -> list[CallAction]:
        """Nobody drives this call: apologise and hand the caller over. Does nothing unless the call is up."""
        if self.state != "up":
            return []
        return [Note("error", "caller handed over", {"reason": reason}, abandoned=reason), *self._say(APOLOGY, at)]

    def drive(self, is_driven: bool, at: float) -> list[CallAction]:
        """Whether a bot manager says that it drives this call, as read just now."""
        if is_driven:
            self.undriven_since, self.was_driven = None, True
        elif self.undriven_since is None:
            self.undriven_since = at
        return []

    def hold(self, since: float, at: float) -> list[CallAction]:
        """The bot manager has not seen what the caller did at `since`, or is not there: they are asked to wait, and in
        the end handed over. Nothing is said while something plays, or while they hold the call."""
        if self.state != "up" or at - since < HOLD_S or self.on_hold:
            return []
        if at - since > GIVEN_UP_S:
            return self.abandon("bot_away", at)
        if self.playbacks.queue or at - self.held_at < HOLD_AGAIN_S or not self.rules.hold_prompt:
            return []
        self.held_at = at
        note = Note("warning", "caller asked to wait", {"waited_s": round(at - since, 1)}, held=True)
        return [note, *self._say_own(self.rules.hold_prompt, f"p-{self.call_id}-hold-{round(at * 1_000)}")]

    def _undriven(self, at: float) -> list[CallAction]:
        """Nobody drives a call that was driven, whatever the reason: the caller is asked to wait, then handed over.

        A bot manager that is restarted is back before the caller is told anything, unless they said something it has
        not seen (`hold`). One of the release before takes no lease: of its calls only unread events tell.
        """
        if not self.was_driven or self.undriven_since is None or self.on_hold:
            return []
        away_s = at - self.undriven_since
        if away_s > UNDRIVEN_S:
            return self.abandon("nobody_drives", at)
        return self.hold(self.undriven_since, at) if away_s > UNDRIVEN_HOLD_S else []

    def _say(self, farewell: Farewell, at: float) -> list[CallAction]:
        self.farewell = farewell
        self._move("say_farewell", at)
        return [*self.playbacks.stop(at), *self._say_own(farewell.prompt, f"p-{self.call_id}-{farewell.prompt}")]

    def _after_playback(self, actions: list[CallAction], at: float) -> list[CallAction]:
        """A good-bye that was heard is followed by the end."""
        if any(isinstance(action, Speak) and not action.speaking for action in actions):
            self.spoke_until = at
        return actions + self._leave(at) if self.state == "leaving" and not self.playbacks.queue else actions

    def _leave(self, at: float) -> list[CallAction]:
        after = {"overflow": self.rules.busy_extension, "hand_off": self.rules.handoff_extension}
        extension = after.get(self.farewell.then, "") if self.farewell else ""
        return self._transfer(extension, at) if extension else self._hang_up(at)

    def tick(self, at: float) -> list[CallAction]:
        """Time goes by; call this a few times a second."""
        waited_s = at - self.since
        match self.state:
            case "up" if at - self.arrived_at > self.rules.max_call_s:
                return self.abandon("too_long", at)
            case "up" if not self.commanded and waited_s > FIRST_COMMAND_S and not self.on_hold:
                return self.abandon("no_command", at)
            case "up" if not self.commanded and waited_s > HOLD_S and (asked := self.hold(self.since, at)):
                return asked
            case "up" if undriven := self._undriven(at):
                return undriven
            case "leaving" if waited_s > FAREWELL_S:
                return self._leave(at)
            case "hanging_up" if waited_s > HANG_UP_AGAIN_S:
                self.since = at
                return [ari.hang_up(self.channel_id)]
            case "ending":
                return self._tell_end(at)
        if self.state not in ("up", "leaving"):
            return []
        return [*self.stream.tick(at), *self.recorder.tick(at), *self.playbacks.tick(at)]

    def recheck(self, seen: Presence, restarted: bool) -> list[CallAction]:
        """Events were lost, or (`restarted`) this call comes from a snapshot: compare with what Asterisk has."""
        actions: list[CallAction] = []
        if restarted:
            if self.stream.state == "starting":
                actions += self.stream.fail("restart", "the controller was restarted", seen.at)
            if self.recorder.state == "starting":
                actions += self.recorder.fail("the controller was restarted", seen.at)
            if self.state == "hanging_up":
                actions.append(ari.hang_up(self.channel_id))
            if self.state == "transferring" and not self.continuing:
                actions.append(ari.extension_exists(self.channel_id, self.rules.handoff_context, self.extension))
            actions.append(Speak(self.playbacks.speaking))
            actions += self.playbacks.resume_feeds() if self.state == "up" else []
        if self.state in ("up", "leaving", "transferring"):
            actions += [*self.stream.recheck(seen), *self.recorder.recheck(seen)]
            actions += self.playbacks.check() if self.playbacks.queue else self.playbacks.silence()
        return self._after_playback(actions, seen.at)

    def _move(self, step: CallStep, at: float) -> None:
        self.state, self.since = CALL_TRANSITIONS[self.state][step], at
