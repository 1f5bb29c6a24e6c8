"""The intent client over real HTTP: two sets, one deadline, four error codes; one question at a time per call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot_manager.effects import EffectRunner
from bot_manager.intents import IntentAnswer, IntentClient, IntentError
from devstack.processes import free_tcp_port
from dialogue.effects import Effect, EffectDone
from tests.bot_manager.conftest import IntentServer, until

YES = {"intent": "yes", "score": 0.9}


@pytest.fixture
async def client(intents: IntentServer) -> AsyncIterator[IntentClient]:
    client = IntentClient(intents.main_url, intents.faqs_url, timeout_s=2.0)
    yield client
    await client.close()


async def test_the_main_set_is_asked_first_with_what_the_state_allows(
    client: IntentClient, intents: IntentServer
) -> None:
    intents.answers["oui"] = YES
    assert await client.ask("oui", "fr", ("yes", "no")) == IntentAnswer("yes", 0.9)
    assert intents.asked == [("main", {"sentence": "oui", "language": "fr", "allowed": ["yes", "no"]})]


async def test_the_faq_set_is_asked_without_limits_when_the_main_set_has_no_match(
    client: IntentClient, intents: IntentServer
) -> None:
    intents.faqs["combien ça coûte"] = {"intent": "faq3", "score": 0.8}
    answer = await client.ask("combien ça coûte", "fr", ("yes",))
    assert answer == IntentAnswer("faq3", 0.8, faq_set=True)
    assert intents.asked[1] == ("faqs", {"sentence": "combien ça coûte", "language": "fr"})


async def test_no_match_in_either_set_is_a_fallback(client: IntentClient) -> None:
    answer = await client.ask("bla bla", "fr", ())
    assert (answer.intent, answer.fallback) == ("", True)


@pytest.mark.parametrize("intent", ["no_match", "none", "fallback", None, ""])
async def test_a_service_that_only_names_the_intent_may_say_no_match_in_its_way(
    client: IntentClient, intents: IntentServer, intent: str | None
) -> None:
    intents.answers["bla"] = intents.faqs["bla"] = {"intent": intent}
    assert (await client.ask("bla", "fr", ())).fallback


@pytest.mark.parametrize(
    ("status", "text", "content_type", "code"),
    [
        (500, "oops", "text/plain", "api_request_error"),
        (503, '{"detail": "training"}', "application/json", "api_request_error"),
        (422, '{"detail": "allowed"}', "application/json", "api_request_error"),
        (200, "<html>", "text/html", "json_decode_error"),
        (200, "[1]", "application/json", "json_decode_error"),
        (200, '{"answer": "yes"}', "application/json", "json_decode_error"),
        (200, '{"intent": 3}', "application/json", "json_decode_error"),
        (200, '{"intent": "yes", "score": "high"}', "application/json", "json_decode_error"),
    ],
)
async def test_an_answer_that_is_none_has_a_code(
    client: IntentClient, intents: IntentServer, status: int, text: str, content_type: str, code: str
) -> None:
    intents.answers["oui"] = (status, text)
    intents.content_type = content_type
    with pytest.raises(IntentError) as caught:
        await client.ask("oui", "fr", ())
    assert caught.value.code == code


async def test_an_error_of_our_own_is_unknown_and_no_crash(client: IntentClient) -> None:
    with pytest.raises(IntentError) as caught:
        await client.ask("oui", b"fr", ())  # type: ignore[arg-type]
    assert caught.value.code == "unknown_error"


async def test_a_service_that_is_not_there_is_an_api_error() -> None:
    url = f"http://127.0.0.1:{free_tcp_port()}/"
    client = IntentClient(url, url, timeout_s=2.0)
    with pytest.raises(IntentError) as caught:
        await client.ask("oui", "fr", ())
    assert caught.value.code == "api_request_error"
    await client.close()


async def test_both_sets_share_one_deadline(intents: IntentServer) -> None:
    client = IntentClient(intents.main_url, intents.faqs_url, timeout_s=0.2)
    intents.gate.clear()
    with pytest.raises(IntentError) as caught:
        await client.ask("oui", "fr", ())
    assert caught.value.code == "request_timeout_error"
    assert [name for name, _ in intents.asked] == ["main"]
    await client.close()


async def test_a_service_that_was_restarted_is_asked_again(client: IntentClient, intents: IntentServer) -> None:
    intents.answers["oui"] = (500, "")
    with pytest.raises(IntentError):
        await client.ask("oui", "fr", ())
    assert client.failing_since is not None
    intents.answers["oui"] = YES
    await client.ask("oui", "fr", ())
    assert client.failing_since is None


# --- as effects of a call ---


def question(text: str, number: int = 1) -> Effect:
    return Effect(f"c:{number}:intent", "intent", {"sentence": text, "language": "fr", "allowed": ["yes", "no"]})


@pytest.fixture
async def found(client: IntentClient) -> AsyncIterator[tuple[EffectRunner, asyncio.Queue[EffectDone]]]:
    reports: asyncio.Queue[EffectDone] = asyncio.Queue()
    runner = EffectRunner(client, reports.put_nowait)
    yield runner, reports
    runner.close()


Found = tuple[EffectRunner, "asyncio.Queue[EffectDone]"]


async def test_a_question_is_answered_under_its_id(found: Found, intents: IntentServer) -> None:
    runner, reports = found
    intents.answers["oui"] = YES
    runner.run(question("oui"))
    done = await reports.get()
    assert (done.id, done.error) == ("c:1:intent", "")
    assert done.result == {"intent": "yes", "score": 0.9, "faq_set": False, "fallback": False}
    assert intents.asked[0][1] == {"sentence": "oui", "language": "fr", "allowed": ["yes", "no"]}


async def test_what_is_asked_for_again_while_it_is_under_way_is_done_once(found: Found, intents: IntentServer) -> None:
    runner, reports = found
    intents.answers["oui"] = YES
    intents.gate.clear()
    runner.run(question("oui"))
    await intents.asked_once.wait()
    runner.run(question("oui"))
    intents.gate.set()
    await reports.get()
    assert len(intents.asked) == 1


async def test_of_a_question_that_was_dropped_nothing_is_told(found: Found, intents: IntentServer) -> None:
    runner, reports = found
    intents.answers["non"] = {"intent": "no", "score": 0.8}
    intents.gate.clear()
    runner.run(question("oui"))
    await intents.asked_once.wait()
    runner.drop("c:1:intent")
    runner.run(question("non", 2))
    await until(lambda: len(intents.asked) == 2)
    intents.gate.set()
    assert (await reports.get()).id == "c:2:intent"
    assert reports.empty()


async def test_an_error_is_told_by_its_code(found: Found, intents: IntentServer) -> None:
    runner, reports = found
    intents.answers["oui"] = (500, "")
    runner.run(question("oui"))
    done = await reports.get()
    assert (done.result, done.error) == (None, "api_request_error")


async def test_an_effect_of_a_newer_release_fails_and_is_told(found: Found) -> None:
    runner, reports = found
    runner.run(Effect("c:1:magic", "magic"))
    runner.run(Effect("c:2:intent", "intent", {}))  # without what it needs
    assert {(await reports.get()).error for _ in range(2)} == {"unknown_kind", "unknown_error"}
