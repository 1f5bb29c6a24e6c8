"""The agent's turns in the words of the contract (`protocol.booking`): rows of the log, columns of a session. Pure."""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET

from booking_service.bodies import AuditEntry, TurnReport
from protocol.booking import COMMANDS, intent_of, step_of

PURPOSES: Final = {"book": "prenotazione", "cancel": "cancella", "move": "modifica"}
DONE: Final = {"create": "create", "move": "change", "cancel": "cancel", "wait": "waitlist"}
"""Actions that count in the statistics of a day."""
FAILED: Final = frozenset({"not_found", "refused", "timeout", "error"})


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
        detected_intent=intent_of(turn.intent) or None,
        intent_confidence=turn.score if turn.intent else None,
        special_command=COMMANDS.get(turn.intent),
        slots_extracted=dict(turn.slots),
        system_response=turn.said,
        action_taken=action,
        action_result=result,
        error_message="; ".join(failed)[:500] or None,
        latency_ms=turn.latency_ms,
        ip_address=report.call.client_address or None,
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
