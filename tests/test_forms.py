"""What a setting may be, every request takes: a name is never accepted by one reader and refused by the next one."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st
from yaml.error import Mark
from yaml.nodes import ScalarNode

import forms
from ari_controller.__main__ import rules_of
from ari_controller.ari_requests import BadRequest, media_of, valid_id
from ari_controller.call_states import APOLOGY, BUSY
from config import BadSettings, BotSettings, ControllerSettings, IntentSettings, ReceiverSettings, load
from dialogue.flow_names import Known, Names
from dialogue.flow_steps import Parts
from dialogue.flow_yaml import Reader
from protocol.call_id import RANDOM_BYTES, is_call_id, is_fit, new_call_id
from protocol.items import PromptItem
from protocol.keys import legs_key
from protocol.messages import Say, TransferCall
from tests.ari_controller.test_call_legs import CALL, Scene

NASTY = (
    "",
    "fr_FR",
    "FR",
    "french",
    "fr-",
    "a,b",
    "a&b",
    "900@x",
    "../x",
    "paris [1]:*",
    "a..b",
    "sn-1",
    "h\0st",
    "::1",
)
ANY = st.one_of(
    st.sampled_from(NASTY),
    st.from_regex(r"[A-Za-z0-9_.*#+-]{0,90}", fullmatch=True),
    st.from_regex(r"[a-z]{1,4}([-_][A-Za-z]{1,5})?", fullmatch=True),
    st.from_regex(r"[a-z0-9_]{1,90}", fullmatch=True),
    st.text(max_size=12),
)
KEYS = (
    "FAREWELL_LANGUAGE", "HOLD_PROMPT", "HANDOFF_CONTEXT", "HANDOFF_EXTENSION", "BUSY_EXTENSION", "ARI_APP", "RTP_HOST",
    "RTP_PORT", "PROMPTS_DIR", "RECORDINGS_DIR",
)  # fmt: skip


def settings_with(key: str, value: str) -> ControllerSettings | None:
    """The controller's settings with one of them set; None where they refuse it."""
    try:
        return load(ControllerSettings, {"ARI_PASSWORD": "x", key: value})
    except BadSettings:
        return None


@given(st.sampled_from(KEYS), ANY)
def test_every_legal_setting_goes_through_every_request_of_a_call(key: str, value: str) -> None:
    settings = settings_with(key, value if key != "PROMPTS_DIR" else f"/{value}")
    if settings is None:
        return
    rules = rules_of(settings)
    served = Scene(rules=rules)
    served.answer("answer")
    served.answer("snoop")
    assert all(request.path.isascii() for request in served.asked)
    for farewell in (BUSY, APOLOGY):
        refused = Scene(farewell, rules)
        refused.answer("answer")
        assert "play" in refused.names()
        refused.answer("play")
        refused.wait(30.0)
        wanted = rules.busy_extension if farewell is BUSY else rules.handoff_extension
        assert ("extension_exists" if wanted else "hang_up") in refused.names()
    served.take(served.call.hold(90.0, 100.0))  # asked to wait
    assert ("play" in served.names()) is bool(settings.hold_prompt)
    served.take(served.call.abandon("bug", 101.0))
    assert served.call.state == "leaving"


@pytest.mark.parametrize("value", ["fr", "it", "en-GB", "fr-FR"])
def test_a_language_is_a_language_to_the_settings_the_flows_and_the_requests(value: str) -> None:
    settings = settings_with("FAREWELL_LANGUAGE", value)
    assert settings is not None
    assert settings.farewell_language == value
    assert media_of(PromptItem("busy"), "/p", value) == f"sound:/p/{value}/busy"
    assert forms.is_flow(f"{value}/heating")


@pytest.mark.parametrize("value", ["fr_FR", "FR", "french", "", "fr-", "f", "fr-FR-x", "../fr"])
def test_what_is_no_language_is_refused_by_all_of_them(value: str) -> None:
    with pytest.raises(BadSettings, match="FAREWELL_LANGUAGE"):
        load(ControllerSettings, {"ARI_PASSWORD": "x", "FAREWELL_LANGUAGE": value})
    with pytest.raises(BadRequest):
        media_of(PromptItem("busy"), "/p", value)
    with pytest.raises(BadSettings, match="INTENT_LANGUAGES"):
        load(IntentSettings, {"INTENT_LANGUAGES": f"fr,{value}"})
    with pytest.raises(BadSettings, match="DEFAULT_FLOW"):
        load(BotSettings, {"DEFAULT_FLOW": f"{value}/heating"})


