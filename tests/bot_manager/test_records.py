"""The log of a call: from events to the records that are kept."""

from __future__ import annotations

import json

from bot_manager.call_log import CallLog, new_call
from dialogue.flow import Escalation, Flow, State, Step
from protocol.items import AudioItem, ItemHeard, PromptItem, SpeechItem, prompts
from protocol.messages import (
    CallEnded,
    CallStarted,
    PlaybackFinished,
    PlaybackStarted,
    Say,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)
from records.call import TurnRecord, stage_seconds

END = Step(hangup=True)
FLOW = Flow(
    "heating",
    "fr",
    "init",
    {"init": State("init", 1, ())},
    Escalation((), 0, END),
    END,
    prompt_ms={"welcome": 2_000, "ask_zip": 1_500},
    prompt_texts={"welcome": "Bonjour !", "ask_zip": "Quel est votre code postal ?"},
    version="abc",
    edited_at="2026-11-20T10:00:00+00:00",
)
START = CallStarted(
    "call-1", 1_000.0, "+33600000001", "+33100000001", "", "1763800.7", "outbound", {"campaign": "winter"}
)


def begun() -> CallLog:
    log = CallLog(new_call(START, "local", "fr/heating", FLOW))
    log.prompts_requested(Say("call-1", 1_000.1, 1, "p-1", "fr", prompts("welcome")), FLOW)
    log.playback_started(PlaybackStarted("call-1", 1_000.2, "p-1"))
    return log


def answered(log: CallLog) -> TurnRecord:
    """A caller says yes: a guess, the transcript, the next prompt."""
    log.heard(UtteranceGuessed("call-1", 1_003.3, 1, 1, "oui", 0.9, 1_002.0, 1_003.0, 1_003.2))
    log.heard(UtteranceTranscribed("call-1", 1_003.71, 1, 1, "oui", 0.95, 1_002.0, 1_003.0, 1_003.7, 1_003.2, 1_200))
    log.understood(1_003.72)
    log.noted(1_003.72, "barge_in", "welcome")
    log.taken(TurnTaken("call-1", 1_003.72, 1, "init", "ask_zip", "oui", "yes", 0.97, "endpoint", ("a=b",)))
    log.prompts_requested(Say("call-1", 1_003.73, 2, "p-2", "fr", prompts("ask_zip")), FLOW)
    turn, first = log.playback_started(PlaybackStarted("call-1", 1_003.8, "p-2"))
    assert not first
    assert turn is not None
    return turn


def test_a_turn_has_every_stage_of_the_utterance_that_was_answered() -> None:
    turn = answered(begun())
    stages = {name: round(seconds, 3) for name, seconds in stage_seconds(turn).items()}
    assert stages == {
        "speech": 1.0,
        "endpoint": 0.7,
        "post": 0.2,
        "transcript": 0.51,
        "intent": 0.01,
        "decision": 0.01,
        "playback": 0.07,
        "answer": 0.8,
    }
    assert (turn.prompts, turn.answer_prompts, turn.asked_at) == (["welcome"], ["ask_zip"], 1_000.2)
    assert [(text["text"], text["guess"]) for text in turn.heard] == [("oui", True), ("oui", False)]


def test_a_turn_without_speech_has_no_times_of_speech() -> None:
    log = begun()
    log.heard(UtteranceTranscribed("call-1", 1_003.7, 1, 1, "", 0.0, 1_002.0, 1_003.0, 1_003.6, 1_003.5, 900))
    turn = log.taken(TurnTaken("call-1", 1_009.0, 1, "init", "init", "", "", 0.0, "no_input"))
    assert turn is not None
    assert (turn.speech_started_at, turn.intent_at, stage_seconds(turn)) == (None, None, {})
    assert len(turn.heard) == 1


def test_a_call_tells_where_it_came_from() -> None:
    call = begun().call
    assert (call.flow, call.flow_version, call.timezone) == ("fr/heating", "abc", "Europe/Paris")
    assert (call.channel_id, call.direction, call.variables) == ("1763800.7", "outbound", {"campaign": "winter"})


def test_both_sides_are_kept_with_how_much_was_heard() -> None:
    log = begun()
    log.taken(TurnTaken("call-1", 1_003.0, 1, "init", "ask_zip", "oui", "yes", 0.97, "endpoint"))
    turn = log.playback_finished(
        PlaybackFinished("call-1", 1_003.1, "p-1", "stopped", 900, (ItemHeard("stopped", 900),))
    )
    assert turn is not None
    welcome = {"kind": "prompt", "name": "welcome", "text": "Bonjour !", "language": "fr", "playback": "p-1"}
    assert turn.said == [welcome | {"heard_ms": 900, "length_ms": 2_000, "state": "stopped"}]
    said = (PromptItem("ask_zip"), SpeechItem("Madame Mwangi"), AudioItem("sound:beep", 300))
    log.prompts_requested(Say("call-1", 1_003.2, 2, "p-2", "fr", said), FLOW)
    heard = (ItemHeard("finished", 1_500), ItemHeard("finished", 800), ItemHeard("failed", 0))
    assert log.playback_finished(PlaybackFinished("call-1", 1_006.0, "p-2", "finished", 2_300, heard)) is None
    last = log.ended(CallEnded("call-1", 1_007.0, "caller_hung_up"), "unknown")
    assert last is not None
    assert [(item["text"], item["heard_ms"], item["length_ms"], item["state"]) for item in last.said] == [
        ("Quel est votre code postal ?", 1_500, 1_500, "finished"),
        ("Madame Mwangi", 800, None, "finished"),
        ("", 0, 300, "failed"),
    ]


def test_a_log_goes_on_after_a_restart() -> None:
    log = begun()
    again = CallLog.from_dict(json.loads(json.dumps(log.to_dict())))
    assert answered(again) == answered(log)


def test_a_call_that_ends_in_the_middle_of_a_turn_keeps_what_was_heard() -> None:
    log = begun()
    log.heard(UtteranceGuessed("call-1", 1_003.3, 1, 1, "oui", 0.9, 1_002.0, 1_003.0, 1_003.2))
    turn = log.ended(CallEnded("call-1", 1_004.0, "caller_hung_up", "/r.wav"), "unknown")
    assert turn is not None
    assert (turn.committed, turn.heard[0]["text"]) == ("call_ended", "oui")
    assert (log.call.outcome, log.call.recording) == ("unknown", "/r.wav")
