"""Calls and turns with everything in them, for the tests of the records."""

from __future__ import annotations

from records.call import CallRecord, FlowVersion, TurnRecord, said_item

AT = 1_790_000_000.0


def call(call_id: str = "call-1", at: float = AT) -> CallRecord:
    """A call that is over, with a lead."""
    return CallRecord(
        call_id,
        cell="local",
        caller_number="+33600000001",
        called_number="+33100000001",
        flow="fr/heating",
        flow_version="abc",
        flow_edited_at="2026-11-20T10:00:00+00:00",
        started_at=at,
        first_prompt_at=at + 0.2,
        ended_at=at + 31.000001,
        outcome="qualified",
        end_reason="bot_hung_up",
        recording="/recordings/call-1.wav",
        lead={"zip_code": "75011", "owner": "yes"},
        channel_id=f"pronto-{call_id}",
        direction="outbound",
        variables={"campaign": "winter", "name": "Zoé", "tries": 2},
        timezone="Europe/Paris",
    )


def turn(call_id: str = "call-1", number: int = 1, at: float = AT) -> TurnRecord:
    """A caller says their postcode, the bot reads it back."""
    return TurnRecord(
        call_id,
        number,
        turn=number,
        state="ask_zip",
        next_state="confirm_zip",
        prompts=["welcome", "ask_zip"],
        heard=[
            {"at": at + 3.71, "text": "soixante-quinze zéro onze", "confidence": 0.95, "guess": False, "reason": ""}
        ],
        text="soixante-quinze zéro onze",
        intent="zip_code",
        score=0.97,
        committed="endpoint",
        slots={"zip_code": "75011"},
        notes=[{"at": at + 3.72, "what": "barge_in", "detail": "welcome"}],
        answer_prompts=["digit_7", "digit_5", "digit_0", "digit_1", "digit_1", "is_that_right"],
        asked_at=at + 0.2,
        speech_started_at=at + 2.0,
        speech_ended_at=at + 3.0,
        endpoint_at=at + 3.7,
        posted_at=at + 3.2,
        transcript_at=at + 3.71,
        intent_at=at + 3.72,
        play_requested_at=at + 3.73,
        playback_started_at=at + 3.8,
        said=[
            said_item("prompt", "welcome", "Bonjour !", "fr", 900, 2_000, "stopped"),
            said_item("speech", text="Quel est votre code postal ?", language="fr", heard_ms=1_500, length_ms=1_500),
        ],
    )


def version(text: str = "flow: fr/heating\nstart: init\n", at: float = AT) -> FlowVersion:
    """A text of a flow."""
    return FlowVersion(f"hash-{len(text)}-{at:.0f}", "fr/heating", text, "anna", at)
