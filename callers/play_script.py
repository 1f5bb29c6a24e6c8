"""Plays a call script: a simulated caller on a real SIP call, watched on the bus, measured at the caller's own ear.

The script's pace is that of the call: the caller speaks when the bot has finished (or interrupts when told to), and
every expectation waits for what must come, up to a deadline. What does not come is a fault; the first ends the call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from callers.call_view import CallView
from callers.heard_audio import AnswerTime, answer_times
from callers.monitor import Monitor
from callers.rtp_audio import Samples
from callers.rtp_phone import LineClosed
from callers.script import (
    Caller,
    Either,
    Ended,
    HangUpNow,
    Hear,
    HearText,
    Hold,
    InterruptAfter,
    Mute,
    Press,
    ReachState,
    Script,
    ScriptStep,
    Silence,
    SlotIs,
    SpokenLine,
)
from callers.sip_caller import SipCaller
from protocol.codec import encode

DEADLINE_S = 25.0
"""Longest wait for anything the bot must do; the longest prompt is shorter."""

Voice = Callable[[SpokenLine, Caller], Samples]
"""The samples (int16, 8 kHz) of something said."""


def nobody(line: str) -> None:
    """Nobody is told."""


class ScoreFault(Exception):
    """An expectation that was not met."""


@dataclass
class CallReport:
    """How one script went. Empty `faults`: everything that was expected came; empty `shop_faults`: and is in the
    shop's database, and nothing else."""

    score: Script
    caller_number: str
    view: CallView | None = None
    faults: list[str] = field(default_factory=list)
    shop_faults: list[str] = field(default_factory=list)
    answers: list[AnswerTime] = field(default_factory=list)
    stalls: int = 0
    heard_s: list[tuple[float, float]] = field(default_factory=list)
    began_at: float = 0.0
    clock_offset_s: float = 0.0
    repeats: int = 0
    """How often a patient caller said something again because they were asked again."""

    @property
    def passed(self) -> bool:
        """Nothing was missing."""
        return not self.faults and not self.shop_faults

    def goes_on(self, script: Script, later: CallReport) -> CallReport:
        """One report of two calls of a script: what was seen is of the later one."""
        answers, faults = [*self.answers, *later.answers], [*self.faults, *later.faults]
        repeats, stalls = self.repeats + later.repeats, self.stalls + later.stalls
        return replace(later, score=script, answers=answers, faults=faults, repeats=repeats, stalls=stalls)


class ScriptPlayer:
    """Plays scripts against one stack; several at once if their numbers differ."""

    def __init__(
        self,
        monitor: Monitor,
        voice: Voice,
        told: Callable[[str], None] = nobody,
        deadline_s: float = DEADLINE_S,
        patience: int = 0,
    ) -> None:
        """`told` gets a line for everything the caller does and the answer times that they hear. `patience`: how often
        a caller says something again when the bot asks again instead of going on as the script says."""
        self._monitor = monitor
        self._voice = voice
        self._told = told
        self._deadline_s = deadline_s
        self._patience = patience

    async def play(self, score: Script, number: str, caller: SipCaller, before: int = 0) -> CallReport:
        """Plays `score`, that of one call, on an answered call that `number` placed, after `before` others of the same
        script; the call is over afterwards."""
        report = CallReport(score, number, began_at=time.time(), clock_offset_s=time.time() - time.monotonic())
        play = _Play(score, report, caller, self._monitor, self._voice, self._told, self._deadline_s)
        play.patience, play.before = self._patience, before
        try:
            await play.all_steps()
        except ScoreFault as fault:
            report.faults.append(str(fault))
            self._told(f"FAULT {fault}")
        finally:
            await caller.hang_up()
            phone = caller.phone
            report.answers = answer_times(phone.said, phone.frames)
            report.stalls = phone.stalls
            report.heard_s = [(prompt.first_voiced_s, prompt.last_voiced_s) for prompt in phone.prompts]
        return report


