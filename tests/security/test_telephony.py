"""Nobody gets in by telephone: strangers make no channel, callers reach the bot alone, audio is from its source."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
from random import Random

import pytest

from callers.sip_caller import SipCaller
from callers.sip_message import Dialog, parse
from config import ROOT, SERVICES, BadSettings, ControllerSettings, load
from devstack.asterisk import Asterisk
from devstack.processes import wait_for
from tests.fuzz.datagrams import Storm

CONF = ROOT / "asterisk_conf"
STRANGER = "127.0.0.2"
FORBIDDEN = {
    "res_pjsip_endpoint_identifier_anonymous.so": "a stranger would be an endpoint",
    "res_pjsip_refer.so": "a caller could send themselves, or others, elsewhere",
    "res_pjsip_phoneprov_provider.so": "would hand out accounts",
    "res_agi.so": "runs programs",
    "app_system.so": "runs programs",
    "func_shell.so": "runs programs",
    "func_env.so": "reads the environment and files",
    "app_originate.so": "the dialplan could call out",
    "app_disa.so": "a caller could call out",
    "res_http_post.so": "takes files",
    "res_http_media_cache.so": "fetches what a prompt's name says",
    "chan_iax2.so": "another way in",
}


def server(asterisk: Asterisk) -> tuple[str, int]:
    return asterisk.settings.address, asterisk.settings.sip_port


@pytest.mark.parametrize("name", ["trunk", "softphone", "anonymous", "pronto", "", "a" * 300])
async def test_a_stranger_is_refused_and_makes_no_channel(asterisk: Asterisk, name: str) -> None:
    async with SipCaller(server(asterisk), name or "x", host=STRANGER) as stranger:
        assert await stranger.dial("900") in (400, 401, 403)
        assert asterisk.get("channels") == []


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "REFER", "MESSAGE", "NOTIFY", "PUBLISH", "INFO", "BYE"])
def test_a_stranger_gets_nothing_from_any_request(asterisk: Asterisk, method: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(5)
        phone.bind((STRANGER, 0))
        phone.connect(server(asterisk))
        dialog = Dialog("900", server(asterisk), phone.getsockname(), f"stranger-{method}", "tag", "trunk")
        more = (("Refer-To", "<sip:900@127.0.0.1>"), ("Event", "presence"), ("Expires", "60"))
        phone.send(dialog.request(method, 1, "b1", b"", more).encode())
        assert parse(phone.recv(4096)).status >= 400
    assert asterisk.get("channels") == []


async def test_a_caller_of_the_trunk_reaches_the_bot_and_nothing_else(asterisk: Asterisk) -> None:
    # 900 rings the adviser, which costs money; for a caller of the trunk it is a number like any other
    async with SipCaller(server(asterisk), "+33123456789") as caller:
        assert await caller.dial("900") == 200

        def hears_that_the_bot_is_away() -> bool:
            heard = [channel["dialplan"]["app_data"] for channel in asterisk.get("channels")]
            return asterisk.settings.away_prompt in heard

        assert await asyncio.to_thread(wait_for, hears_that_the_bot_is_away, 10.0)


def test_only_modules_of_the_list_run_and_none_that_opens_a_door(asterisk: Asterisk) -> None:
    text = (CONF / "modules.conf").read_text(encoding="utf-8")
    wanted = set(re.findall(r"^load = (\S+)", text, re.MULTILINE))
    assert "autoload = no" in text.splitlines()
    assert wanted & FORBIDDEN.keys() == set()
    running = {module["name"] for module in asterisk.get("asterisk/modules") if module["status"] == "Running"}
    # one that Asterisk loads by itself for another is wanting in the list; test_modules.py holds the list to its uses
    assert {name for name in running if name.endswith(".so")} == wanted


ORIGINATE = "channels?endpoint=PJSIP/x@trunk&extension=1"


@pytest.mark.parametrize("path", ["channels", ORIGINATE, "events?app=pronto", "asterisk/info"])
@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic cHJvbnRvOg=="}, {"Authorization": "Bearer x"}])
def test_nobody_uses_ari_without_the_password(asterisk: Asterisk, path: str, header: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        connection = http.client.HTTPConnection("127.0.0.1", asterisk.settings.http_port, timeout=5.0)
        connection.request(method, f"/ari/{path}", headers=header)
        assert connection.getresponse().status in (401, 404, 405), method
        connection.close()
    assert asterisk.get("channels") == []


def test_ari_has_no_default_password() -> None:
    ari = (CONF / "ari.conf").read_text(encoding="utf-8").splitlines()
    assert '#include "ari_password.conf"' in ari
    with pytest.raises(BadSettings, match="ARI_PASSWORD"):
        load(ControllerSettings, {})


def test_every_server_is_bound_to_loopback_unless_told_otherwise() -> None:
    for settings in SERVICES.values():
        for field in settings.__dataclass_fields__.values():
            if field.name.endswith(("_host", "_ip")):
                assert field.default == "127.0.0.1", field.name
            if field.name.endswith("_url") and isinstance(field.default, str):
                is_here = "//127.0.0.1" in field.default or field.default.startswith("sqlite:")
                assert is_here or not field.default, field.name


def test_packets_of_another_source_are_no_part_of_a_call() -> None:
    with Storm(Random(1), calls=1, strangers=1) as storm:
        call, stranger = storm.senders
        for _ in range(200):
            call.sock.send(call.next())
        assert wait_for(lambda: storm.media.counts.packets == 200, 10.0)
        before = storm.media.counts.streams.released
        for _ in range(200):
            stranger.sock.send(stranger.next())
        assert wait_for(lambda: storm.media.counts.packets == 400, 10.0)
        assert storm.media.counts.streams.released == before
        assert storm.asked == {stranger.sock.getsockname()}
