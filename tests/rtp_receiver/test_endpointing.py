"""Probabilities to utterances. A score is written as text: `#` a speech chunk, `.` a silent one, 32 ms each."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp_receiver.decisions import Aside, Began, End, EndpointDecision, Faint, Guess, Settled, SpeechIgnored, SpeechSpan
from rtp_receiver.endpoint_rules import EndpointRules
from rtp_receiver.endpointing import MOST_ASIDES, MOST_FAINT, Endpointer

# in chunks: eager 3, end 8, min speech 3, pre-roll 2, barge-in 5, longest utterance 60
RULES = EndpointRules(
    min_speech_ms=96,
    pre_roll_chunks=2,
    eager_silence_ms=96,
    end_silence_ms=256,
    max_utterance_ms=1_920,
    barge_in_ms=320,
)
BARGE_IN = EndpointRules(**{name: getattr(RULES, name) for name in RULES.__slots__} | {"barge_in": True})


def listening(rules: EndpointRules = RULES, turn: int = 1) -> Endpointer:
    endpointer = Endpointer(rules)
    endpointer.listen(turn, rules)
    return endpointer


def play(endpointer: Endpointer, score: str) -> list[EndpointDecision]:
    return [decision for sign in score for decision in endpointer.step(1.0 if sign == "#" else 0.0)]


def test_an_utterance_begins_is_guessed_and_ends() -> None:
    endpointer = listening()
    assert play(endpointer, ".....##") == []
    assert play(endpointer, "#") == [Began(1, 1)]
    assert play(endpointer, "##..") == []
    assert play(endpointer, ".") == [Guess(1, 1, 1, SpeechSpan(3, 12, 5, 9))]
    assert play(endpointer, "....") == []
    assert play(endpointer, ".") == [End(1, 1, 1, SpeechSpan(3, 12, 5, 9), "silence")]
    assert play(endpointer, "." * 50) == []


def test_speech_that_resumes_revises_the_guess() -> None:
    decisions = play(listening(), "....####....####........")
    assert decisions == [
        Began(1, 1),
        Guess(1, 1, 1, SpeechSpan(2, 10, 4, 7)),
        Guess(1, 1, 2, SpeechSpan(2, 18, 4, 15)),
        End(1, 1, 2, SpeechSpan(2, 18, 4, 15), "silence"),
    ]


PATIENT = EndpointRules(**{name: getattr(RULES, name) for name in RULES.__slots__} | {"commit_silence_ms": 160})


def test_a_guess_settles_when_its_silence_goes_on() -> None:
    endpointer = listening(PATIENT)
    guess = Guess(1, 1, 1, SpeechSpan(0, 6, 0, 3), settled=False)
    assert play(endpointer, "####...") == [Began(1, 1), guess]
    assert play(endpointer, ".") == []
    assert play(endpointer, ".") == [Settled(1, 1)]
    assert play(endpointer, "..") == []
    assert play(endpointer, ".") == [End(1, 1, 1, SpeechSpan(0, 6, 0, 3), "silence")]


def test_a_guess_that_speech_follows_never_settles() -> None:
    decisions = play(listening(PATIENT), "####....####........")
    assert [d for d in decisions if isinstance(d, Settled)] == [Settled(1, 2)]


def test_who_knows_more_of_a_guess_may_end_it_sooner() -> None:
    endpointer = listening()
    play(endpointer, "####...")
    endpointer.end_after(1, 1, 160)
    assert play(endpointer, "..") == [End(1, 1, 1, SpeechSpan(0, 6, 0, 3), "silence")]


def test_who_knows_more_of_a_guess_may_end_it_later() -> None:
    endpointer = listening()
    play(endpointer, "####...")
    endpointer.end_after(1, 1, 512)
    assert play(endpointer, "." * 12) == []
    assert isinstance(play(endpointer, ".")[0], End)


def test_what_was_said_of_a_guess_is_void_when_speech_resumes() -> None:
    endpointer = listening()
    play(endpointer, "####...")
    endpointer.end_after(1, 1, 160)
    assert play(endpointer, ".##....") == [Guess(1, 1, 2, SpeechSpan(0, 12, 0, 9))]
    endpointer.end_after(1, 1, 160)  # of the guess before
    endpointer.end_after(2, 2, 160)  # of another utterance
    assert play(endpointer, "...") == []
    assert play(endpointer, ".") == [End(1, 1, 2, SpeechSpan(0, 12, 0, 9), "silence")]
    play(endpointer, "####...")
    endpointer.end_after(2, 1, 512)
    play(endpointer, "##")
    endpointer.end_after(2, 1, 96)  # speech is going on: too late
    assert play(endpointer, "..") == []


def test_an_end_without_a_guess_of_the_same_speech_says_so() -> None:
    rules = EndpointRules(pre_roll_chunks=0, eager_silence_ms=1_000, end_silence_ms=96)
    assert play(listening(rules), "####...") == [Began(1, 1), End(1, 1, 0, SpeechSpan(0, 6, 0, 3), "silence")]


def test_a_click_is_no_utterance() -> None:
    assert play(listening(), "..#..........") == [SpeechIgnored("too_short")]


def heard(endpointer: Endpointer, *probabilities: float) -> list[EndpointDecision]:
    return [decision for p in (*probabilities, *[0.0] * 7) for decision in endpointer.step(p)]


def test_what_may_be_a_word_is_heard_while_an_answer_is_awaited() -> None:
    """Two chunks of a quick "oui", or a soft one that never gets near the threshold."""
    endpointer = listening()
    assert heard(endpointer, 0.0, 0.0, 0.7, 0.6) == [Faint(1, 1, SpeechSpan(0, 6, 2, 3))]
    assert heard(endpointer, 0.25, 0.3, 0.22, 0.24) == [Faint(1, 1, SpeechSpan(0, 17, 2, 14))]
    play(endpointer, "." * 30)
    assert heard(endpointer, 0.25, 0.3) == [Faint(1, 2, SpeechSpan(50, 56, 52, 53))]


def test_what_may_be_a_word_is_part_of_the_speech_that_follows() -> None:
    endpointer = listening()
    assert heard(endpointer, 0.0, 0.0, 0.3, 0.3)[0] == Faint(1, 1, SpeechSpan(0, 6, 2, 3))
    assert play(endpointer, "###")[-1] == Began(1, 1)
    assert play(endpointer, "...") == [Guess(1, 1, 1, SpeechSpan(0, 16, 2, 13))]


def test_nothing_is_a_faint_word_over_a_prompt_or_before_the_first_turn() -> None:
    assert heard(Endpointer(RULES), 0.3, 0.3) == []
    endpointer = listening(BARGE_IN)
    endpointer.bot_speaks(True)
    assert heard(endpointer, 0.3, 0.3) == []
    [endpointer.step(p) for p in (0.3, 0.3)]
    endpointer.bot_speaks(False)
    assert heard(endpointer, 0.3) == [SpeechIgnored("too_short")], "most of it was said over the prompt"


def test_a_murmur_that_goes_on_is_no_word() -> None:
    endpointer = listening()
    assert heard(endpointer, *[0.3] * 64) == [SpeechIgnored("faint")]
    assert heard(endpointer, *[0.3] * 60) == [Faint(1, 1, SpeechSpan(69, 133, 71, 130))]


def test_a_hum_that_comes_and_goes_is_forgotten_until_the_next_turn() -> None:
    endpointer = listening()
    found = [heard(endpointer, 0.3, 0.3, *[0.0] * 10) for _ in range(MOST_FAINT + 3)]
    assert [type(decision) for (decision,) in found] == [Faint] * MOST_FAINT + [SpeechIgnored] * 3
    endpointer.listen(2, RULES)
    assert isinstance(heard(endpointer, 0.3, 0.3)[0], Faint)


def test_a_short_word_with_a_gap_is_one() -> None:
    assert play(listening(), "..##..#")[0] == Began(1, 1)


def test_the_probability_has_to_rise_to_begin_and_to_fall_to_stop() -> None:
    endpointer = listening()
    assert [endpointer.step(p) for p in (0.45, 0.45, 0.45, 0.45)] == [()] * 4
    found = [d for p in (0.6, 0.4, 0.4, 0.4, 0.3, 0.45, 0.45) for d in endpointer.step(p)]
    assert found == [Began(1, 1), Guess(1, 1, 1, SpeechSpan(2, 10, 4, 7))]


def test_an_utterance_without_end_is_cut_and_goes_on_as_the_next() -> None:
    decisions = play(listening(), "#" * 270)
    ends = [decision for decision in decisions if isinstance(decision, End)]
    assert [(e.span.first_voiced, e.span.last_chunk, e.cause) for e in ends] == [
        (60, 119, "too_long"),
        (180, 239, "too_long"),
    ]
    assert [d.utterance for d in decisions if isinstance(d, Began)] == [1, 2, 3]


def test_of_a_long_story_the_end_counts_and_nothing_is_told_before_it_is_over() -> None:
    decisions = play(listening(), "#" * 90 + "." * 8)
    (end,) = (decision for decision in decisions if isinstance(decision, End))
    assert (end.cause, end.span.first_voiced, end.span.last_voiced) == ("silence", 38, 89)
    assert [type(decision) for decision in decisions] == [Began, Guess, End]


def test_two_utterances_share_no_speech_and_no_pre_roll_of_it() -> None:
    rules = EndpointRules(pre_roll_chunks=20, eager_silence_ms=96, end_silence_ms=96)
    spans = [d.span for d in play(listening(rules), "####....####....") if isinstance(d, End)]
    assert [(s.first_chunk, s.first_voiced, s.last_voiced) for s in spans] == [(0, 0, 3), (4, 8, 11)]


def test_nothing_is_an_utterance_before_the_first_turn() -> None:
    endpointer = Endpointer(RULES)
    assert play(endpointer, "######........") == [SpeechIgnored("bot_speaking")]


def test_speech_goes_on_into_the_first_turn() -> None:
    endpointer = Endpointer(RULES)
    play(endpointer, "#####")
    endpointer.listen(4, RULES)
    assert play(endpointer, "#") == [Began(4, 1)]


# --- while the bot speaks ---


def test_without_barge_in_words_into_the_prompt_are_ignored() -> None:
    endpointer = listening()
    endpointer.bot_speaks(True)
    assert play(endpointer, "..########..........") == [SpeechIgnored("bot_speaking")]


def test_speech_from_the_last_moment_of_the_prompt_counts_with_its_pre_roll() -> None:
    endpointer = listening()
    endpointer.bot_speaks(True)
    assert play(endpointer, "..........####") == []
    endpointer.bot_speaks(False)
    decisions = play(endpointer, "####........")
    assert decisions[0] == Began(1, 1)
    assert decisions[-1] == End(1, 1, 1, SpeechSpan(8, 20, 10, 17), "silence")


def test_speech_that_was_going_on_for_long_counts_from_the_last_moment_of_the_prompt() -> None:
    endpointer = listening()
    endpointer.bot_speaks(True)
    play(endpointer, "#" * 40)
    endpointer.bot_speaks(False)
    decisions = play(endpointer, "####........")
    assert isinstance(decisions[-1], End)
    assert decisions[-1].span == SpeechSpan(28, 46, 30, 43)  # 300 ms are ten chunks, before them the pre-roll


def test_speech_that_was_over_before_the_prompt_ended_does_not_count() -> None:
    endpointer = listening()
    endpointer.bot_speaks(True)
    play(endpointer, "######.......")
    endpointer.bot_speaks(False)
    assert play(endpointer, "." * 30) == []


def test_barge_in_needs_more_speech() -> None:
    endpointer = spoken_to()
    assert play(endpointer, "####") == []
    assert play(endpointer, "#") == [Began(1, 1)]


def test_barge_in_needs_more_of_what_is_hardly_speech() -> None:
    def chunks_until_began(probability: float) -> int | None:
        endpointer = listening(BARGE_IN)
        endpointer.bot_speaks(True)
        return next((n for n in range(1, 30) if Began(1, 1) in endpointer.step(probability)), None)

    assert [chunks_until_began(p) for p in (1.0, 0.9, 0.7, 0.6, 0.3)] == [5, 6, 8, 17, None]


def spoken_to() -> Endpointer:
    """The bot speaks to a caller who may interrupt it."""
    endpointer = listening(BARGE_IN)
    endpointer.bot_speaks(True)
    return endpointer


def test_speech_that_is_not_sure_enough_to_stop_the_prompt_is_set_aside() -> None:
    assert play(spoken_to(), "..####......") == []
    assert play(spoken_to(), "..####.......") == [Aside(1, 1, SpeechSpan(0, 8, 2, 5))]
    weak = spoken_to()
    decisions = [decision for p in (0.3, 0.6, 0.5, 0.4, 0.5, 0.4, *[0.0] * 7) for decision in weak.step(p)]
    assert decisions == [Aside(1, 1, SpeechSpan(0, 8, 1, 5))]
    assert not weak.speaking


def test_what_is_no_word_or_said_where_nobody_may_interrupt_is_not_set_aside() -> None:
    assert play(spoken_to(), "..##........") == [SpeechIgnored("too_short")]
    deaf = listening(RULES)
    deaf.bot_speaks(True)
    assert play(deaf, "..####........") == [SpeechIgnored("bot_speaking")]


def test_speech_that_goes_on_with_what_was_set_aside_is_one_utterance_with_it() -> None:
    decisions = play(spoken_to(), "..####.......#####........")
    assert decisions == [
        Aside(1, 1, SpeechSpan(0, 8, 2, 5)),
        Began(1, 1),
        Guess(1, 1, 1, SpeechSpan(0, 20, 2, 17)),
        End(1, 1, 1, SpeechSpan(0, 20, 2, 17), "silence"),
    ]


def test_doubtful_speech_that_goes_on_is_set_aside_as_a_whole() -> None:
    assert play(spoken_to(), "####.......####.......") == [
        Aside(1, 1, SpeechSpan(0, 6, 0, 3)),
        Aside(1, 1, SpeechSpan(0, 17, 0, 14)),
    ]


def test_speech_long_after_what_was_set_aside_is_an_utterance_of_its_own() -> None:
    decisions = play(spoken_to(), "####........#####........")
    assert decisions[:2] == [Aside(1, 1, SpeechSpan(0, 6, 0, 3)), Began(1, 2)]
    assert decisions[-1] == End(1, 2, 1, SpeechSpan(10, 19, 12, 16), "silence")


def test_a_hum_that_comes_and_goes_is_set_aside_a_few_times_in_a_turn() -> None:
    endpointer = spoken_to()
    decisions = play(endpointer, "####.........." * 9)
    assert [decision.utterance for decision in decisions if isinstance(decision, Aside)] == [*range(1, MOST_ASIDES + 1)]
    assert decisions[MOST_ASIDES:] == [SpeechIgnored("barge_in_unconfirmed")] * (9 - MOST_ASIDES)
    endpointer.listen(2, BARGE_IN)
    assert play(endpointer, "####.......") == [Aside(2, MOST_ASIDES + 1, SpeechSpan(124, 132, 126, 129))]


def test_speech_in_the_next_turn_does_not_go_on_with_what_was_set_aside() -> None:
    endpointer = spoken_to()
    play(endpointer, "####.......")
    endpointer.listen(2, BARGE_IN)
    assert play(endpointer, "#####") == [Began(2, 2)]


def test_a_short_answer_at_the_end_of_the_prompt_needs_no_barge_in() -> None:
    endpointer = listening(BARGE_IN)
    endpointer.bot_speaks(True)
    assert play(endpointer, "..####..") == []
    endpointer.bot_speaks(False)
    assert play(endpointer, ".") == [Began(1, 1)]


def test_a_prompt_that_begins_does_not_end_the_utterance_before_it() -> None:
    endpointer = listening()
    play(endpointer, "#####")
    endpointer.bot_speaks(True)
    decisions = play(endpointer, "###........")
    assert decisions[-1] == End(1, 1, 1, SpeechSpan(0, 10, 0, 7), "silence")


# --- turns ---


def test_a_turn_committed_early_closes_the_utterance() -> None:
    endpointer = listening()
    assert isinstance(play(endpointer, "#####...")[-1], Guess)
    endpointer.listen(2, RULES)
    assert play(endpointer, "." * 40) == []
    assert not endpointer.speaking


def test_speech_after_an_early_commit_is_an_utterance_of_the_new_turn() -> None:
    endpointer = listening(BARGE_IN)
    play(endpointer, "#####...##")  # the guess, and two chunks of resumed speech before the new turn is known
    endpointer.listen(2, BARGE_IN)
    endpointer.bot_speaks(True)
    decisions = play(endpointer, "#####........")
    assert decisions[0] == Began(2, 2)
    assert decisions[-1] == End(2, 2, 1, SpeechSpan(6, 17, 8, 14), "silence")


def test_speech_without_a_guess_goes_over_to_the_new_turn_whole() -> None:
    endpointer = listening()
    assert play(endpointer, "..#####") == [Began(1, 1)]
    endpointer.listen(2, RULES)
    decisions = play(endpointer, "##........")
    assert decisions[0] == Began(2, 2)
    assert decisions[-1] == End(2, 2, 1, SpeechSpan(0, 11, 2, 8), "silence")


def test_the_same_turn_again_changes_the_rules_only() -> None:
    endpointer = listening()
    play(endpointer, "#####")
    endpointer.listen(1, EndpointRules(pre_roll_chunks=0, eager_silence_ms=96, end_silence_ms=640))
    decisions = play(endpointer, "." * 20)
    assert decisions[-1] == End(1, 1, 1, SpeechSpan(0, 7, 0, 4), "silence")
    assert endpointer.utterance == 1


def test_utterances_are_numbered_from_where_a_restarted_receiver_says() -> None:
    endpointer = Endpointer(RULES, first_utterance=7)
    endpointer.listen(1, RULES)
    assert play(endpointer, "###") == [Began(1, 7)]


# --- properties ---


@given(st.lists(st.floats(0, 1), max_size=400))
def test_every_utterance_has_one_beginning_its_guesses_and_one_end(probabilities: list[float]) -> None:
    endpointer = listening()
    decisions = [d for p in [*probabilities, *[0.0] * 20] for d in endpointer.step(p) if not isinstance(d, Faint)]
    story: dict[int, list[str]] = {}
    end_before = -1
    for decision in decisions:
        if isinstance(decision, SpeechIgnored):
            continue
        story.setdefault(decision.utterance, []).append(type(decision).__name__)
        if isinstance(decision, Guess | End):
            span = decision.span
            assert end_before < span.first_chunk <= span.first_voiced <= span.last_voiced <= span.last_chunk
        if isinstance(decision, End):
            end_before = decision.span.last_voiced
    assert sorted(story) == list(story)
    for names in story.values():
        assert names[0] == "Began"
        assert names[-1] == "End"
        assert set(names[1:-1]) <= {"Guess"}


@given(st.lists(st.tuples(st.sampled_from("#."), st.integers(1, 30)), max_size=30))
def test_long_enough_speech_is_always_inside_an_utterance(pieces: list[tuple[str, int]]) -> None:
    """Unless the bot speaks or somebody tells a long story, no run of speech of at least the least length is lost."""
    rules = replace(RULES, max_utterance_ms=60_000)
    score = "".join(sign * count for sign, count in pieces) + "." * 20
    spans = [d.span for d in play(listening(rules), score) if isinstance(d, End)]
    heard = {chunk for span in spans for chunk in range(span.first_chunk, span.last_chunk + 1)}
    start = 0
    for run in score.replace(".", " ").split(" "):
        if len(run) >= 3:
            assert set(range(start, start + len(run))) <= heard
        start += len(run) + 1


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 12), st.sampled_from([None, True, False])), max_size=60))
def test_audio_that_was_given_up_is_never_asked_for(pieces: list[tuple[float, int, bool | None]]) -> None:
    endpointer = listening(BARGE_IN)
    given_up = 0
    for probability, count, speaks in pieces:
        if speaks is not None:
            endpointer.bot_speaks(speaks)
        for _ in range(count):
            for decision in endpointer.step(probability):
                if isinstance(decision, Guess | End | Aside | Faint):
                    assert decision.span.first_chunk >= given_up
            given_up = max(given_up, endpointer.needs_from())


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("speech"), st.floats(0, 1)),
            st.tuples(st.just("bot"), st.booleans()),
            st.tuples(st.just("turn"), st.integers(1, 5)),
        ),
        max_size=300,
    ),
    st.booleans(),
)
def test_any_order_of_turns_prompts_and_speech_is_handled(steps: list[tuple[str, float]], barge_in: bool) -> None:
    endpointer = Endpointer(RULES)
    turn = None
    for kind, value in steps:
        if kind == "bot":
            endpointer.bot_speaks(bool(value))
        elif kind == "turn":
            turn = int(value)
            endpointer.listen(turn, BARGE_IN if barge_in else RULES)
        else:
            for decision in endpointer.step(value):
                assert isinstance(decision, SpeechIgnored | Settled) or decision.turn == turn
            assert turn is not None or not endpointer.speaking


@pytest.mark.parametrize(
    "rules", [EndpointRules(eager_silence_ms=0), EndpointRules(end_silence_ms=0), EndpointRules(pre_roll_chunks=0)]
)
def test_zero_is_an_allowed_duration(rules: EndpointRules) -> None:
    decisions = play(listening(rules), "....####" + "." * 30)
    assert isinstance(decisions[-1], End)
