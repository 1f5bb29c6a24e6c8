"""Call scripts: what a good one becomes, and every fault of a bad one with its line."""

import pytest

from callers.script import (
    BadScript,
    Caller,
    Ended,
    HangUpNow,
    Hear,
    InterruptAfter,
    Press,
    ReachState,
    Script,
    Silence,
    SlotIs,
    SpokenLine,
    read_script,
)

GOOD = """
about: All steps.
caller: {voice: fr+f2, speed: 160, pitch: 40, reaction_ms: 100}
extension: "600"
steps:
  - hear: welcome
  - say: oui bonjour
  - say: {wav: cough.wav}
  - state: ask_zip_code
  - interrupt_after: 0.8
  - press: "75011#"
  - silence: 2.5
  - slot: {zip_code: "75011"}
  - hangup
  - end: caller_hung_up
expect: {outcome: abandoned, lead: {zip_code: "75011"}}
"""


def test_a_script_becomes_its_steps() -> None:
    assert read_script(GOOD, "calls/all.yaml") == Script(
        name="all",
        about="All steps.",
        caller=Caller("fr+f2", 160, 40, 100),
        extension="600",
        steps=(
            Hear("welcome"),
            SpokenLine("oui bonjour"),
            SpokenLine(wav="cough.wav"),
            ReachState("ask_zip_code"),
            InterruptAfter(0.8),
            Press("75011#"),
            Silence(2.5),
            SlotIs("zip_code", "75011"),
            HangUpNow(),
            Ended("caller_hung_up"),
        ),
        outcome="abandoned",
        lead=(("zip_code", "75011"),),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "x.yaml:1: the script is empty"),
        ("steps: [", "x.yaml:1: no YAML"),
        ("about: a\nsteps: {}", "x.yaml:2: steps must be a list"),
        ("steps:\n  - sing: la", "x.yaml:2: unknown step 'sing'"),
        ("steps:\n  - say: oui\n    press: '1'", "x.yaml:2: a step has exactly one key"),
        ("steps:\n  - press: 7x", "x.yaml:2: press takes keys of a telephone"),
        ("steps:\n  - silence: -1", "x.yaml:2: silence must be a number from 0.05 to 600"),
        ("steps:\n  - silence: nan", "x.yaml:2: silence must be a number"),
        ("steps:\n  - say: ''", "x.yaml:2: say must be some text"),
        ("steps:\n  - hear: welcome", "x.yaml:2: nobody does anything"),
        ("steps:\n  - hangup\ncolour: red", "x.yaml:3: unknown key 'colour'"),
        ("caller: {speed: fast}\nsteps:\n  - hangup", "x.yaml:1: speed must be a number"),
    ],
)
def test_a_bad_script_is_refused_with_its_line(text: str, fault: str) -> None:
    with pytest.raises(BadScript) as caught:
        read_script(text, "x.yaml")
    assert fault in str(caught.value)


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(BadScript) as caught:
        read_script("steps:\n  - sing: la\n  - press: x\n  - silence: 9999", "x.yaml")
    assert len(str(caught.value).splitlines()) == 3