class _Play:
    """One script on one call. `mark` is how many playbacks had begun when the caller last did something."""

    def __init__(
        self,
        score: Script,
        report: CallReport,
        caller: SipCaller,
        monitor: Monitor,
        voice: Voice,
        told: Callable[[str], None],
        deadline_s: float,
    ) -> None:
        self._score, self._report, self._caller, self._monitor = score, report, caller, monitor
        self._voice, self._told, self._deadline_s = voice, told, deadline_s
        self.patience = 0
        self.before = 0
        self._said: SpokenLine | Press | None = None
        self._mark = 0
        self._acted_s = 0.0
        self._interrupting = False
        self._answers_told = 0

    @property
    def _view(self) -> CallView:
        if self._report.view is None:
            raise ScoreFault("the controller announced no call")
        return self._report.view

    async def all_steps(self) -> None:
        number = self._report.caller_number
        await self._monitor.wait_for(lambda: self._monitor.call_of(number, self.before) is not None, self._deadline_s)
        self._report.view = self._monitor.call_of(number, self.before)
        for step in self._score.steps:
            await self._step(step)
        await self._outcome()

    async def _step(self, step: ScriptStep) -> None:
        view, phone = self._view, self._caller.phone
        match step:
            case SpokenLine() | Press():
                if not self._interrupting:
                    await self._bot_has_finished(step)
                await self._speak(step)
            case Silence():
                self._told(f"caller is silent for {step.seconds:g} s")
                self._act()
                await self._monitor.wait_for(lambda: view.ended, step.seconds)
            case Hold():
                await self._hold(step)
            case Mute():
                self._told(f"caller sends nothing for {step.seconds:g} s")
                self._act()
                phone.muted = True
                await self._monitor.wait_for(lambda: view.ended, step.seconds)
                phone.muted = False
            case HangUpNow():
                if not self._interrupting:
                    await self._bot_has_finished(step)
                self._told("caller hangs up")
                self._act()
                await self._caller.hang_up()
            case InterruptAfter():
                try:
                    started = await phone.prompt_started(self._acted_s, self._deadline_s)
                except (TimeoutError, LineClosed):
                    raise ScoreFault("there was no prompt to interrupt") from None
                await asyncio.sleep(max(0.0, started.first_voiced_s + step.seconds - time.monotonic()))
                self._interrupting = True
            case Hear():
                wanted = step.prompt.split()
                begun = await self._expect(lambda: _contains(view.prompts_since(self._mark), wanted))
                if not begun:
                    heard = ", ".join(view.prompts_since(self._mark)) or "nothing"
                    raise ScoreFault(f"expected to hear {step.prompt}, heard {heard}")
            case HearText():
                await self._hear_text(step.text)
            case Either():
                texts = [branch[0].text for branch in step.branches if isinstance(branch[0], HearText)]
                heard = await self._hear_text(*texts)
                for later in step.branches[texts.index(heard)][1:]:
                    await self._step(later)
            case ReachState():
                if not await self._expect(lambda: view.state == step.state):
                    raise ScoreFault(f"expected state {step.state}, is {view.state or 'none'}")
            case SlotIs():
                if not await self._wait(lambda: {**view.lead, **view.slots}.get(step.name) == step.value):
                    known = {**view.lead, **view.slots}
                    raise ScoreFault(f"expected {step.name}={step.value}, is {known.get(step.name, 'unknown')}")
            case Ended():
                await self._expect(lambda: view.ended)  # a last answer that was lost is asked for again, too
                if view.end_reason != step.reason:
                    raise ScoreFault(f"expected the end {step.reason}, is {view.end_reason or 'still up'}")

    async def _hear_text(self, *texts: str) -> str:
        """Waits for one of these; which it was."""

        def begun() -> list[str]:
            said = " ".join(self._view.texts_since(self._mark)).lower()
            return [text for text in texts if text.lower() in said]

        if not await self._expect(lambda: bool(begun())):
            heard = " ".join(self._view.texts_since(self._mark)) or "nothing"
            raise ScoreFault(f"expected to hear {' or '.join(map(repr, texts))}, heard {heard!r}")
        return begun()[0]

    async def _hold(self, step: Hold) -> None:
        """Puts the call on hold, when the bot is silent or where `interrupt_after` says; then takes it back."""
        view, phone = self._view, self._caller.phone
        if not self._interrupting:
            await self._bot_has_finished(step)
        self._told(f"caller holds for {step.seconds:g} s")
        self._act()
        status = await self._caller.hold()
        if status >= 300:
            raise ScoreFault(f"the hold was refused with SIP status {status}")
        begun_s = time.monotonic()
        if step.text:
            phone.muted = False
            await phone.say(self._voice(SpokenLine(step.text), self._score.caller), step.text)
            phone.muted = True
        await self._monitor.wait_for(lambda: view.ended, max(0.05, begun_s + step.seconds - time.monotonic()))
        if view.ended:
            raise ScoreFault(f"the call ended ({view.end_reason}) on hold")
        if asked := view.prompts_since(self._mark):
            raise ScoreFault(f"on hold the bot said {', '.join(asked)}")
        self._told("caller is there again")
        await self._caller.take_back()

    async def _speak(self, step: SpokenLine | Press) -> None:
        phone = self._caller.phone
        self._act()
        self._said = step
        try:
            if isinstance(step, SpokenLine):
                # in a thread: other calls of this process go on meanwhile
                samples = await asyncio.to_thread(self._voice, step, self._score.caller)
                self._told(f"caller says    {step.text or step.wav!r}")
                await phone.say(samples, step.text or step.wav)
            else:
                self._told(f"caller presses {step.keys}")
                await phone.press(step.keys)
        except LineClosed:
            raise ScoreFault(f"the call was over before the caller could do {step}") from None

    async def _expect(self, holds: Callable[[], bool]) -> bool:
        """Waits for what the script expects next; a patient caller who is asked again says it again."""
        view = self._view
        while self.patience and self._said is not None:

            def asked_again() -> bool:
                return view.bot_silent and len(view.begun) > self._mark

            await self._monitor.wait_for(lambda: holds() or view.ended or asked_again(), self._deadline_s)
            if holds() or view.ended or not asked_again():
                break
            await asyncio.sleep(self._score.caller.reaction_ms / 1_000)
            if holds() or not asked_again():
                continue
            self.patience -= 1
            self._report.repeats += 1
            await self._speak(self._said)
        return await self._wait(holds)

    def _act(self) -> None:
        self._mark = len(self._view.begun)
        self._acted_s = time.monotonic()
        self._interrupting = False

    async def _wait(self, holds: Callable[[], bool]) -> bool:
        """Waits for something that the call can still bring; an ended call brings a last few messages."""
        view = self._view
        await self._monitor.wait_for(lambda: holds() or view.ended, self._deadline_s)
        return holds() or await self._monitor.wait_for(holds, 2.0 if view.ended else 0.01)

    async def _bot_has_finished(self, step: ScriptStep) -> None:
        """Waits until the bot has answered the last action and is silent, and the caller has drawn breath."""
        view = self._view
        while True:
            done = await self._monitor.wait_for(
                lambda: view.ended or (view.bot_silent and len(view.begun) > self._mark), self._deadline_s
            )
            if view.ended:
                raise ScoreFault(f"the call ended ({view.end_reason}) before the caller could do {step}")
            if not done:
                raise ScoreFault(f"the bot gave no answer before {step}")
            begun = len(view.begun)
            await asyncio.sleep(self._score.caller.reaction_ms / 1_000)
            if view.bot_silent and len(view.begun) == begun:
                self._tell_answers()
                return

    def _tell_answers(self) -> None:
        if self._told is nobody:
            return  # it takes a look at every packet of the call
        answers = answer_times(self._caller.phone.said, self._caller.phone.frames)
        for answer in answers[self._answers_told :]:
            self._told(f"               answered after {answer.delay_ms:.0f} ms, as heard by the caller")
        self._answers_told = len(answers)

    async def _outcome(self) -> None:
        score, view = self._score, self._view
        await self._monitor.wait_for(lambda: view.ended, self._deadline_s)
        self._tell_answers()
        if not view.ended:
            raise ScoreFault("the call did not end")
        if score.outcome and not await self._wait(lambda: view.outcome == score.outcome):
            raise ScoreFault(f"expected the outcome {score.outcome}, is {view.outcome or 'none'}")
        wrong = {name: value for name, value in score.lead if not fnmatchcase(view.lead.get(name, ""), value)}
        if wrong:
            raise ScoreFault(f"expected the lead {dict(score.lead)}, is {view.lead}")


