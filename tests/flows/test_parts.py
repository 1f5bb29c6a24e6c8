"""Numbers that a caller dictates in parts: one value, or the rest is asked for; never another number."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.flow import Flow
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import Decision, Rehearsal
from tests.slots.spoken import french_group

FLOW = """
flow: small
language: fr
start: ask
too_long: bye
trouble: {say: sorry, then: bye}
defaults:
  no_input: {say: again, then: bye}
  no_match: {say: again, retries: 2, then: bye}
slots: {number: TYPE}
states:
  ask: {say: ask, slot: number, read_back: ["{number}", is_it], filled: done}
  done: {say: bye, hangup: true, outcome: done}
  bye: {say: bye, hangup: true, outcome: failed}
"""
PROMPTS = dict.fromkeys(("sorry", "again", "ask", "is_it", "bye", *(f"digit_{digit}" for digit in range(10))), 1_000)


def flow_for(slot_type: str) -> Flow:
    known = Known(frozenset({"yes", "no"}), frozenset(), PROMPTS)
    return read_flow(FLOW.replace("TYPE", slot_type), "fr/small.yaml", known)


PHONE, ZIP, CUSTOMER = flow_for("phone"), flow_for("zip_code"), flow_for("{type: digits, length: 8}")


def dictate(flow: Flow, parts: list[str]) -> Rehearsal:
    call = Rehearsal(flow, lambda sentence, allowed: Decision())
    for part in parts:
        call.says(part)
    return call


def pairs_of(digits: str) -> list[str]:
    return [digits[at : at + 2] for at in range(0, len(digits), 2)]


@settings(max_examples=60)
@given(st.integers(0, 99_999_999), st.sampled_from("67"), st.booleans())
def test_a_telephone_number_with_a_pause_between_its_pairs_is_that_number(rest: int, kind: str, in_words: bool) -> None:
    digits = f"0{kind}{rest:08d}"
    parts = [french_group(pair) for pair in pairs_of(digits)] if in_words else pairs_of(digits)
    call = dictate(PHONE, parts)
    tentative = call.dialogue.conversation.tentative or ""
    assert tentative.endswith(digits[1:])  # 0692 is Réunion's and gets its own country code
    assert tentative.startswith("+33") or digits[:3] in ("063", "069", "070")


@settings(max_examples=60)
@given(st.integers(1, 95), st.integers(0, 999), st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True))
def test_a_zip_code_cut_anywhere_is_that_code(department: int, commune: int, cuts: list[int]) -> None:
    code = f"{department:02d}{commune:03d}"
    ends = [*sorted(cuts), 5]
    parts = [code[start:end] for start, end in zip([0, *sorted(cuts)], ends, strict=True)]
    call = dictate(ZIP, [" ".join(part) for part in parts])
    assert call.dialogue.conversation.tentative == code


@settings(max_examples=60)
@given(st.integers(0, 99_999_999))
def test_a_customer_number_in_pairs_is_that_number(number: int) -> None:
    digits = f"{number:08d}"
    call = dictate(CUSTOMER, pairs_of(digits))
    assert call.dialogue.conversation.tentative == digits


@settings(max_examples=60)
@given(st.integers(1, 95), st.lists(st.sampled_from(["zéro", "onze", "un", "douze", "cent", "sept"]), max_size=3))
def test_parts_in_words_never_make_another_department(department: int, rest: list[str]) -> None:
    call = dictate(ZIP, [french_group(f"{department:02d}"), *rest])
    tentative = call.dialogue.conversation.tentative
    assert tentative is None or tentative.startswith(f"{department:02d}")


def test_words_between_the_parts_do_not_lose_them() -> None:
    call = dictate(PHONE, ["zéro six", "douze", "euh", "trente-quatre", "cinquante-six", "soixante-dix-huit"])
    assert call.dialogue.conversation.tentative == "+33612345678"


def test_a_new_beginning_replaces_what_was_heard() -> None:
    call = dictate(PHONE, ["zéro six", "douze", "zéro sept douze trente-quatre cinquante-six soixante-dix-huit"])
    assert call.dialogue.conversation.tentative == "+33712345678"
