"""Which sentences of a flow can be made before a call."""

from dialogue.fixed_texts import fixed_texts
from dialogue.flow import Flow
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known

FLOW = """\
flow: small
language: fr
start: hello
too_long: bye
trouble: {say: "Un instant, je vous prie.", then: bye}
constants:
  who: {type: name, value: Anne Morel}
  day: {type: date, value: 2026-12-24}
defaults:
  no_input: {say: ["Vous êtes là ?", beep], retries: 2, then: bye}
  no_match: {say: ["Pardon {who}. Je n'ai pas compris. Le {day} ?"], retries: 1, then: bye}
states:
  hello:
    say: ["Bonjour. Je cherche {who}.", "À {{demain}}, {who} !"]
    ask_again: ["Vous êtes là ?"]
    means: {yes: "yes", no: "no"}
    answers:
      "yes": {say: "C'est noté.", goto: bye}
      "no": bye
  bye: {say: "{who} et nous vous remercions. À bientôt !", hangup: true, outcome: done}
"""


def small() -> Flow:
    return read_flow(FLOW, "small.yaml", Known(frozenset({"yes", "no"}), frozenset(), {"beep": 100}))


def test_what_stands_in_a_flow_is_found_once_and_without_its_variables() -> None:
    assert set(fixed_texts(small())) == {
        "Un instant, je vous prie.",
        "Vous êtes là ?",
        "Je n'ai pas compris.",
        "Bonjour.",
        "C'est noté.",
        "À bientôt !",
    }


def test_a_flow_of_recordings_alone_has_none(heating: Flow) -> None:
    assert fixed_texts(heating) == ()