def _contains(heard: list[str], wanted: list[str]) -> bool:
    return any(heard[start : start + len(wanted)] == wanted for start in range(len(heard)))


def report_json(report: CallReport) -> dict[str, Any]:
    """The whole timeline of a report, ready for JSON. Times are seconds since the call was placed."""

    def since(monotonic_s: float) -> float:
        return round(monotonic_s + report.clock_offset_s - report.began_at, 3)

    view = report.view
    return {
        "score": report.score.name,
        "passed": report.passed,
        "faults": [*report.faults, *report.shop_faults],
        "call_id": view.call_id if view else "",
        "outcome": view.outcome if view else "",
        "lead": view.lead if view else {},
        "end": view.end_reason if view else "",
        "recording": view.recording if view else "",
        "repeats": report.repeats,
        "stalls": report.stalls,
        "answers": [
            {
                "said": answer.spoken.label,
                "said_end_s": since(answer.spoken.last_voiced_s),
                "answer_s": since(answer.answer_s),
                "answer_ms": round(answer.delay_ms, 1),
            }
            for answer in report.answers
        ],
        "heard": [{"start_s": since(start), "end_s": since(end)} for start, end in report.heard_s],
        "messages": [
            {"since_s": round(message.at - report.began_at, 3), "message": encode(message)}
            for message in (view.seen if view else [])
        ],
    }
