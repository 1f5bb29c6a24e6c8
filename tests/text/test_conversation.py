"""A conversation in writing as values: what the bot manager is told, and what the client is shown."""

from __future__ import annotations

import pytest

from protocol.items import Item, PromptItem, SpeechItem
from protocol.messages import (
    Append,
    CallEnded,
    CallStarted,
    Command,
    HangUp,
    Listen,
    PlaybackFinished,
    PlaybackStarted,
    Say,
    SpeechStarted,
    TransferCall,
    UtteranceTranscribed,
)
from text_service.conversation import (
    MOST_MESSAGES,
    Rating,
    TextConversation,
    TextMessage,
    again,
    begin,
    commanded,
    end,
    query,
    rated,
    unanswered,
)

CALL = "local-text-01m8k1jjc2mz5v9aqeq6e67kaw"


def texts(language: str, items: tuple[Item, ...]) -> str:
    return " ".join(item.text if isinstance(item, SpeechItem) else getattr(item, "name", "?") for item in items)


def say(number: int, *names: str, parting: bool = False, more: bool = False) -> Say:
    items = tuple(PromptItem(name) for name in names)
    return Say(CALL, 1.0, number, f"p-{number}", "fr", items, open=more, parting=parting)


def told(now: TextConversation, *commands: Command) -> tuple[TextConversation, list[object]]:
    events: list[object] = []
    for command in commands:
        now, more = commanded(now, command, texts, 2.0)
        events += more
    return now, events


@pytest.fixture
def greeted() -> TextConversation:
    """The bot has asked its first question."""
    now, events = begin(TextConversation("client-1"), CALL, "fr/heating", 1.0)
    assert events == [CallStarted(CALL, 1.0, "", "", "fr/heating", direction="text")]
    now, _ = told(now, Listen(CALL, 1.0, 1, "fr"), say(1, "welcome"))
    return now


def test_what_the_bot_says_is_heard_at_once(greeted: TextConversation) -> None:
    assert [message.content for message in greeted.messages] == ["welcome"]
    now, events = told(greeted, say(2, "one", "two"))
    assert [type(event) for event in events] == [PlaybackStarted, PlaybackFinished]
    finished = events[1]
    assert isinstance(finished, PlaybackFinished)
    assert (finished.state, [heard.state for heard in finished.heard]) == ("finished", ["finished"] * 2)
    assert now.messages[-1].content == "one two"


def test_a_query_is_an_utterance_of_the_turn_that_is_listened_in(greeted: TextConversation) -> None:
    now, events = query(greeted, "q1", "oui", 3.0)
    assert isinstance(events[0], SpeechStarted)
    assert isinstance(events[1], UtteranceTranscribed)
    assert (events[1].turn, events[1].utterance, events[1].text, events[1].confidence) == (1, 1, "oui", 1.0)
    with pytest.raises(ValueError, match="no answer yet"):
        query(now, "q2", "non", 3.0)


def test_a_filler_is_shown_and_is_no_answer(greeted: TextConversation) -> None:
    now, _ = query(greeted, "q1", "oui", 3.0)
    now, _ = told(now, say(2, "one_moment"))
    assert now.pending == "q1"
    now, _ = told(now, Listen(CALL, 4.0, 2, "fr"), say(3, "ask_zip_code"))
    assert now.pending == ""
    assert [message.content for message in now.answers_to("q1")] == ["one_moment", "ask_zip_code"]


def test_a_first_query_waits_for_the_first_question() -> None:
    now, _ = begin(TextConversation("client-1"), CALL, "", 1.0)
    now, asked = query(now, "q1", "oui", 1.0)
    assert asked == []
    now, events = told(now, Listen(CALL, 1.0, 1, "fr"), say(1, "welcome"))
    assert [type(event) for event in events] == [
        PlaybackStarted,
        PlaybackFinished,
        SpeechStarted,
        UtteranceTranscribed,
    ]
    assert now.pending == "q1"
    now, _ = told(now, Listen(CALL, 1.0, 2, "fr"), say(2, "ask_zip_code"))
    assert [message.content for message in now.answers_to("q1")] == ["welcome", "ask_zip_code"]


@pytest.mark.parametrize(
    ("command", "ended"),
    [(HangUp(CALL, 5.0, "qualified"), "bot_hung_up"), (TransferCall(CALL, 5.0, "900"), "transferred")],
)
def test_the_good_bye_is_the_answer_when_the_conversation_has_ended(
    greeted: TextConversation, command: Command, ended: str
) -> None:
    now, _ = query(greeted, "q1", "au revoir", 3.0)
    now, _ = told(now, Listen(CALL, 4.0, 2, "fr"), say(2, "goodbye", parting=True))
    assert now.pending == "q1"
    now, events = told(now, command)
    assert (now.pending, now.ended, now.goes_on) == ("", ended, False)
    assert events == [CallEnded(CALL, 2.0, ended)]  # type: ignore[arg-type]
    assert told(now, say(9, "late")) == (now, [])
    fresh, _ = begin(now, CALL.replace("01m8", "01m9"), "", 6.0)
    assert (fresh.goes_on, fresh.messages, fresh.turn) == (True, now.messages, 0)


def test_a_command_that_is_seen_twice_shows_nothing_twice(greeted: TextConversation) -> None:
    once, first = told(greeted, say(2, "ask_zip_code"))
    twice, second = told(once, say(2, "ask_zip_code"))
    assert (twice, second) == (once, first)


