"""What the agent for appointments calls things, in the words of the contract with those whom it serves. Pure: tables.

Its flow (flows/it/booking.yaml) has more states than the contract has steps, and English names for what every flow
understands. What has no word here keeps its own.
"""

from __future__ import annotations

from typing import Final

INTENTS: Final = {"yes": "conferma", "no": "nega", "human": "operatore"}
COMMANDS: Final = {
    "start_again": "annulla",
    "go_back": "indietro",
    "help": "aiuto",
    "repeat": "ripeti",
    "human": "umano",
}
STEPS: Final = {
    "intent": "begin name_assistant greet learn_services learn_staff look_for_session find_what_was what_was "
    "ask_resume ask_intent",
    "identify": "identify look_by_number by_number confirm_person ask_name look_again look_by_name by_name",
    "disambiguate": "choose_client ask_which_client",
    "register": "offer_registration need_surname ask_surname need_telephone ask_telephone check_telephone only_mobiles "
    "look_by_telephone by_telephone confirm_owner ask_birth_date register_now registered",
    "consent": "ask_consent consent_question note_refusal",
    "services": "on_purpose load_services load_staff ask_services",
    "operator": "need_staff count_able ask_staff",
    "date": "need_when ask_when",
    "time": "ask_time check hold_it look_in checked",
    "alternatives": "offer ask_alternative",
    "waitlist": "may_wait offer_waitlist wait_for_it waiting",
    "recap": "recap confirm ask_note ask_change create_it was_it_made it_was_made",
    "choose_appointment": "look_for_appointments which the_only_one choose_appointment chosen",
    "confirm_cancel": "confirm_cancel cancel_it",
    "confirm_change": "ask_new_time recap_move move_it",
    "faq": "look_up look_in_file answer confirm_question",
    "done": "booked anything_else offer_new goodbye goodbye_silent",
}
_STEP_OF: Final = {state: step for step, states in STEPS.items() for state in states.split()}


def step_of(state: str) -> str:
    """The step that a state of the flow belongs to."""
    return _STEP_OF.get(state, state)


def intent_of(name: str) -> str:
    """An intent as the contract names it."""
    return INTENTS.get(name, name)
