"""Every conversation score of tests/flows/scores comes out as written, and together they cover the shipped flow."""

from pathlib import Path

import pytest

from dialogue.flow import Flow
from dialogue.rehearsal import Resolver
from dialogue.scores import BadScore, Score, coverage, play, read_scores

SCORES = [score for path in sorted((Path(__file__).parent / "scores").glob("*.yaml")) for score in read_scores(path)]


@pytest.mark.parametrize("score", SCORES, ids=[score.name for score in SCORES])
def test_score(score: Score, shipped: dict[str, Flow], resolvers: dict[str, Resolver]) -> None:
    result = play(score, shipped[score.flow], resolvers[shipped[score.flow].language])
    assert not result.faults


@pytest.mark.parametrize(("name", "fewest"), [("fr/heating", 60), ("fr/order_status", 20)])
def test_the_scores_cover_every_state_answer_counter_question_and_escalation(
    name: str, fewest: int, shipped: dict[str, Flow], resolve: Resolver
) -> None:
    scores = [score for score in SCORES if score.flow == name]
    assert len(scores) >= fewest
    covered = coverage(shipped[name], [play(score, shipped[name], resolve) for score in scores])
    assert covered.missing == ()


def test_the_scores_cover_the_whole_form(shipped: dict[str, Flow], resolve: Resolver) -> None:
    """What heating_form shares with heating is covered there."""
    flow = shipped["fr/heating_form"]
    scores = [score for score in SCORES if score.flow == "fr/heating_form"]
    missing = coverage(flow, [play(score, flow, resolve) for score in scores]).missing
    assert not [what for what in missing if what.removeprefix("state ").startswith("lead")]


def test_names_of_scores_are_unique() -> None:
    names = [score.name for score in SCORES]
    assert sorted(set(names)) == sorted(names)


def test_a_score_that_comes_out_otherwise_says_where(heating: Flow, resolve: Resolver) -> None:
    score = Score("a.yaml", "wrong", "fr/heating", ({"says": "oui"}, {"state": "goodbye"}, {"ends": "busy"}))
    assert play(score, heating, resolve).faults == (
        "a.yaml: wrong: step 2 {'state': 'goodbye'}: the state is ask_zip_code",
    )


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        ({"hears": ["ask_zip_code", "very_well"]}, "heard ['very_well', 'ask_zip_code']"),
        ({"hears_not": "very_well"}, "heard ['very_well', 'ask_zip_code']"),
        ({"slots": {"zip_code": "75011"}}, "the slots are {}"),
        ({"counters": {"busy": "1"}}, "the counters are {}"),
        ({"confirming": "75011"}, "None is to be confirmed"),
        ({"committed": "early"}, "the last turn was committed endpoint"),
        ({"intent_was": "busy"}, "the last intent was ok_eligibility"),
        ({"noted": "barge_in"}, "noted []"),
        ({"ends": "qualified"}, "the call goes on in ask_zip_code"),
        ({"transferred_to": "900"}, "transferred to nowhere"),
    ],
)
def test_every_check_can_fail(check: dict[str, object], fault: str, heating: Flow, resolve: Resolver) -> None:
    faults = play(Score("a.yaml", "wrong", "fr/heating", ({"says": "oui"}, check)), heating, resolve).faults
    assert len(faults) == 1
    assert faults[0].endswith(fault)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "no YAML"),
        ("- a", "must have flow and scores"),
        ("scores: [{name: a}]", "needs name and steps"),
        ("scores: [{name: a, steps: [{sings: la}]}]", "what is {'sings': 'la'}"),
        ("scores: [{name: a, steps: [{says: la, presses: 1}]}]", "what is"),
    ],
)
def test_a_file_that_is_no_score_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(BadScore, match=reason):
        read_scores(path)
