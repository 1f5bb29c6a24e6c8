"""The agent's turns in the words of the contract: states of its flow as steps, its intents and actions as theirs.

Pure: tables, and what is made of a report by them. What has no word here keeps the agent's own.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET

from booking_service.bodies import AuditEntry, TurnReport

INTENTS: Final = {"yes": "conferma", "no": "nega", "human": "operatore"}
PURPOSES: Final = {"book": "prenotazione", "cancel": "cancella", "move": "modifica"}
COMMANDS: Final = {
    "start_again": "annulla",
    "go_back": "indietro",
    "help": "aiuto",
    "repeat": "ripeti",
    "human": "umano",
}
DONE: Final = {"create": "create", "move": "change", "cancel": "cancel", "wait": "waitlist"}
"""Actions that count in the statistics of a day."""
FAILED: Final = frozenset({"not_found", "refused", "timeout", "error"})
STEPS: Final = {
    "intent": "begin greet ask_intent look_for_session find_what_was what_was ask_resume",
    "identify": "identify look_by_number by_number confirm_person ask_name look_by_name by_name",
    "disambiguate": "choose_client ask_which_client",
    "register": "offer_registration need_surname ask_surname ask_telephone only_mobiles look_by_telephone by_telephone "
    "confirm_owner ask_birth_date register_now registered",
    "consent": "ask_consent consent_question note_refusal",
    "services": "on_purpose load_services load_staff ask_services",
    "operator": "need_staff ask_staff",
    "date": "need_when ask_when",
    "time": "ask_time check hold_it look_in checked",
    "alternatives": "offer ask_alternative",
    "waitlist": "may_wait offer_waitlist wait_for_it waiting",
    "recap": "recap confirm ask_change create_it was_it_made it_was_made",
    "choose_appointment": "look_for_appointments which the_only_one choose_appointment chosen",
    "confirm_cancel": "confirm_cancel cancel_it",
    "confirm_change": "ask_new_time recap_move move_it",
    "done": "booked anything_else offer_new goodbye goodbye_silent",
}
_STEP_OF: Final = {state: step for step, states in STEPS.items() for state in states.split()}


def step_of(state: str) -> str:
    """The step that a state of the flow belongs to."""
    return _STEP_OF.get(state, state)


def audit_of(report: TurnReport) -> AuditEntry:
    """The row of the log that a report is."""
    turn, said = report.turn, report.session
    done = [(DONE[one.name], one.outcome) for one in turn.actions if one.name in DONE]
    made = [one for one in done if one[1] not in FAILED]
    last = [(one.name, one.outcome) for one in turn.actions]
    is_handed_over = said.ending.startswith("transfer")
    told = made or ([("handoff", "ok")] if is_handed_over else []) or done or last
    action, result = told[-1] if told else (None, None)
    failed = [f"{one.name}: {one.outcome}" for one in turn.actions if one.outcome in ("timeout", "error")]
    if turn.committed == "trouble":
        failed.append("not heard")
    return AuditEntry(
        session_id=said.id,
        user_input=turn.text,
        detected_intent=INTENTS.get(turn.intent, turn.intent) or None,
        intent_confidence=turn.score if turn.intent else None,
        special_command=COMMANDS.get(turn.intent),
        slots_extracted=dict(turn.slots),
        system_response=turn.said,
        action_taken=action,
        action_result=result,
        error_message="; ".join(failed)[:500] or None,
        latency_ms=turn.latency_ms,
    )


def session_of(report: TurnReport) -> dict[str, Any]:
    """The columns of the session that a report changes."""
    said = report.session
    step = step_of(said.state)
    given = {name: value for name in said.values.__struct_fields__ if _is_given(value := getattr(said.values, name))}
    lists = {"pending_disambiguation": "disambiguate", "pending_alternatives": "alternatives"}
    columns: dict[str, Any] = {
        **given,
        **{name: given.get(name) if step == of else None for name, of in lists.items()},
        "current_step": step,
        "failed_understanding_count": said.not_understood,
    }
    if "current_intent" in given:
        columns["current_intent"] = PURPOSES.get(given["current_intent"], given["current_intent"])
    if said.ending.startswith("transfer"):
        columns["handoff_requested"] = True
    if said.outcome == "done" or not said.ending:  # a line that went silent ends what it was, and no more
        columns["completed"] = said.outcome == "done" or step == "done"
    if said.memory is not None:
        columns["memory"] = said.memory
    return columns


def _is_given(value: Any) -> bool:
    return value is not UNSET