@given(ANY)
def test_every_extension_that_a_flow_may_name_can_be_asked_for(value: str) -> None:
    reader = Reader("x.yaml")
    mark = Mark("x.yaml", 0, 0, 0, None, 0)
    named = Parts(Names(reader, Known(frozenset(), frozenset(), {}))).extension(
        ScalarNode("tag:yaml.org,2002:str", value, mark, mark)
    )
    if reader.faults:
        return
    scene = Scene()
    scene.answer("answer")
    scene.command(TransferCall(CALL, 1.0, named))
    assert "extension_exists" in scene.names()


@given(ANY)
def test_every_cell_makes_ids_and_keys(value: str) -> None:
    settings = settings_with("PRONTO_CELL", value)
    if settings is None:
        return
    call_id = new_call_id(settings.cell, 0, bytes(RANDOM_BYTES))
    assert is_call_id(call_id)
    assert is_fit(call_id)
    assert valid_id(call_id)
    assert not set(legs_key(settings.cell, "")) & set("*?[]\\ \n")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("REDIS_URL", "http://127.0.0.1:6379", "redis://"),
        ("REDIS_URL", "redis://127.0.0.1:6379/calls", "number of a database"),
        ("REDIS_URL", "redis://127.0.0.1:99999", "no URL"),
        ("REDIS_URL", "unix://", "names no socket"),
        ("ARI_URL", "redis://127.0.0.1:6379", "http://"),
        ("ARI_URL", "http://", "names no host"),
        ("ARI_URL", "http://127.0.0.1:http", "no URL"),
        ("PRONTO_CELL", "paris [1]:*", "letters, digits"),
        ("RTP_HOST", "::1", "IPv4"),
        ("RTP_HOST", "localhost", "IPv4"),
        ("RTP_PORT", "0", "from 1"),
        ("PROMPTS_DIR", "prompts", "absolute"),
        ("PROMPTS_DIR", "/a,b", "comma"),
    ],
)
def test_a_setting_that_would_fail_later_refuses_to_start(key: str, value: str, reason: str) -> None:
    with pytest.raises(BadSettings, match=f"{key}=.*{reason}"):
        load(ControllerSettings, {"ARI_PASSWORD": "x", key: value})


@pytest.mark.parametrize(
    ("settings", "key", "value"),
    [
        (ReceiverSettings, "WHISPER_URL", "redis://127.0.0.1"),
        (ReceiverSettings, "RTP_IP", "::"),
        (ReceiverSettings, "RECEIVER_ID", "*"),
        (BotSettings, "INTENT_MAIN_URL", "unix:///x"),
        (BotSettings, "DATABASE_URL", "http://x"),
        (BotSettings, "DATABASE_URL", "mysql://x"),
    ],
)
def test_so_does_one_of_another_service(settings: type[ControllerSettings], key: str, value: str) -> None:
    with pytest.raises(BadSettings, match=key):
        load(settings, {key: value})


@pytest.mark.parametrize(
    "value",
    [
        "redis://127.0.0.1:6379/0", "redis://bot:${PASSWORD}@redis.internal:6379/3", "rediss://[::1]:6380", "redis://h",
        "unix:///run/redis.sock", "unix:///run/redis.sock?db=2",
    ],
)  # fmt: skip
def test_a_redis_that_can_be_named_is_taken(value: str) -> None:
    settings = settings_with("REDIS_URL", value)
    assert settings is not None
    assert redis.asyncio.Redis.from_url(settings.redis_url).connection_pool.connection_kwargs


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert urlsplit(f"http://{forms.at_port('::1', 80)}").hostname == "::1"
    assert forms.at_port("10.0.0.1", 80) == "10.0.0.1:80"


def test_a_prompt_of_a_say_is_one_of_the_catalogue() -> None:
    assert media_of(PromptItem("a" * 80), "/p", "fr")
    assert not forms.is_prompt("a" * 81)
    assert Say(CALL, 1.0, 1, "p", "fr", (PromptItem("a"),)).items