def test_an_answer_may_come_in_parts(greeted: TextConversation) -> None:
    now, _ = query(greeted, "q1", "oui", 3.0)
    now, events = told(now, Listen(CALL, 4.0, 2, "fr"), say(2, "one", more=True))
    assert [type(event) for event in events] == [PlaybackStarted]
    now, _ = told(now, Append(CALL, 4.0, "p-2", (SpeechItem("two"),)))
    assert now.pending == "q1"
    now, events = told(now, Append(CALL, 4.0, "p-2", (SpeechItem("three"),), last=True))
    assert [type(event) for event in events] == [PlaybackFinished]
    assert now.pending == ""
    assert [message.content for message in now.answers_to("q1")] == ["one", "two", "three"]


def test_a_question_without_words_is_an_answer_without_words(greeted: TextConversation) -> None:
    now, _ = query(greeted, "q1", "oui", 3.0)
    assert unanswered(now, 3.5) == (now, [])  # it does not listen again yet
    now, _ = told(now, Listen(CALL, 4.0, 2, "fr"))
    now, events = unanswered(now, 5.0)
    assert (now.pending, now.answers_to("q1"), events) == ("", (), [])


def test_after_a_restart_the_same_utterance_is_told_again(greeted: TextConversation) -> None:
    assert again(greeted, 9.0) == []
    now, events = query(greeted, "q1", "oui", 3.0)
    repeated = again(now, 9.0)
    assert [(event.turn, event.utterance) for event in repeated] == [(1, 1)] * 2  # type: ignore[union-attr]
    assert isinstance(repeated[1], UtteranceTranscribed)
    assert repeated[1].text == "oui"
    assert len(events) == len(repeated)


def test_a_beginning_of_which_nothing_has_come_is_told_again() -> None:
    now, begun = begin(TextConversation("client-1"), "c1", "fr/x", 1.0, {"channel": "kiosk"}, "+33600000001")
    assert again(now, 5.0) == begun
    now, _ = query(now, "q-c1-0", "oui", 2.0)
    assert again(now, 5.0) == begun  # the query waits for the first question
    now, _ = commanded(now, Listen("c1", 3.0, 1, "fr"), lambda *_: "", 3.0)
    assert again(now, 5.0) == []


def test_what_is_said_while_the_bot_asks_the_world_is_no_question() -> None:
    now, _ = begin(TextConversation("client-1"), CALL, "it/booking", 1.0)
    now, _ = query(now, "q-1", "vorrei prenotare", 1.0)
    now, _ = told(now, Listen(CALL, 1.0, 1, "it", state="find_shop", asks=False), say(1, "good_morning"))
    assert (now.pending, now.waiting) == ("q-1", "q-1")  # nobody hears it yet
    now, events = told(now, Listen(CALL, 1.0, 1, "it", state="ask_intent"), say(2, "how_can_i_help"))
    assert [event.text for event in events if isinstance(event, UtteranceTranscribed)] == ["vorrei prenotare"]
    assert (now.pending, now.waiting, now.state) == ("q-1", "", "ask_intent")
    now, _ = told(now, Listen(CALL, 1.0, 2, "it", state="look_by_name", asks=False), say(3, "one_moment"))
    assert unanswered(now, 2.0)[0].pending == now.pending == "q-1"
    now, _ = told(now, Listen(CALL, 1.0, 2, "it", state="ask_services"), say(4, "which_service"))
    assert now.pending == ""
    said = [message.content for message in now.answers_to("q-1")]
    assert said == ["good_morning", "how_can_i_help", "one_moment", "which_service"]


def test_a_reference_leads_to_its_query(greeted: TextConversation) -> None:
    now, _ = query(greeted, "q1", "oui", 3.0, ref="r1")
    assert (now.message_of("r1"), now.message_of("r2")) == ("q1", "")


def test_the_oldest_messages_go_and_an_answer_never_stands_without_its_query(greeted: TextConversation) -> None:
    now = greeted
    for number in range(2, MOST_MESSAGES):
        now, _ = query(now, f"q{number}", "oui", 3.0)
        now, _ = told(now, Listen(CALL, 4.0, number, "fr"), say(number, f"answer_{number}"))
    assert MOST_MESSAGES - 1 <= len(now.messages) <= MOST_MESSAGES
    assert now.messages[0].role == "user"
    assert now.messages[-1].content == f"answer_{MOST_MESSAGES - 1}"


def test_commands_of_another_conversation_change_nothing(greeted: TextConversation) -> None:
    assert told(greeted, HangUp("local-text-01m8k1jjc2mz5v9aqeq6e67kzz", 5.0)) == (greeted, [])


def test_who_stays_away_has_ended_the_conversation(greeted: TextConversation) -> None:
    now, events = end(greeted, 9.0)
    assert (now.ended, events) == ("caller_hung_up", [CallEnded(CALL, 9.0, "caller_hung_up")])
    assert end(now, 9.0) == (now, [])
    with pytest.raises(ValueError, match="no conversation"):
        query(now, "q", "oui", 9.0)
    with pytest.raises(ValueError, match="already"):
        begin(greeted, CALL, "", 9.0)


def test_the_last_rating_of_an_answer_counts_and_only_answers_are_rated(greeted: TextConversation) -> None:
    answer = greeted.messages[0].id
    now = rated(rated(greeted, answer, Rating("up", "", 1.0)), answer, Rating("down", "no", 2.0))
    assert now.ratings == {answer: Rating("down", "no", 2.0)}
    now, _ = query(now, "q1", "oui", 3.0)
    for unknown in ("q1", "p-77"):
        with pytest.raises(KeyError):
            rated(now, unknown, Rating("up", "", 1.0))
    assert isinstance(now.messages[0], TextMessage)
