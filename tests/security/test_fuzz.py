"""A short run of every fuzzer: no crash, no stuck call, counters that add up. `benchmarks/fuzz.py` is the long one."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ari_controller.call_snapshot import BadLegs, restore, snapshot_of
from audio_prompts.catalogue import BadCatalogue, read_catalogue
from bot_manager.call import Surroundings
from bot_manager.commits import Commits
from bot_manager.switchboard import Switchboard
from callers.sdp import MalformedSdp, audio_target, describe
from config import ROOT
from dialogue.flow_loader import BadFlow
from dialogue.flow_store import FlowStore, intent_names
from protocol.bus import Entry, Inbox, connect
from protocol.codec import LONGEST_MESSAGE, BadMessage, decode, encode
from protocol.items import prompts
from protocol.keys import stream_key
from protocol.lease import Lease
from protocol.messages import VERSION, CallStarted, HangUp, Message, Say
from records.database import open_database
from records.writer import RecordWriter
from tests.bot_manager.shipped import silent_prompts
from tests.fuzz.calls import CELL, FickleIntents, storm_of_events, storm_of_messages
from tests.fuzz.datagrams import Storm
from tests.fuzz.parsers import CALL as PARSED_CALL
from tests.fuzz.parsers import PARSERS, RULES, Parser, fuzz

SEED = 20_261_121


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_a_parser_takes_or_refuses_whatever_comes(parser: Parser) -> None:
    done = fuzz(parser, SEED, 150)
    assert done["accepted"] > 0
    assert done["refused"] > 0 or not parser.refuses


FILES = {"flows", "intents", "out of scope", "families", "prompts", "call scripts"}
NESTED = ("[" * 30_000, "{a: " * 5_000, "- " * 30_000, "a: &a [*a]\n", "language: &l {a: *l}\n", "x: 2026-99-99\n")


@pytest.mark.parametrize("text", NESTED, ids=lambda text: text[:8])
@pytest.mark.parametrize("parser", [one for one in PARSERS if one.name in FILES], ids=lambda parser: parser.name)
def test_files_that_are_nested_without_end_are_refused(parser: Parser, text: str) -> None:
    with pytest.raises(parser.refuses):
        parser.parse(text)


def test_a_phrase_file_that_is_nested_without_end_does_not_take_the_process_along(tmp_path: Path) -> None:
    path = tmp_path / "intents.yaml"
    for text in ("[" * 200_000, "{a: " * 200_000, "- " * 200_000):
        path.write_text(text)
        with pytest.raises(BadFlow):
            intent_names(path)


@pytest.mark.parametrize("when", ["since", "arrived_at", "left_at"])
@pytest.mark.parametrize("number", ["Infinity", "NaN", "1e999", "-Infinity"])
def test_a_stored_call_that_would_wait_for_ever_is_refused(when: str, number: str) -> None:
    body = json.loads(snapshot_of(PARSED_CALL)) | {when: "here"}
    with pytest.raises(BadLegs):
        restore("c", json.dumps(body).replace('"here"', number), RULES, 0.0)


def test_prompts_that_are_no_utf_8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "prompts.yaml"
    path.write_bytes("language: fr\nprompts: {welcome: déjà}\n".encode("latin-1"))
    with pytest.raises(BadCatalogue, match="no UTF-8"):
        read_catalogue(path)


@pytest.mark.parametrize("line", ["a=rtpmap telephone-event/8000", "a=rtpmap:\u00b2 telephone-event/8000"])
def test_a_session_description_with_a_broken_key_event_is_refused(line: str) -> None:
    good = describe("127.0.0.1", 4000).decode()
    with pytest.raises(MalformedSdp):
        audio_target(good.replace("a=rtpmap:101 telephone-event/8000", line).encode())


def test_every_datagram_is_used_or_counted_by_reason() -> None:
    with Storm(Random(SEED)) as storm:
        storm.send(20_000)
        account = storm.end()
        assert storm.media.counts.packets == 20_000
    assert account["used"] > 5_000
    reasons = {"unknown_source", "too_short", "version", "payload_type", "payload_length", "duplicate", "late", "stray"}
    assert {reason for reason in reasons if not account[reason]} == set()


async def test_a_storm_of_ari_events_leaves_no_call_behind(redis_url: str) -> None:
    redis = connect(redis_url)
    done = await storm_of_events(redis, Random(SEED), 4_000)
    assert done["events"] > 3_000
    assert done["asked answer"] > 20
    await redis.aclose()


async def test_a_storm_of_messages_leaves_no_call_behind(redis_url: str, tmp_path: Path) -> None:
    redis = connect(redis_url)
    done = await storm_of_messages(redis, Random(SEED), 4_000, tmp_path)
    assert min(done["taken"], done["refused"]) > 500
    await redis.aclose()


async def test_an_entry_that_is_no_text_ends_no_reader(redis_url: str) -> None:
    redis = connect(redis_url)
    stream = stream_key("poison", "events")
    inbox = Inbox(redis, "poison", "commands", "reader")
    await inbox.open()
    stream = stream_key("poison", "commands")
    for poison in (b"\xff\xfe\x00", b"\xc3", encode(HangUp("c1", 1.0, "x" * LONGEST_MESSAGE)), b"", b"{" * 60_000):
        await redis.xadd(stream, {"m": poison})
        await redis.xadd(stream, {b"\xff": poison})
    await redis.xadd(stream, {"m": encode(HangUp("c1", 1.0))})
    async for message in inbox.messages():
        assert message == HangUp("c1", 1.0)
        break
    assert inbox.malformed == 10
    await redis.aclose()


@pytest.mark.parametrize("text", ["\\ud800", "oui \\udfff"])
async def test_half_a_character_goes_through_the_bus_as_a_whole_one(redis_url: str, text: str) -> None:
    message = decode('{"type": "HangUp", "call_id": "c1", "at": 1, "reason": "' + text + '"}')
    redis = connect(redis_url)
    await redis.xadd("half", {"m": encode(message)})
    entries: Any = await redis.xrange("half")
    assert [decode(fields["m"]) for _, fields in entries] == [message]
    await redis.aclose()


class Listed(Commits):
    """Also lists what is sent."""

    def __init__(self, lease: Lease, cell: str) -> None:
        super().__init__(lease, cell)
        self.sent: list[Message] = []

    def send(self, message: Message, version: int = VERSION) -> None:
        """As it is, and noted."""
        self.sent.append(message)
        super().send(message, version)


async def test_a_call_of_which_nothing_is_heard_is_given_up(redis_url: str, tmp_path: Path) -> None:
    redis = connect(redis_url)
    flows = FlowStore(ROOT / "flows", silent_prompts(tmp_path))
    flows.load()
    records = RecordWriter(open_database(f"sqlite:///{tmp_path / 'calls.sqlite'}"))
    intents: Any = FickleIntents(Random(SEED))
    commits = Listed(Lease(redis, CELL, "bot", "bot"), CELL)
    around = Surroundings(commits, intents, records, silent_s=0.05)
    switchboard = Switchboard(around, flows, CELL, "fr/heating")
    await switchboard.deal_with(Entry("1-0", CallStarted("nobody", 1.0, "", "")))
    assert len(switchboard) == 1
    assert await switchboard.drained(20.0)
    # should there be somebody, they are told: the controller hands over whom nobody drives any more
    assert [say.items for say in commits.sent if isinstance(say, Say)][-1] == prompts("apology")
    await redis.aclose()


def test_numbers_that_no_database_takes_are_refused() -> None:
    for number in (2**63, -(2**63), 10**400, 1e12, -1e12):
        with pytest.raises(BadMessage):
            decode(encode(HangUp("c1", number)))
